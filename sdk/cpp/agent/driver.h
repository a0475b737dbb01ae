// The one thread of an agent that runs its core: channel events, commands of the application and
// timers go in; frames go to the channel, events to `Listener`.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "sdk/cpp/agent/link.h"
#include "sdk/cpp/agent/wall_clock.h"
#include "sdk/cpp/core/core.h"

namespace sealwire {

class Driver {
 public:
  /// Called on the driver's thread.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_event(sdk::Event event) = 0;
    /// After every flush, before its events.
    virtual void on_flush(sdk::Core& core) = 0;
    /// The last call: nothing is sent or received any more.
    virtual void on_stopped(const Error& why) = 0;
  };

  Driver(std::unique_ptr<sdk::Core> core, std::vector<channel::Endpoint> endpoints, bool offline,
         Listener& listener);
  ~Driver() { stop(); }
  void start();
  /// Closes the session in order and joins the thread. Any other thread; twice does no harm.
  void stop();

  // Any thread. False once the driver has stopped: nothing of it happens then.
  bool send(sdk::SendRequest request);
  bool acknowledge(std::uint64_t inbox_number, bool erased);
  bool post(std::function<void(sdk::Core&)> command);
  std::uint64_t take_unit_number() { return core_->take_unit_number(); }
  /// The endpoint in use; "" while there is no connection.
  std::string endpoint() const;
  bool on_own_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  struct Work {
    std::vector<LinkEvent> link_events;
    std::vector<sdk::SendRequest> sends;
    std::vector<std::pair<std::uint64_t, bool>> acknowledged;
    std::vector<std::function<void(sdk::Core&)>> commands;
    bool empty() const {
      return link_events.empty() && sends.empty() && acknowledged.empty() && commands.empty();
    }
  };
  void run();
  Work wait_for_work();
  void take(LinkEvent event, UnixMillis now);
  void perform(sdk::Core::Output output, UnixMillis now);
  void dial(UnixMillis now);
  void push_frames();
  template <class Put>
  bool put(const Put& into);

  std::unique_ptr<sdk::Core> core_;
  const std::vector<channel::Endpoint> endpoints_;
  const bool offline_;
  Listener& listener_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Work work_;
  bool stop_ = false;
  bool stopped_ = false;
  std::string endpoint_;
  std::thread thread_;

  // driver's thread only
  std::unique_ptr<Link> link_;
  std::uint64_t link_number_ = 0;
  channel::ConnectionPtr connection_;
  std::deque<Bytes> frames_;
  bool close_after_frames_ = false;
  std::size_t next_endpoint_ = 0;
  std::optional<Error> fatal_;
  std::optional<UnixMillis> closing_;  // until then the Close frame may take
};

}  // namespace sealwire

// What one bot has under way: its connections by who speaks, and the chats that it sends to, each
// at its pace. No threads and no requests: those are bot.h's.
#pragma once

#include <array>
#include <map>
#include <unordered_map>

#include "adapters/channels/telegram/bot_api.h"
#include "adapters/channels/telegram/link.h"

namespace sealwire::channel::telegram {

/// One request that a bot's worker makes for the hub.
struct Job {
  enum class What : std::uint8_t { send, farewell, download };
  What what = What::send;
  std::string chat;
  LinkPtr link;              // but of a farewell
  Outgoing::Part part;       // of send and farewell
  std::uint32_t number = 0;  // of download, as the rest
  std::string file_id;
  std::uint64_t file_bytes = 0;
  unsigned tries = 0;
  Clock::time_point not_before;
};

/// `mutex` guards everything; but for the constructor every function is called under it.
class Hub : public std::enable_shared_from_this<Hub> {
 public:
  explicit Hub(Millis pace) : pace_(pace) {}

  std::mutex mutex;
  std::condition_variable work;     // there may be a job, or all ends
  std::condition_variable changed;  // ready, trouble
  bool stopping = false;
  bool ready = false;    // what was sent before this process is forgotten
  bool refused = false;  // Telegram does not know the token
  std::string trouble;   // why the last poll failed; "" if it did not
  DeskPtr listening;

  void slow_down(Millis pace) { pace_ = std::max(pace_, pace); }
  Millis pace_of(const std::string& chat) const;

  void add(const LinkPtr& link);
  /// Something of the link's may be sent.
  void want(const LinkPtr& link);
  /// It ends with `error`; with `tell` the other end learns it.
  void end(const LinkPtr& link, Error error, bool tell);
  void end_all(const Error& error);
  void arrived(const Update& update);
  /// Lets go of every link: they hold the hub.
  void forget();

  /// The next request to make, or when to look again.
  std::optional<Job> take_job(Clock::time_point now, Clock::time_point& again);
  void sent(Job job, const Outcome<>& outcome);
  void downloaded(Job job, Outcome<Bytes> outcome);

 private:
  struct Chat {
    Clock::time_point next_at;
    bool busy = false;
    std::deque<Fragment> farewells;
    std::deque<LinkPtr> turn;
  };
  using Speaker = std::pair<std::int64_t, ConnectionKey>;

  bool is_new(std::int64_t update);
  LinkPtr find(const Update& update, const Fragment& fragment);
  void admit(const Update& update, const Fragment& fragment);
  Chat* chat(const std::string& name);
  void leave(const std::string& name, Fragment fragment);
  std::optional<Job> take_from(const std::string& name, Chat& chat);
  void put_back(Job job);
  void went(const LinkPtr& link);
  void failed(Job job, const Failure& failure);
  void move_chat(const std::string& from, const std::string& to);

  Millis pace_;
  std::map<Speaker, LinkPtr> links_;
  std::map<std::string, Chat> chats_;
  std::string last_chat_;
  Clock::time_point next_at_;  // of the bot
  std::deque<Job> downloads_;
  std::array<std::int64_t, kUpdatesRemembered> updates_{};
  std::size_t updates_at_ = 0;
};

}  // namespace sealwire::channel::telegram

// The process behind `sealwire pipe`: operations in, events out (docs/pipe.md).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <iosfwd>
#include <map>
#include <mutex>
#include <thread>

#include "sdk/cli/failure.h"
#include "sdk/cli/pipe/line.h"
#include "sealwire/agent.h"

namespace sealwire::cli {

/// Writes events, one line each, from any thread. The order within a thread is kept.
class EventWriter {
 public:
  explicit EventWriter(std::ostream& out) : out_(out) {}
  void write(const Json& event);
  /// The reader has gone: there is nobody to work for.
  bool broken() const { return broken_; }

 private:
  std::mutex mutex_;
  std::ostream& out_;
  std::atomic<bool> broken_ = false;
};

/// Owns three kinds of threads: one waits for messages, one for the broker's answers to what was
/// sent, and one for each open request. The caller's thread feeds operations.
class PipeSession {
 public:
  PipeSession(Agent agent, EventWriter& events);
  PipeSession(const PipeSession&) = delete;
  PipeSession& operator=(const PipeSession&) = delete;
  ~PipeSession();

  /// Blocks while too much is under way.
  void perform(Operation operation);
  /// Waits until everything asked is answered, at most kPipeDrainMs, and stops.
  void drain();
  /// Why the agent stopped by itself, once it has.
  std::optional<Error> stopped() const;

 private:
  struct Waiting {
    std::string ref;
    Sending sending;
  };
  void send(const Operation& operation);
  void reply(const Operation& operation);
  void request(Operation operation);
  void ask(const Operation& asked);
  void acknowledge(const Operation& operation);
  void peers(const Operation& operation);
  void watch(std::string ref, Result<Sending> sending);
  void receive_messages();
  void report_outcomes();
  void fail_operation(const std::string& ref, const Error& error);
  void connection(bool connected);

  Agent agent_;
  EventWriter& events_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::optional<bool> connected_;
  std::optional<Error> stopped_;
  std::map<std::string, Message> unacknowledged_;
  std::deque<Waiting> waiting_;
  std::map<std::uint64_t, std::thread> requests_;  // ended ones are in finished_, to be joined
  std::vector<std::uint64_t> finished_;
  std::uint64_t next_request_ = 0;

  std::thread receiver_;
  std::thread reporter_;
};

}  // namespace sealwire::cli

// The bounded queue between the I/O threads and the router: many push, one drains in batches.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "broker/committer.h"
#include "broker/event.h"
#include "broker/router_config.h"

namespace sealwire::broker {

/// What the router's thread is woken for, all of it.
struct Post {
  struct Item {
    Event event;
    std::size_t bytes = 0;
  };
  std::vector<Item> events;
  std::vector<ConnectionId> writable;  // channels that take frames again
  std::optional<Committed> committed;
  std::optional<RouterConfig> config;
  bool stop = false;
};

/// Thread-safe.
class Inbox {
 public:
  Inbox(std::size_t events_max, std::size_t bytes_max)
      : events_max_(events_max), bytes_max_(bytes_max) {}

  /// False if the queue is at its bound: the event is not taken.
  bool push(Event event, std::size_t bytes);
  /// Past the bound: for what comes at most once or twice a connection (it left, it failed).
  void push_always(Event event);
  void push_writable(ConnectionId connection);
  void push_committed(Committed committed);
  void push_config(RouterConfig config);
  void stop();

  /// Everything there is. Waits until `until` for something; for events only if `want_events`.
  Post wait(std::chrono::steady_clock::time_point until, bool want_events);
  /// Events that `wait` gave count against the bound until this.
  void done(std::size_t events, std::size_t bytes);

  std::size_t events() const;
  std::size_t bytes() const;

 private:
  void wake_if_first(bool first);

  const std::size_t events_max_;
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  Post post_;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sealwire::broker

#include "broker/inbox.h"

namespace sealwire::broker {

bool Inbox::push(Event event, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (events_ >= events_max_ || bytes_ + bytes > bytes_max_) return false;
  ++events_;
  bytes_ += bytes;
  const bool first = post_.events.empty();
  post_.events.push_back({std::move(event), bytes});
  wake_if_first(first);
  return true;
}

void Inbox::push_always(Event event) {
  const std::lock_guard lock(mutex_);
  ++events_;
  const bool first = post_.events.empty();
  post_.events.push_back({std::move(event), 0});
  wake_if_first(first);
}

void Inbox::push_writable(ConnectionId connection) {
  const std::lock_guard lock(mutex_);
  const bool first = post_.writable.empty();
  post_.writable.push_back(connection);
  wake_if_first(first);
}

void Inbox::push_committed(Committed committed) {
  const std::lock_guard lock(mutex_);
  post_.committed = std::move(committed);
  ready_.notify_one();
}

void Inbox::push_config(RouterConfig config) {
  const std::lock_guard lock(mutex_);
  post_.config = std::move(config);
  ready_.notify_one();
}

void Inbox::stop() {
  const std::lock_guard lock(mutex_);
  post_.stop = true;
  ready_.notify_one();
}

void Inbox::wake_if_first(bool first) {
  if (first) ready_.notify_one();
}

Post Inbox::wait(std::chrono::steady_clock::time_point until, bool want_events) {
  std::unique_lock lock(mutex_);
  ready_.wait_until(lock, until, [&] {
    return (want_events && !post_.events.empty()) || !post_.writable.empty() || post_.committed ||
           post_.config || post_.stop;
  });
  Post taken;
  taken.stop = post_.stop;
  std::swap(taken.writable, post_.writable);
  std::swap(taken.committed, post_.committed);
  std::swap(taken.config, post_.config);
  if (want_events) std::swap(taken.events, post_.events);
  return taken;
}

void Inbox::done(std::size_t events, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  events_ -= events;
  bytes_ -= bytes;
}

std::size_t Inbox::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}
std::size_t Inbox::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace sealwire::broker

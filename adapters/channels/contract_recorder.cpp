#include "adapters/channels/contract_recorder.h"

#include <gtest/gtest.h>

#include <thread>

namespace sealwire::channel::contract {
namespace {

thread_local bool t_within_send = false;
constexpr auto kPatience = std::chrono::seconds(20);

}  // namespace

Sent send(const ConnectionPtr& connection, Bytes frame) {
  t_within_send = true;
  const auto sent = connection->send(std::move(frame));
  t_within_send = false;
  return sent;
}

Sent send_patiently(const ConnectionPtr& connection, const Bytes& frame) {
  for (;;) {
    const auto sent = send(connection, frame);
    if (sent != Sent::full) return sent;
    std::this_thread::yield();
  }
}

// Marks one callback from its begin to its end, under the recorder's lock at both.
class Recorder::Call {
 public:
  Call(Recorder& recorder, const ConnectionPtr& connection, std::string_view what)
      : recorder_(recorder), connection_(connection), lock_(recorder.mutex_) {
    ++recorder_.callbacks_;
    auto& peer = recorder_.peers_[connection.get()];
    if (t_within_send) note("came from within send", what);
    if (peer.in_callback) note("overlaps another callback", what);
    if (what == "on_open" ? peer.open : !peer.open) note("came before on_open or twice", what);
    if (!peer.closed.empty()) note("came after on_close", what);
    peer.in_callback = true;
  }
  ~Call() {
    recorder_.peers_[connection_.get()].in_callback = false;
    recorder_.changed_.notify_all();
  }
  Peer& peer() { return recorder_.peers_[connection_.get()]; }
  std::unique_lock<std::mutex>& lock() { return lock_; }

 private:
  void note(std::string_view problem, std::string_view what) {
    recorder_.violations_.push_back(std::string(what) + " " + std::string(problem));
  }
  Recorder& recorder_;
  const ConnectionPtr& connection_;
  std::unique_lock<std::mutex> lock_;
};

void Recorder::on_open(const ConnectionPtr& connection) {
  Call call(*this, connection, "on_open");
  call.peer().open = true;
  opened_.push_back(connection);
}

void Recorder::on_bytes(const ConnectionPtr& connection, ByteSpan frame) {
  Call call(*this, connection, "on_bytes");
  changed_.wait(call.lock(), [this] { return !held_; });
  call.lock().unlock();
  if (hook_) hook_(connection, frame);
  call.lock().lock();
  call.peer().frames.push_back(to_bytes(frame));
}

void Recorder::on_writable(const ConnectionPtr& connection) {
  Call call(*this, connection, "on_writable");
  ++call.peer().writable;
}

void Recorder::on_close(const ConnectionPtr& connection, const Error& error) {
  if (connection == nullptr) {
    const std::lock_guard lock(mutex_);
    ++callbacks_;
    failures_.push_back(error);
    changed_.notify_all();
    return;
  }
  Call call(*this, connection, "on_close");
  call.peer().closed.push_back(error);
}

void Recorder::hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void Recorder::release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  changed_.notify_all();
}

template <class Predicate>
bool Recorder::wait(std::string_view what, Predicate predicate) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, kPatience, predicate)) return true;
  ADD_FAILURE() << "waited in vain for " << what;
  return false;
}

ConnectionPtr Recorder::wait_open(std::size_t count) {
  if (!wait("on_open", [&] { return opened_.size() >= count; })) return nullptr;
  const std::lock_guard lock(mutex_);
  return opened_[count - 1];
}

std::vector<Bytes> Recorder::wait_frames(const ConnectionPtr& connection, std::size_t count) {
  wait("frames", [&] { return peers_[connection.get()].frames.size() >= count; });
  const std::lock_guard lock(mutex_);
  return peers_[connection.get()].frames;
}

bool Recorder::wait_writable(const ConnectionPtr& connection) {
  return wait("on_writable", [&] { return peers_[connection.get()].writable > 0; });
}

Error Recorder::wait_close(const ConnectionPtr& connection) {
  if (!wait("on_close", [&] { return !peers_[connection.get()].closed.empty(); })) return {};
  const std::lock_guard lock(mutex_);
  return peers_[connection.get()].closed.front();
}

Error Recorder::wait_failure(std::size_t count) {
  if (!wait("a failed dial", [&] { return failures_.size() >= count; })) return {};
  const std::lock_guard lock(mutex_);
  return failures_[count - 1];
}

std::size_t Recorder::opened() const {
  const std::lock_guard lock(mutex_);
  return opened_.size();
}

std::size_t Recorder::callbacks() const {
  const std::lock_guard lock(mutex_);
  return callbacks_;
}

bool Recorder::has_closed(const ConnectionPtr& connection) const {
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(connection.get());
  return found != peers_.end() && !found->second.closed.empty();
}

std::vector<std::string> Recorder::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

}  // namespace sealwire::channel::contract

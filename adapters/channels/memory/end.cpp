#include "adapters/channels/memory/end.h"

namespace sealwire::channel::memory {

End::End(Handler& handler, std::shared_ptr<DeliveryThread> thread, const Limits& limits,
         Place place)
    : handler_(handler), thread_(std::move(thread)), limits_(limits), place_(std::move(place)) {}

void End::join(const std::shared_ptr<End>& a, const std::shared_ptr<End>& b) {
  // Both locks, so that neither end's first frame overtakes the other's on_open.
  const std::scoped_lock lock(a->mutex_, b->mutex_);
  a->peer_ = b;
  b->peer_ = a;
  for (const auto& end : {a, b}) {
    end->thread_->post([end] { end->handler_.on_open(end); });
  }
}

Sent End::send(Bytes frame) {
  std::unique_lock lock(mutex_);
  if (closing_) return Sent::closed;
  if (frame.size() > frame_bytes_max()) {
    lock.unlock();
    end_both({Errc::frame_too_large, "sent over the limit"});
    return Sent::closed;
  }
  if (unread_bytes_ > 0 && unread_bytes_ + frame.size() > limits_.buffered_bytes) {
    writable_wanted_ = true;
    return Sent::full;
  }
  unread_bytes_ += frame.size();
  // Posted under the lock: the order of two senders is the order in which they were taken.
  peer_->thread_->post([peer = peer_, frame = std::move(frame)] { peer->receive(frame); });
  return Sent::taken;
}

void End::receive(const Bytes& frame) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
  }
  if (frame.size() > frame_bytes_max()) {
    end_both({Errc::frame_too_large, "received over the limit"});
    return;
  }
  handler_.on_bytes(shared_from_this(), frame);
  std::shared_ptr<End> peer;
  {
    const std::lock_guard lock(mutex_);
    peer = peer_;
  }
  if (peer) peer->delivered(frame.size());
}

void End::delivered(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  unread_bytes_ -= bytes;
  if (!writable_wanted_ || closing_ || unread_bytes_ > limits_.buffered_bytes / 2) return;
  writable_wanted_ = false;
  thread_->post([self = shared_from_this()] {
    {
      const std::lock_guard lock_(self->mutex_);
      if (self->closing_) return;
    }
    self->handler_.on_writable(self);
  });
}

void End::promote() {
  const std::lock_guard lock(mutex_);
  promoted_ = true;
  place_.prove();
}

void End::close(std::string_view reason) {
  end_both({Errc::closed, std::string(reason)});
}

// What this end has sent stands before the peer's finish in the peer's queue, so it is delivered.
void End::end_both(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (closing_) return;
  closing_ = true;
  peer_->thread_->post([peer = peer_, error] { peer->finish(error); });
  thread_->post([self = shared_from_this(), error] { self->finish(error); });
}

void End::finish(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = closing_ = true;
    place_.release();
    peer_ = nullptr;
  }
  handler_.on_close(shared_from_this(), error);
}

std::size_t End::frame_bytes_max() const {
  return promoted_ ? limits_.frame_bytes : limits_.frame_bytes_before_proof;
}

const Binding& End::binding() const {
  static const Binding none;
  return none;
}

const std::string& End::peer_address() const {
  static const std::string none;
  return none;
}

}  // namespace sealwire::channel::memory

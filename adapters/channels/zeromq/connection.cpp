#include "adapters/channels/zeromq/connection.h"

namespace sealwire::channel::zeromq {

ZmqConnection::ZmqConnection(std::shared_ptr<Doorbell> doorbell, const Limits& limits,
                             Binding binding, std::string peer_address)
    : doorbell_(std::move(doorbell)),
      limits_(limits),
      binding_(std::move(binding)),
      peer_address_(std::move(peer_address)) {}

Sent ZmqConnection::send(Bytes frame) {
  const std::lock_guard lock(mutex_);
  if (closing_) return Sent::closed;
  if (frame.size() > (promoted_ ? limits_.frame_bytes : limits_.frame_bytes_before_proof)) {
    closing_ = true;
    orders_.close = Error{Errc::frame_too_large, "sent over the limit"};
    ring();
    return Sent::closed;
  }
  const auto cost = cost_of(frame.size());
  if (unsent_bytes_ > 0 && unsent_bytes_ + cost > limits_.buffered_bytes) {
    writable_wanted_ = true;
    return Sent::full;
  }
  unsent_bytes_ += cost;
  queue_.push_back(std::move(frame));
  ring();
  return Sent::taken;
}

void ZmqConnection::promote() {
  const std::lock_guard lock(mutex_);
  if (closing_ || promoted_) return;
  promoted_ = true;
  orders_.promote = true;
  ring();
}

void ZmqConnection::close(std::string_view reason) {
  const std::lock_guard lock(mutex_);
  if (closing_) return;
  closing_ = true;
  orders_.close = Error{Errc::closed, std::string(reason)};
  ring();
}

ZmqConnection::Orders ZmqConnection::take_orders(std::deque<Bytes>& frames) {
  const std::lock_guard lock(mutex_);
  rung_ = false;
  std::move(queue_.begin(), queue_.end(), std::back_inserter(frames));
  queue_.clear();
  return std::exchange(orders_, {});
}

void ZmqConnection::end() {
  const std::lock_guard lock(mutex_);
  closing_ = true;
  queue_.clear();
}

void ZmqConnection::released(std::size_t frame_bytes) {
  const std::lock_guard lock(mutex_);
  unsent_bytes_ -= cost_of(frame_bytes);
  if (!writable_wanted_ || closing_ || unsent_bytes_ > limits_.buffered_bytes / 2) return;
  writable_wanted_ = false;
  orders_.writable = true;
  ring();
}

void ZmqConnection::ring() {
  if (rung_) return;
  rung_ = true;
  doorbell_->ring(shared_from_this());
}

}  // namespace sealwire::channel::zeromq

// The face of a connection that other threads see. They leave orders and ring; the thread that owns
// the sockets carries the orders out.
#pragma once

#include <deque>
#include <mutex>
#include <optional>

#include "adapters/channels/channel.h"
#include "adapters/channels/zeromq/doorbell.h"

namespace sealwire::channel::zeromq {

class ZmqConnection final : public Connection, public std::enable_shared_from_this<ZmqConnection> {
 public:
  ZmqConnection(std::shared_ptr<Doorbell> doorbell, const Limits& limits, Binding binding,
                std::string peer_address);

  Sent send(Bytes frame) override;
  void promote() override;
  void close(std::string_view reason) override;
  const Binding& binding() const override { return binding_; }
  const std::string& peer_address() const override { return peer_address_; }

  struct Orders {
    bool promote = false;
    bool writable = false;  // on_writable is due
    std::optional<Error> close;
  };
  /// Takes the orders, and appends the frames to `frames`. Socket thread.
  Orders take_orders(std::deque<Bytes>& frames);
  /// Nothing further is taken. Socket thread.
  void end();
  /// A frame has left libzmq's queues, or will never: its room is free again. Any thread.
  void released(std::size_t frame_bytes);

 private:
  // Of a queued frame, whatever its size, so that empty frames are bounded too.
  static std::size_t cost_of(std::size_t frame_bytes) { return frame_bytes + 64; }
  void ring();  // under mutex_

  const std::shared_ptr<Doorbell> doorbell_;
  const Limits limits_;
  const Binding binding_;
  const std::string peer_address_;

  std::mutex mutex_;  // guards what follows
  std::deque<Bytes> queue_;
  Orders orders_;
  std::size_t unsent_bytes_ = 0;  // here, held by the socket thread, and within libzmq
  bool promoted_ = false;
  bool closing_ = false;
  bool writable_wanted_ = false;
  bool rung_ = false;
};

}  // namespace sealwire::channel::zeromq

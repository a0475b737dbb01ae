// WIRE.md on a socket: messages of a kind and a payload, never blocking, never throwing.
#pragma once

#include <array>
#include <optional>
#include <zmq.hpp>

#include "adapters/channels/zeromq/connection.h"
#include "adapters/channels/zeromq/curve.h"

namespace sealwire::channel::zeromq {

enum class Kind : std::uint8_t { open = 0, data = 1, move = 2, close = 3 };

inline constexpr std::string_view kVersion = "sealwire.0";
inline constexpr std::size_t kReasonBytes = 123;
inline constexpr std::size_t kTokenBytes = 16;
inline constexpr std::size_t kMovePayloadBytes = 2 + kTokenBytes;
using Token = std::string;  // kTokenBytes random bytes, which name a connection at the data port

// Implementation limits.
inline constexpr std::size_t kSlackBytes = 1024;  // libzmq counts CURVE's 33 bytes as the message's
inline constexpr int kDoorReceiveMessages = 16;   // high-water marks, a peer
inline constexpr int kDataReceiveMessages = 32;
inline constexpr int kBatchMessages = 256;  // taken from one socket before the others get a turn
inline constexpr int kLingerMs = 1000;
inline constexpr int kHeartbeatMs = 20000;

struct Message {
  std::string routing_id;  // empty on a DEALER
  std::uint8_t kind = 0;
  zmq::message_t payload;
  std::string user_id;  // what our ZAP handler said: the CURVE key in hex; "" without CURVE
  std::string peer_address;

  ByteSpan bytes() const { return {payload.data<std::uint8_t>(), payload.size()}; }
};

enum class Received : std::uint8_t { message, malformed, nothing };
/// Takes one message. `malformed` fills in the routing id, the user id and the address.
Received receive(zmq::socket_t& socket, bool is_router, Message& message);

/// False when the peer has gone. An empty `routing_id` is a DEALER's.
[[nodiscard]] bool send(zmq::socket_t& socket, const std::string& routing_id, Kind kind,
                        ByteSpan payload);
/// Sends a frame without a copy; `connection` is told when libzmq has done with it.
[[nodiscard]] bool send_frame(zmq::socket_t& socket, const std::string& routing_id, Bytes frame,
                              const std::shared_ptr<ZmqConnection>& connection);

ByteSpan reason_payload(std::string_view reason);

/// What every socket of ours has. May throw zmq::error_t.
void set_common_options(zmq::socket_t& socket, std::size_t frame_bytes, int receive_messages,
                        const Limits& limits);

}  // namespace sealwire::channel::zeromq

#include "adapters/channels/zeromq/wire.h"

namespace sealwire::channel::zeromq {
namespace {

bool take(zmq::socket_t& socket, zmq::message_t& part) {
  return zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) >= 0;
}

std::string property(zmq::message_t& part, const char* name) {
  const auto* value = zmq_msg_gets(part.handle(), name);
  return value == nullptr ? std::string() : std::string(value);
}

bool put(zmq::socket_t& socket, const void* data, std::size_t size, int flags) {
  return zmq_send(socket.handle(), data, size, flags | ZMQ_DONTWAIT) >= 0;
}

bool put_head(zmq::socket_t& socket, const std::string& routing_id, Kind kind) {
  // With ZMQ_ROUTER_MANDATORY the first part fails when the peer has gone, and the rest cannot.
  if (!routing_id.empty() && !put(socket, routing_id.data(), routing_id.size(), ZMQ_SNDMORE))
    return false;
  return put(socket, &kind, 1, ZMQ_SNDMORE);
}

struct InFlight {
  Bytes frame;
  std::shared_ptr<ZmqConnection> connection;
};

void landed(void*, void* hint) {
  const std::unique_ptr<InFlight> in_flight(static_cast<InFlight*>(hint));
  in_flight->connection->released(in_flight->frame.size());
}

}  // namespace

Received receive(zmq::socket_t& socket, bool is_router, Message& message) {
  zmq::message_t part;
  if (!take(socket, part)) return Received::nothing;
  if (is_router) {
    message.routing_id = part.to_string();
    if (!part.more() || !take(socket, part)) return Received::malformed;
  }
  message.user_id = property(part, "User-Id");
  message.peer_address = property(part, "Peer-Address");
  bool well_formed = part.size() == 1 && part.more();
  if (well_formed) message.kind = *part.data<std::uint8_t>();
  if (part.more()) {
    if (!take(socket, message.payload)) return Received::malformed;
    if (message.payload.more()) {
      well_formed = false;
      do {
        if (!take(socket, part)) break;
      } while (part.more());
    }
  }
  return well_formed ? Received::message : Received::malformed;
}

bool send(zmq::socket_t& socket, const std::string& routing_id, Kind kind, ByteSpan payload) {
  return put_head(socket, routing_id, kind) && put(socket, payload.data(), payload.size(), 0);
}

bool send_frame(zmq::socket_t& socket, const std::string& routing_id, Bytes frame,
                const std::shared_ptr<ZmqConnection>& connection) {
  auto in_flight = std::make_unique<InFlight>(InFlight{std::move(frame), connection});
  if (!put_head(socket, routing_id, Kind::data)) {
    landed(nullptr, in_flight.release());
    return false;
  }
  zmq_msg_t message;
  auto& bytes = in_flight->frame;
  if (zmq_msg_init_data(&message, bytes.data(), bytes.size(), landed, in_flight.get()) != 0)
    return false;
  (void)in_flight.release();  // libzmq's from here on, through landed()
  if (zmq_msg_send(&message, socket.handle(), ZMQ_DONTWAIT) >= 0) return true;
  zmq_msg_close(&message);
  return false;
}

ByteSpan reason_payload(std::string_view reason) {
  return as_bytes(reason.substr(0, kReasonBytes));
}

void set_common_options(zmq::socket_t& socket, std::size_t frame_bytes, int receive_messages,
                        const Limits& limits) {
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes + kSlackBytes));
  // What is sent is bounded in bytes by ZmqConnection, until libzmq releases it.
  socket.set(zmq::sockopt::sndhwm, 0);
  socket.set(zmq::sockopt::rcvhwm, receive_messages);
  socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(limits.handshake_ms));
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kHeartbeatMs);
  socket.set(zmq::sockopt::linger, kLingerMs);
}

}  // namespace sealwire::channel::zeromq

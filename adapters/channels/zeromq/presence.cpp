#include "adapters/channels/zeromq/presence.h"

#include <cstring>

namespace sealwire::channel::zeromq {

Presence::Presence(zmq::context_t& context, zmq::socket_t& watched)
    : events_(context, zmq::socket_type::pair) {
  constexpr const char* kPlace = "inproc://presence";
  if (zmq_socket_monitor(watched.handle(), kPlace, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) < 0)
    throw zmq::error_t();
  // An event that finds no room holds libzmq's thread up, so there is room for as many as come.
  events_.set(zmq::sockopt::rcvhwm, 0);
  events_.set(zmq::sockopt::linger, 0);
  events_.connect(kPlace);
}

void Presence::serve() {
  // Two parts: the event's number (16 bits) and a value (32 bits); the endpoint.
  for (zmq::message_t part; zmq_msg_recv(part.handle(), events_.handle(), ZMQ_DONTWAIT) >= 0;) {
    if (!part.more()) continue;
    std::uint16_t event = 0;
    if (part.size() >= sizeof event) std::memcpy(&event, part.data(), sizeof event);
    if (event == ZMQ_EVENT_ACCEPTED) ++count_;
    if (event == ZMQ_EVENT_DISCONNECTED && count_ > 0) --count_;
  }
}

}  // namespace sealwire::channel::zeromq

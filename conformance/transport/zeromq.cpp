#include "conformance/transport/zeromq.h"

#include "conformance/runner/failure.h"
#include "conformance/wire/crypto.h"

namespace conformance {
namespace {

enum Kind : std::uint8_t { kOpen = 0, kData = 1, kMove = 2, kClose = 3 };

zmq::context_t& context() {
  static zmq::context_t one(1);
  return one;
}

Bytes unz85(const std::string& text) {
  Bytes key(32);
  zmq_z85_decode(key.data(), text.c_str());
  return key;
}

void send_two(zmq::socket_t& socket, std::uint8_t kind, View payload) {
  socket.send(zmq::message_t(&kind, 1), zmq::send_flags::sndmore);
  socket.send(zmq::message_t(payload.data(), payload.size()), zmq::send_flags::none);
}

}  // namespace

ZeroMq::ZeroMq(const Endpoint& endpoint) : endpoint_(endpoint) {
  char public_key[41], secret_key[41];
  zmq_curve_keypair(public_key, secret_key);
  public_key_ = public_key;
  secret_key_ = secret_key;
  door_ = open(endpoint.port);
  const Bytes version = bytes_of("sealwire.0");
  send_two(door_, kOpen, version);
  const auto answer = next(5000);
  if (!answer) throw NotRun("nothing listens at " + endpoint.text);
  if (answer->kind != kOpen || answer->payload != version)
    throw Failure("the door did not open: " +
                  std::string(answer->payload.begin(), answer->payload.end()));
}

zmq::socket_t ZeroMq::open(int port) {
  zmq::socket_t socket(context(), zmq::socket_type::dealer);
  char server[41];
  zmq_z85_encode(server, endpoint_.curve.data(), 32);
  socket.set(zmq::sockopt::curve_serverkey, server);
  socket.set(zmq::sockopt::curve_publickey, public_key_);
  socket.set(zmq::sockopt::curve_secretkey, secret_key_);
  socket.set(zmq::sockopt::reconnect_ivl, 3'600'000);  // WIRE.md: a time that never comes
  socket.set(zmq::sockopt::linger, 1000);
  socket.connect("tcp://" + endpoint_.host + ":" + std::to_string(port));
  return socket;
}

// The next message on whichever socket may be read now.
std::optional<ZeroMq::Message> ZeroMq::next(int wait_ms) {
  const std::uint64_t deadline = now_ms() + static_cast<std::uint64_t>(wait_ms);
  for (;;) {
    zmq::pollitem_t items[] = {{door_done_ ? nullptr : door_.handle(), 0, ZMQ_POLLIN, 0},
                               {door_done_ ? data_.handle() : nullptr, 0, ZMQ_POLLIN, 0}};
    zmq::pollitem_t* item = door_done_ ? &items[1] : &items[0];
    const std::uint64_t now = now_ms();
    if (now >= deadline) return std::nullopt;
    if (zmq::poll(item, 1, std::chrono::milliseconds(deadline - now)) == 0) return std::nullopt;
    zmq::socket_t& socket = door_done_ ? data_ : door_;
    zmq::message_t kind, payload;
    if (!socket.recv(kind) || !kind.more() || !socket.recv(payload) || payload.more() ||
        kind.size() != 1)
      throw Failure("the target sent a ZeroMQ message that is not kind and payload (SES-043)");
    const auto* bytes = payload.data<std::uint8_t>();
    return Message{*kind.data<std::uint8_t>(), Bytes(bytes, bytes + payload.size())};
  }
}

void ZeroMq::move(View payload) {
  if (payload.size() != 18)
    throw Failure("the target's first move has no port and token (SES-043)");
  send_two(door_, kMove, {});
  data_ = open(payload[0] << 8 | payload[1]);
  send_two(data_, kOpen, payload.subspan(2));
  moving_ = true;
}

void ZeroMq::take_door(const Message& message) {
  if (message.kind == kData) return arrived_.push_back(message.payload);
  if (message.kind == kClose) {
    closed_ = true;
  } else if (message.kind == kMove && !moving_) {
    move(message.payload);
  } else if (message.kind == kMove && !door_done_) {
    door_done_ = true;
  } else if (message.kind == kOpen && door_done_ && !data_open_) {
    data_open_ = true;
  } else {
    throw Failure("the target sent a ZeroMQ message out of place (SES-043)");
  }
}

void ZeroMq::send_raw(std::uint8_t kind, View payload) {
  while (moving_ && !data_open_ && !closed_) {
    const auto message = next(patience_ms);
    if (!message) throw Failure("the data port did not open (SES-043)");
    take_door(*message);
  }
  if (!closed_) send_two(moving_ ? data_ : door_, kind, payload);
}

void ZeroMq::send(View message) {
  send_raw(kData, message);
}

std::optional<Bytes> ZeroMq::receive(int wait_ms) {
  const std::uint64_t deadline = now_ms() + static_cast<std::uint64_t>(wait_ms);
  while (arrived_.empty()) {
    if (closed_) return std::nullopt;
    const std::uint64_t now = now_ms();
    const auto message = next(now < deadline ? static_cast<int>(deadline - now) : 0);
    if (!message) throw Failure("nothing came in " + std::to_string(wait_ms) + " ms");
    take_door(*message);
  }
  Bytes first = std::move(arrived_.front());
  arrived_.pop_front();
  return first;
}

void ZeroMq::close() {
  if (moving_ && !data_open_) send_two(door_, kClose, {});
  if (!closed_) send_two(moving_ ? data_ : door_, kClose, {});
  door_.close();
  data_.close();
}

void ZeroMq::drop() {
  for (zmq::socket_t* socket : {&door_, &data_})
    if (*socket) socket->set(zmq::sockopt::linger, 0);
  door_.close();
  data_.close();
}

Bytes ZeroMq::binding_value() const {
  return copy(endpoint_.curve) + unz85(public_key_);
}

}  // namespace conformance

#include "adapters/channels/zeromq/dialler.h"

namespace sealwire::channel::zeromq {
namespace {

constexpr auto kCloseTime = std::chrono::milliseconds(1000);
constexpr long kTickMs = 20;  // while something waits for a deadline

}  // namespace

Dialler::Dialler(Uri uri, const Endpoint& endpoint, std::optional<CurveKey> server_key,
                 Handler& handler)
    : uri_(std::move(uri)),
      uri_text_(endpoint.uri),
      limits_(endpoint.limits),
      handler_(handler),
      server_key_(server_key),
      deadline_(Clock::now() + std::chrono::milliseconds(limits_.handshake_ms)) {
  door_ = make_socket(limits_.frame_bytes_before_proof, kDoorReceiveMessages);
  monitor_ = watch(door_, "inproc://door");
  door_.connect("tcp://" + authority(uri_));
  thread_ = std::thread([this] { run(); });
}

Dialler::~Dialler() {
  doorbell_->ring_stop();
  thread_.join();
  // Who rang since the last answer holds the doorbell that holds it.
  (void)doorbell_->answer();
}

zmq::socket_t Dialler::make_socket(std::size_t frame_bytes, int receive_messages) {
  zmq::socket_t socket(context_, zmq::socket_type::dealer);
  set_common_options(socket, frame_bytes, receive_messages, limits_);
  // Never: what libzmq restored would have lost frames without our knowing. Its own way to say so,
  // -1, drops what had arrived and was not yet read when the connection breaks.
  socket.set(zmq::sockopt::reconnect_ivl, std::numeric_limits<int>::max());
  socket.set(zmq::sockopt::ipv6, uri_.host.find(':') != std::string::npos);
  if (server_key_) {
    socket.set(zmq::sockopt::curve_serverkey, zmq::buffer(server_key_->data(), 32));
    socket.set(zmq::sockopt::curve_publickey, zmq::buffer(keys_.public_key.data(), 32));
    socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(keys_.secret_key.data(), 32));
  }
  return socket;
}

// The socket's events of a connection that failed or broke, on a socket of their own.
zmq::socket_t Dialler::watch(zmq::socket_t& socket, const char* address) {
  constexpr int kFailed = ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                          ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  zmq_socket_monitor(socket.handle(), address, kFailed);
  zmq::socket_t monitor(context_, zmq::socket_type::pair);
  monitor.connect(address);
  return monitor;
}

// After the drain that follows, nothing the listener sent is still to come: libzmq puts it into the
// socket before it tells of the end.
bool Dialler::broken() {
  zmq::message_t event;
  bool told = false;
  while (zmq_msg_recv(event.handle(), monitor_.handle(), ZMQ_DONTWAIT) >= 0)
    told = true;
  return told;
}

void Dialler::run() {
  if (!send(door_, {}, Kind::open, as_bytes(kVersion))) finish({Errc::connect_failed, "no socket"});
  bool lost = false;
  while (stage_ != Stage::ended && !wait()) {
    lost = broken();
    if (door_) drain(door_, &Dialler::on_door);
    if (data_ && door_ended_) drain(data_, &Dialler::on_data);
    if (lost) finish({Errc::connection_lost, "the transport broke"});
    check_deadlines();
  }
  if (stage_ != Stage::ended) {
    flush();
    closing_ = Error{Errc::closed, "the dialling end went"};
    close();
  }
  // What can no longer get through would have the context wait for it.
  const bool wait_for_what_was_sent = connection_ && !lost;
  for (auto* socket : {&door_, &data_}) {
    if (*socket && !wait_for_what_was_sent) socket->set(zmq::sockopt::linger, 0);
    socket->close();
  }
}

// True when the Running goes.
bool Dialler::wait() {
  std::array<zmq_pollitem_t, 4> items{
      {{nullptr, doorbell_->descriptor(), ZMQ_POLLIN, 0}, {monitor_.handle(), 0, ZMQ_POLLIN, 0}}};
  int count = 2;
  if (door_) items.at(count++) = {door_.handle(), 0, ZMQ_POLLIN, 0};
  if (data_ && door_ended_) items.at(count++) = {data_.handle(), 0, ZMQ_POLLIN, 0};
  const bool timed = stage_ == Stage::opening || stage_ == Stage::moving || closing_;
  zmq_poll(items.data(), count, timed ? kTickMs : -1);
  auto rung = doorbell_->answer();
  for (const auto& connection : rung.connections)
    carry_out(connection->take_orders(held_));
  return rung.stop;
}

void Dialler::drain(zmq::socket_t& socket, void (Dialler::*on_message)(const Message&)) {
  for (int i = 0; i < kBatchMessages && socket && stage_ != Stage::ended; ++i) {
    Message message;
    const auto received = receive(socket, false, message);
    if (received == Received::nothing) return;
    if (received == Received::malformed) message.kind = 0xff;
    (this->*on_message)(message);
  }
}

void Dialler::on_door(const Message& message) {
  const bool move = message.kind == static_cast<std::uint8_t>(Kind::move);
  switch (static_cast<Kind>(message.kind)) {
    case Kind::open:
      if (stage_ != Stage::opening || as_text(message.bytes()) != kVersion) break;
      return opened();
    case Kind::data:
      if (stage_ == Stage::opening || door_ended_) break;
      return deliver(message, limits_.frame_bytes_before_proof);
    case Kind::move:
    case Kind::close:
      if (!move) return finish({Errc::closed, std::string(as_text(message.bytes()))});
      if (stage_ == Stage::door && data_port_ == 0 && message.payload.size() == kMovePayloadBytes) {
        const auto bytes = message.bytes();
        data_port_ = static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
        token_ = as_text(bytes.subspan(2));
        if (promoted_) begin_move();
        return;
      }
      if (stage_ == Stage::moving && !door_ended_ && message.payload.size() == 0) {
        door_ended_ = true;
        return;
      }
      break;
  }
  violated(Errc::frame_malformed, "an unexpected message at the door");
}

void Dialler::opened() {
  stage_ = Stage::door;
  connection_ = std::make_shared<ZmqConnection>(
      doorbell_, limits_, server_key_ ? curve_binding(*server_key_, keys_.public_key) : Binding(),
      uri_.host);
  handler_.on_open(connection_);
}

void Dialler::on_data(const Message& message) {
  switch (static_cast<Kind>(message.kind)) {
    case Kind::open:
      if (stage_ != Stage::moving || as_text(message.bytes()) != kVersion) break;
      return complete_move();
    case Kind::data:
      if (stage_ != Stage::moved) break;
      return deliver(message, limits_.frame_bytes);
    case Kind::close:
      return finish({Errc::closed, std::string(as_text(message.bytes()))});
    case Kind::move:
      break;
  }
  violated(Errc::frame_malformed, "an unexpected message at the data port");
}

void Dialler::deliver(const Message& message, std::size_t frame_bytes_max) {
  if (closing_) return;
  if (message.payload.size() > frame_bytes_max) {
    return violated(Errc::frame_too_large, "received over the limit");
  }
  handler_.on_bytes(connection_, message.bytes());
}

void Dialler::begin_move() {
  stage_ = Stage::moving;
  deadline_ = Clock::now() + std::chrono::milliseconds(limits_.handshake_ms);
  try {
    data_ = make_socket(limits_.frame_bytes, kDataReceiveMessages);
    data_monitor_ = watch(data_, "inproc://data");
    auto to = uri_;
    to.port = data_port_;
    data_.connect("tcp://" + authority(to));
  } catch (const zmq::error_t& error) {
    return finish({Errc::connection_lost, error.what()});
  }
  if (!send(door_, {}, Kind::move, {}) || !send(data_, {}, Kind::open, as_bytes(token_))) {
    finish({Errc::connection_lost, "the listener went"});
  }
}

void Dialler::complete_move() {
  stage_ = Stage::moved;
  door_.close();
  monitor_ = std::move(data_monitor_);
  flush();
}

void Dialler::carry_out(const ZmqConnection::Orders& orders) {
  if (stage_ == Stage::ended) return;
  if (orders.promote) {
    promoted_ = true;
    if (data_port_ != 0) begin_move();
  }
  if (orders.close) {
    closing_ = orders.close;
    deadline_ = Clock::now() + kCloseTime;
  }
  flush();
  if (orders.writable && !closing_ && stage_ != Stage::ended) handler_.on_writable(connection_);
}

void Dialler::flush() {
  // From promote() on the data port carries what is sent, whatever the door could still take.
  if (stage_ == Stage::ended || (promoted_ && stage_ != Stage::moved)) return;
  while (!held_.empty()) {
    auto frame = std::move(held_.front());
    held_.pop_front();
    if (!send_frame(stage_ == Stage::moved ? data_ : door_, {}, std::move(frame), connection_)) {
      return finish({Errc::connection_lost, "the listener went"});
    }
  }
  if (closing_) close();
}

void Dialler::close() {
  const auto error = *closing_;
  const auto reason = reason_payload(error.detail);
  // Gone already is closed as well.
  if (door_) (void)send(door_, {}, Kind::close, reason);
  if (data_) (void)send(data_, {}, Kind::close, reason);
  finish(error);
}

void Dialler::check_deadlines() {
  if (stage_ == Stage::ended || Clock::now() < deadline_) return;
  if (closing_) return close();
  if (stage_ == Stage::opening) finish({Errc::connect_failed, "no answer in time"});
  if (stage_ == Stage::moving)
    finish({Errc::connection_lost, "the data port did not answer in time"});
}

void Dialler::violated(Errc code, std::string detail) {
  closing_ = Error{code, std::move(detail)};
  close();
}

void Dialler::finish(const Error& error) {
  if (stage_ == Stage::ended) return;
  stage_ = Stage::ended;
  if (!connection_) return handler_.on_close(nullptr, {Errc::connect_failed, error.detail});
  connection_->end();
  handler_.on_close(connection_, error);
}

}  // namespace sealwire::channel::zeromq

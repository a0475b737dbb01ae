#include "adapters/channels/zeromq/listener.h"

namespace sealwire::channel::zeromq {
namespace {

constexpr auto kCloseTime = std::chrono::milliseconds(1000);
constexpr long kTickMs = 50;  // while something waits for a deadline

std::uint16_t bound_port(const zmq::socket_t& socket) {
  const auto endpoint = socket.get(zmq::sockopt::last_endpoint);
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

std::string bind_address(Uri uri, std::uint16_t port) {
  if (uri.host == "localhost") uri.host = "127.0.0.1";  // libzmq binds no names
  uri.port = port;
  return "tcp://" + authority(uri);
}

void prepare(zmq::socket_t& socket, const std::optional<CurveKeys>& keys, const Uri& uri) {
  socket.set(zmq::sockopt::router_mandatory, true);
  socket.set(zmq::sockopt::router_handover, false);
  socket.set(zmq::sockopt::backlog, 1024);
  socket.set(zmq::sockopt::ipv6, uri.host.find(':') != std::string::npos);
  if (!keys) return;
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(keys->secret_key.data(), 32));
}

}  // namespace

Listener::Listener(Uri uri, const Endpoint& endpoint, std::optional<CurveKeys> keys,
                   std::uint16_t data_port, Handler& handler)
    : limits_(endpoint.limits),
      handler_(handler),
      keys_(std::move(keys)),
      census_(std::make_shared<Census>(limits_.connections, limits_.unproven,
                                       limits_.unproven_per_address)),
      context_(static_cast<int>(std::max(1u, endpoint.threads))) {
  set_common_options(door_, limits_.frame_bytes_before_proof, kDoorReceiveMessages, limits_);
  set_common_options(data_, limits_.frame_bytes, kDataReceiveMessages, limits_);
  // A ROUTER cannot drop a peer, but who is silent, or in the middle of a message, answers no
  // heartbeat: at the door it has the time of a handshake for that.
  const int half = static_cast<int>(limits_.handshake_ms / 2);
  door_.set(zmq::sockopt::heartbeat_ivl, half);
  door_.set(zmq::sockopt::heartbeat_timeout, half);
  prepare(door_, keys_, uri);
  prepare(data_, keys_, uri);
  door_.set(zmq::sockopt::zap_domain, kDoorDomain);
  if (keys_) data_.set(zmq::sockopt::zap_domain, kDataDomain);  // else there is no key to know
  data_.bind(bind_address(uri, data_port));
  door_.bind(bind_address(uri, uri.port));
  data_port_ = bound_port(data_);
  uri.port = bound_port(door_);
  uri_ =
      "tcp://" + authority(uri) + (keys_ ? "?curve=" + to_hex(keys_->public_key) : std::string());
  thread_ = std::thread([this] { run(); });
}

Listener::~Listener() {
  doorbell_->ring_stop();
  thread_.join();
  // Who rang since the last answer holds the doorbell that holds it.
  (void)doorbell_->answer();
}

void Listener::run() {
  std::vector<zmq_pollitem_t> items{{nullptr, doorbell_->descriptor(), ZMQ_POLLIN, 0},
                                    {door_.handle(), 0, ZMQ_POLLIN, 0},
                                    {data_.handle(), 0, ZMQ_POLLIN, 0},
                                    {at_door_.socket().handle(), 0, ZMQ_POLLIN, 0},
                                    {admission_.socket().handle(), 0, ZMQ_POLLIN, 0}};
  for (;;) {
    zmq_poll(items.data(), static_cast<int>(items.size()), closing_.empty() ? -1 : kTickMs);
    at_door_.serve();
    // Who shakes hands and says nothing is in no census, and holds libzmq's memory all the same.
    admission_.serve(at_door_.count() > limits_.unproven);
    drain(door_, &Listener::on_door);
    drain(data_, &Listener::on_data);
    auto rung = doorbell_->answer();
    for (const auto& connection : rung.connections)
      carry_out(connection);
    close_late_ones();
    if (rung.stop) break;
  }
  end_all();
}

void Listener::end_all() {
  while (!peers_.empty()) {
    const auto peer = peers_.begin()->second;
    flush(peer);
    if (!peers_.contains(peer->connection.get())) continue;
    peer->closing = Error{Errc::closed, "the listener ended"};
    close(peer);
  }
  door_.close();
  data_.close();
}

void Listener::drain(zmq::socket_t& socket, void (Listener::*on_message)(const Message&)) {
  for (int i = 0; i < kBatchMessages; ++i) {
    Message message;
    const auto received = receive(socket, true, message);
    if (received == Received::nothing) return;
    if (received == Received::malformed) message.kind = 0xff;
    (this->*on_message)(message);
  }
}

void Listener::on_door(const Message& message) {
  const auto known = by_door_id_.find(message.routing_id);
  if (known == by_door_id_.end()) {
    if (message.kind == static_cast<std::uint8_t>(Kind::open)) open(message);
    return;
  }
  const auto peer = known->second;
  switch (static_cast<Kind>(message.kind)) {
    case Kind::data:
      if (peer->door_ended) break;
      return deliver(peer, message, limits_.frame_bytes_before_proof);
    case Kind::move:
      if (peer->stage != Stage::moving || peer->door_ended) break;
      peer->door_ended = true;
      return complete_move(peer);
    case Kind::close:
      return finish(peer, {Errc::closed, std::string(as_text(message.bytes()))});
    case Kind::open:
      break;
  }
  violated(peer, Errc::frame_malformed, "an unexpected message at the door");
}

void Listener::open(const Message& message) {
  const auto refuse = [&](std::string_view why) {
    // An error means that the peer has gone, which suits us.
    (void)send(door_, message.routing_id, Kind::close, reason_payload(why));
  };
  if (as_text(message.bytes()) != kVersion) return refuse("unknown version");
  if (!accepting_) return refuse("no further connections");
  if (keys_ && keys_in_use_.contains(message.user_id))
    return refuse("this CURVE key has a connection");
  auto place = Place::take(census_, census_key(message.peer_address));
  if (!place) return refuse("too many connections");

  Binding binding;
  if (keys_) {
    const auto client_key = curve_key_from_hex(message.user_id);
    if (!client_key) return refuse("no CURVE key");
    binding = curve_binding(keys_->public_key, *client_key);
  }
  const auto peer = std::make_shared<Peer>();
  peer->connection =
      std::make_shared<ZmqConnection>(doorbell_, limits_, std::move(binding), message.peer_address);
  peer->place = std::move(place);
  peer->key = message.user_id;
  peer->door_id = message.routing_id;
  if (!send(door_, peer->door_id, Kind::open, as_bytes(kVersion))) return;
  peers_[peer->connection.get()] = peer;
  by_door_id_[peer->door_id] = peer;
  if (keys_) keys_in_use_.insert(peer->key);
  handler_.on_open(peer->connection);
}

void Listener::on_data(const Message& message) {
  const auto known = by_data_id_.find(message.routing_id);
  if (known == by_data_id_.end()) {
    if (message.kind == static_cast<std::uint8_t>(Kind::open)) open_data(message);
    return;
  }
  const auto peer = known->second;
  if (message.kind == static_cast<std::uint8_t>(Kind::data) && peer->stage == Stage::moved) {
    return deliver(peer, message, limits_.frame_bytes);
  }
  if (message.kind == static_cast<std::uint8_t>(Kind::close)) {
    return finish(peer, {Errc::closed, std::string(as_text(message.bytes()))});
  }
  violated(peer, Errc::frame_malformed, "an unexpected message at the data port");
}

void Listener::open_data(const Message& message) {
  const auto known = by_token_.find(std::string(as_text(message.bytes())));
  if (known == by_token_.end()) return;
  const auto peer = known->second;
  if (peer->key != message.user_id || !peer->data_id.empty()) return;
  peer->data_id = message.routing_id;
  by_data_id_[peer->data_id] = peer;
  complete_move(peer);
}

void Listener::deliver(const PeerPtr& peer, const Message& message, std::size_t frame_bytes_max) {
  if (peer->closing) return;
  if (message.payload.size() > frame_bytes_max) {
    return violated(peer, Errc::frame_too_large, "received over the limit");
  }
  handler_.on_bytes(peer->connection, message.bytes());
}

void Listener::complete_move(const PeerPtr& peer) {
  if (!peer->door_ended || peer->data_id.empty()) return;
  const bool told = send(door_, peer->door_id, Kind::move, {}) &&
                    send(data_, peer->data_id, Kind::open, as_bytes(kVersion));
  if (!told) return finish(peer, {Errc::connection_lost, "the dialler went while it moved"});
  peer->stage = Stage::moved;
  by_door_id_.erase(std::exchange(peer->door_id, {}));
  by_token_.erase(std::exchange(peer->token, {}));
  flush(peer);
}

void Listener::carry_out(const std::shared_ptr<ZmqConnection>& connection) {
  const auto known = peers_.find(connection.get());
  if (known == peers_.end()) return;
  const auto peer = known->second;
  const auto orders = connection->take_orders(peer->held);
  if (orders.promote) begin_move(peer);
  if (orders.close) {
    peer->closing = orders.close;
    peer->close_by = Clock::now() + kCloseTime;
    closing_.push_back(peer);
  }
  flush(peer);
  if (orders.writable && !peer->closing && peers_.contains(connection.get())) {
    handler_.on_writable(peer->connection);
  }
}

void Listener::begin_move(const PeerPtr& peer) {
  peer->place.prove();
  peer->token.resize(kTokenBytes);
  randombytes_buf(peer->token.data(), kTokenBytes);
  by_token_[peer->token] = peer;
  admission_.admit(peer->key);
  peer->stage = Stage::moving;
  Bytes payload{static_cast<std::uint8_t>(data_port_ >> 8), static_cast<std::uint8_t>(data_port_)};
  payload.insert(payload.end(), peer->token.begin(), peer->token.end());
  if (!tell(peer, Kind::move, payload)) finish(peer, {Errc::connection_lost, "the dialler went"});
}

void Listener::flush(const PeerPtr& peer) {
  if (!peers_.contains(peer->connection.get())) return;
  const bool moved = peer->stage == Stage::moved;
  while (!peer->held.empty()) {
    // While it moves, the first frame that the door may not carry, and all after it, wait for data.
    if (!moved && peer->held.front().size() > limits_.frame_bytes_before_proof) return;
    auto frame = std::move(peer->held.front());
    peer->held.pop_front();
    if (!send_frame(moved ? data_ : door_, moved ? peer->data_id : peer->door_id, std::move(frame),
                    peer->connection)) {
      return finish(peer, {Errc::connection_lost, "the dialler went"});
    }
  }
  if (peer->closing) close(peer);
}

void Listener::close(const PeerPtr& peer) {
  const auto error = *peer->closing;
  (void)tell(peer, Kind::close, reason_payload(error.detail));  // gone already is closed as well
  finish(peer, error);
}

void Listener::close_late_ones() {
  const auto now = Clock::now();
  for (const auto& peer : std::exchange(closing_, {})) {
    if (!peers_.contains(peer->connection.get())) continue;
    if (now >= peer->close_by) {
      close(peer);
    } else {
      closing_.push_back(peer);
    }
  }
}

void Listener::violated(const PeerPtr& peer, Errc code, std::string detail) {
  peer->closing = Error{code, std::move(detail)};
  close(peer);
}

void Listener::finish(const PeerPtr& peer, const Error& error) {
  if (peers_.erase(peer->connection.get()) == 0) return;
  by_door_id_.erase(peer->door_id);
  by_data_id_.erase(peer->data_id);
  by_token_.erase(peer->token);
  admission_.revoke(peer->key);
  keys_in_use_.erase(peer->key);
  peer->place.release();
  peer->connection->end();
  peer->held.clear();
  handler_.on_close(peer->connection, error);
}

bool Listener::tell(const PeerPtr& peer, Kind kind, ByteSpan payload) {
  return peer->stage == Stage::moved ? send(data_, peer->data_id, kind, payload)
                                     : send(door_, peer->door_id, kind, payload);
}

}  // namespace sealwire::channel::zeromq

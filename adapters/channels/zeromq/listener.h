// The listening end: the door and the data port, and the one thread that owns them (DESIGN: proof
// before memory; WIRE.md: the messages).
#pragma once

#include <chrono>
#include <thread>
#include <unordered_map>

#include "adapters/channels/census.h"
#include "adapters/channels/uri.h"
#include "adapters/channels/zeromq/admission.h"
#include "adapters/channels/zeromq/presence.h"
#include "adapters/channels/zeromq/wire.h"

namespace sealwire::channel::zeromq {

class Listener final : public Running {
 public:
  /// `keys` empty: plaintext. May throw zmq::error_t.
  Listener(Uri uri, const Endpoint& endpoint, std::optional<CurveKeys> keys,
           std::uint16_t data_port, Handler& handler);
  ~Listener() override;

  std::string uri() const override { return uri_; }
  void stop_accepting() override { accepting_ = false; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Stage : std::uint8_t { door, moving, moved };
  struct Peer {
    std::shared_ptr<ZmqConnection> connection;
    Place place;
    std::string key;
    std::string door_id;  // routing ids
    std::string data_id;  // empty until data is open
    Token token;
    Stage stage = Stage::door;
    bool door_ended = false;  // the dialler's `move` came
    std::deque<Bytes> held;   // taken from the connection and not yet given to libzmq
    std::optional<Error> closing;
    Clock::time_point close_by{};
  };
  using PeerPtr = std::shared_ptr<Peer>;

  void run();
  void end_all();
  void drain(zmq::socket_t& socket, void (Listener::*on_message)(const Message&));
  void on_door(const Message& message);
  void on_data(const Message& message);
  void open(const Message& message);
  void open_data(const Message& message);
  void deliver(const PeerPtr& peer, const Message& message, std::size_t frame_bytes_max);
  void complete_move(const PeerPtr& peer);

  void carry_out(const std::shared_ptr<ZmqConnection>& connection);
  void begin_move(const PeerPtr& peer);
  void flush(const PeerPtr& peer);
  void close(const PeerPtr& peer);
  void close_late_ones();
  void violated(const PeerPtr& peer, Errc code, std::string detail);
  void finish(const PeerPtr& peer, const Error& error);
  bool tell(const PeerPtr& peer, Kind kind, ByteSpan payload);

  const Limits limits_;
  Handler& handler_;
  const std::optional<CurveKeys> keys_;
  const std::shared_ptr<Census> census_;
  const std::shared_ptr<Doorbell> doorbell_ = std::make_shared<Doorbell>();
  std::string uri_;
  std::uint16_t data_port_ = 0;
  std::atomic<bool> accepting_ = true;

  zmq::context_t context_;
  Admission admission_{context_};
  zmq::socket_t door_{context_, zmq::socket_type::router};
  Presence at_door_{context_, door_};
  zmq::socket_t data_{context_, zmq::socket_type::router};

  // Every connection, and the ways to it.
  std::unordered_map<const ZmqConnection*, PeerPtr> peers_;
  std::unordered_map<std::string, PeerPtr> by_door_id_;
  std::unordered_map<std::string, PeerPtr> by_data_id_;
  std::unordered_map<std::string, PeerPtr> by_token_;
  std::unordered_set<std::string> keys_in_use_;
  std::vector<PeerPtr> closing_;

  std::thread thread_;
};

}  // namespace sealwire::channel::zeromq

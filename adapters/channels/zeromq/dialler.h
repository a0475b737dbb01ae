// The dialling end: one connection, and the one thread that owns its sockets.
#pragma once

#include <chrono>
#include <limits>
#include <thread>

#include "adapters/channels/uri.h"
#include "adapters/channels/zeromq/wire.h"

namespace sealwire::channel::zeromq {

class Dialler final : public Running {
 public:
  /// `server_key` empty: plaintext. May throw zmq::error_t.
  Dialler(Uri uri, const Endpoint& endpoint, std::optional<CurveKey> server_key, Handler& handler);
  ~Dialler() override;

  std::string uri() const override { return uri_text_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Stage : std::uint8_t { opening, door, moving, moved, ended };

  zmq::socket_t make_socket(std::size_t frame_bytes, int receive_messages);
  zmq::socket_t watch(zmq::socket_t& socket, const char* address);
  bool broken();
  void run();
  bool wait();
  void drain(zmq::socket_t& socket, void (Dialler::*on_message)(const Message&));
  void on_door(const Message& message);
  void on_data(const Message& message);
  void opened();
  void deliver(const Message& message, std::size_t frame_bytes_max);
  void begin_move();
  void complete_move();

  void carry_out(const ZmqConnection::Orders& orders);
  void flush();
  void close();
  void check_deadlines();
  void violated(Errc code, std::string detail);
  void finish(const Error& error);

  const Uri uri_;
  const std::string uri_text_;
  const Limits limits_;
  Handler& handler_;
  const std::optional<CurveKey> server_key_;
  const CurveKeys keys_ = CurveKeys::generate();
  const std::shared_ptr<Doorbell> doorbell_ = std::make_shared<Doorbell>();

  zmq::context_t context_{1};
  zmq::socket_t door_;
  zmq::socket_t data_;          // from begin_move() on
  zmq::socket_t monitor_;       // of the door, then of data
  zmq::socket_t data_monitor_;  // while it moves

  // The thread's own.
  std::shared_ptr<ZmqConnection> connection_;  // from opened() on
  Stage stage_ = Stage::opening;
  bool promoted_ = false;
  std::uint16_t data_port_ = 0;  // 0: the listener's first `move` has not come
  Token token_;
  bool door_ended_ = false;  // the listener's second `move` came
  std::deque<Bytes> held_;
  std::optional<Error> closing_;
  Clock::time_point deadline_;  // of the stages opening and moving, and of the close

  std::thread thread_;
};

}  // namespace sealwire::channel::zeromq

// The dialling end of ZeroMQ as WIRE.md beside the channel describes it: a door, then a data port.
#pragma once

#include <deque>
#include <zmq.hpp>

#include "conformance/transport/connection.h"

namespace conformance {

class ZeroMq final : public Connection {
 public:
  explicit ZeroMq(const Endpoint& endpoint);
  void send(View message) override;
  std::optional<Bytes> receive(int wait_ms = patience_ms) override;
  void close() override;
  void drop() override;
  wire::Binding binding() const override { return wire::Binding::curve; }
  Bytes binding_value() const override;
  /// A message of two parts as it is, on the socket that carries our direction.
  void send_raw(std::uint8_t kind, View payload);

 private:
  struct Message {
    std::uint8_t kind;
    Bytes payload;
  };
  zmq::socket_t open(int port);
  std::optional<Message> next(int wait_ms);
  void move(View payload);
  void take_door(const Message& message);

  const Endpoint endpoint_;
  std::string public_key_, secret_key_;
  zmq::socket_t door_, data_;
  bool moving_ = false;     // our `move` is sent
  bool door_done_ = false;  // the listener's second `move` has come
  bool data_open_ = false;
  bool closed_ = false;
  std::deque<Bytes> arrived_;
};

}  // namespace conformance

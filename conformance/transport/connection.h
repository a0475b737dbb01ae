// One way to a broker: whole messages out and in, and what the session can be bound to.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "conformance/wire/bytes.h"
#include "conformance/wire/read.h"

namespace conformance {

/// How long an answer that has to come is waited for.
inline int patience_ms = 20'000;

/// `wss://host:port/`, `ws://host:port/` or `tcp://host:port?curve=HEX` (SPEC SES).
struct Endpoint {
  std::string text, scheme, host;
  int port = 0;
  Bytes curve;  // the listener's CURVE key

  static Endpoint parse(const std::string& text);  // throws Failure
  bool websocket() const { return scheme != "tcp"; }
};

class Connection {
 public:
  virtual ~Connection() = default;
  /// A peer that has closed is met by the next receive(), not here.
  virtual void send(View message) = 0;
  /// The next message; nothing once the peer has closed. Throws Failure when neither comes in time.
  virtual std::optional<Bytes> receive(int wait_ms = patience_ms) = 0;
  /// Orderly.
  virtual void close() = 0;
  /// As a crash does it.
  virtual void drop() = 0;
  /// The strongest binding (SES-002) and its value.
  virtual wire::Binding binding() const = 0;
  virtual Bytes binding_value() const = 0;
  /// RFC 6455's status, where the peer named one as it closed.
  virtual std::optional<int> close_status() const { return std::nullopt; }
};

/// Throws Failure when there is no way in: NotRun is the caller's to decide.
std::unique_ptr<Connection> dial(const Endpoint& endpoint);

}  // namespace conformance

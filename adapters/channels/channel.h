// The whole contract of a channel. A channel moves opaque frames between two ends: `listen` for the
// broker, `dial` for an agent. It may not parse frames, authenticate agents, hold agents' keys,
// block, or buffer without bound. `contract_suite.h` tells when an implementation is done;
// `memory/` is the smallest complete one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/limits.h"

namespace sealwire::channel {

/// What the transport itself proves, and the handshake signs (SPEC SES). `none` means that every
/// frame after the handshake is sealed instead.
enum class BindingType : std::uint8_t { none = 0, tls_exporter = 1, curve = 2 };

struct Binding {
  BindingType type = BindingType::none;
  Bytes value;  // tls_exporter: 32 bytes (RFC 9266); curve: server key ‖ client key, 64 bytes
  friend bool operator==(const Binding&, const Binding&) = default;
};

enum class Sent : std::uint8_t {
  taken,   // the frame is the channel's now and will leave in order, unless the connection closes
  full,    // refused, the buffer is at its bound: try again after on_writable
  closed,  // refused, the connection has closed: on_close comes or came
};

/// One peer. Every function may be called from any thread, and from within a callback; none blocks.
/// A call after the close does nothing.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Sends one frame, whole. Frames arrive once each, in order, or the connection closes. A frame
  /// over this end's own limit closes the connection with `frame_too_large`.
  virtual Sent send(Bytes frame) = 0;

  /// The session has proven who the peer is. Until then both ends keep to
  /// `Limits::frame_bytes_before_proof`; channels with a door of its own for handshakes move the
  /// connection to their data socket here. Called once by each end: by the listening end before it
  /// sends its Ready, by the dialling end within the on_bytes that brought it, so that no larger
  /// frame is met under the smaller limit.
  virtual void promote() = 0;

  /// Sends what was taken (for at most a second), then closes. `on_close` follows, once.
  virtual void close(std::string_view reason) = 0;

  /// Fixed from on_open on.
  virtual const Binding& binding() const = 0;

  /// The peer's network address without a port, for limits and the log; "" where there is none.
  virtual const std::string& peer_address() const = 0;
};

using ConnectionPtr = std::shared_ptr<Connection>;

/// What a channel tells. Calls for one connection never overlap and come in the order on_open,
/// (on_bytes | on_writable)*, on_close; they come from threads of the channel's. They must return
/// quickly: no disk, no network, no waiting. `send` and `close` may be called from within; a
/// callback is never made from within `send`, `promote` or `close`.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_open(const ConnectionPtr& connection) = 0;
  /// `frame` belongs to the channel and ends with the call.
  virtual void on_bytes(const ConnectionPtr& connection, ByteSpan frame) = 0;
  /// After `Sent::full`: there is room again.
  virtual void on_writable(const ConnectionPtr& connection) = 0;
  /// The last call for this connection. `error.code` is `Errc::closed` for an orderly close,
  /// `Errc::connection_lost` where the transport broke, `Errc::frame_too_large`, and
  /// `Errc::connect_failed` where a dialled connection never opened (without a preceding on_open;
  /// `connection` is then null).
  virtual void on_close(const ConnectionPtr& connection, const Error& error) = 0;
};

struct Limits {
  std::size_t frame_bytes_before_proof = limits::kFrameBytesBeforeProof;
  std::size_t frame_bytes = limits::kFrameBytes;
  std::size_t buffered_bytes = 2 * limits::kFrameBytes;  // of unsent frames, a connection
  std::size_t connections = 20000;                       // of one listener
  std::size_t unproven = 4096;                           // of them, before proof
  std::size_t unproven_per_address = 1024;               // of those
  std::uint64_t handshake_ms = limits::kHandshakeMs;     // of the transport's own handshake
};

/// Where and how to listen or dial. The channel's header documents its `options`; an unknown one is
/// refused by name.
struct Endpoint {
  std::string uri;  // scheme://host:port…; port 0 lets the system choose (listen only)
  std::map<std::string, std::string> options;
  Limits limits;
  unsigned threads = 1;         // I/O threads (listen only)
  bool allow_insecure = false;  // plaintext transports off loopback
};

/// A listening endpoint or a dialled connection. It owns the channel's threads; its destruction
/// closes what is open as `Connection::close` does, its on_close calls included, and no callback
/// comes after it. It waits for callbacks under way, so it may not be destroyed from within one.
class Running {
 public:
  virtual ~Running() = default;
  /// The URI with the port that was really bound, ready to be dialled.
  virtual std::string uri() const = 0;
  /// Reads certificates and the like again (SIGHUP). On an error the old ones stay.
  virtual Result<> reload() { return {}; }
  /// Listening end: accepts no further connection; those that are open go on.
  virtual void stop_accepting() {}
};

/// What a capability means when it is absent is the session's matter: no native close, then the
/// session's Ping finds out; no binding, then frames are sealed.
struct Capabilities {
  bool binding = false;          // binding() can be other than `none`
  bool native_close = false;     // a vanished peer is noticed by the channel itself
  bool dials_to_listen = false;  // by way of a third party; the broker's cage leaves it that
};

class Channel {
 public:
  virtual ~Channel() = default;
  virtual std::string_view name() const = 0;
  virtual std::vector<std::string_view> schemes() const = 0;
  virtual Capabilities capabilities() const = 0;
  /// Whether `uri` is well-formed, for a check before anything is opened; here,
  /// scheme://host:port…. Fails with `address_invalid`.
  virtual Result<> check_uri(std::string_view uri) const;
  /// `handler` outlives the result. Fails with `address_invalid`, `transport_insecure`,
  /// `config_invalid` (an option) or `connect_failed` (cannot bind).
  virtual Result<std::unique_ptr<Running>> listen(const Endpoint& endpoint,
                                                  Handler& handler) const = 0;
  /// Returns at once; the outcome is on_open or on_close.
  virtual Result<std::unique_ptr<Running>> dial(const Endpoint& endpoint,
                                                Handler& handler) const = 0;
};

}  // namespace sealwire::channel

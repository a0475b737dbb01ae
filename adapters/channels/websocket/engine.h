// What the WebSocket channel needs of the library, without the library: websocketpp compiles as
// C++17 only, so this header and what implements it know neither Result nor Bytes' spans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sealwire::channel::websocket {

struct Settings {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string path;
  std::vector<std::string> origins;  // listen: what a browser's page may come from
  std::string certificate_file;      // listen, TLS
  std::string private_key_file;      // listen, TLS
  std::string ca_file;               // dial, TLS; empty: the certificate is not checked
  std::size_t frame_bytes_before_proof = 0;
  std::size_t frame_bytes = 0;
  std::size_t buffered_bytes = 0;
  std::size_t connections = 0;
  std::size_t unproven = 0;
  std::size_t unproven_per_address = 0;
  std::uint64_t handshake_ms = 0;
  unsigned threads = 1;
};

enum class Taken : std::uint8_t { taken, full, closed };

enum class Ending : std::uint8_t {
  orderly,  // a close frame said so
  lost,     // the transport broke
  frame_too_large,
  protocol,        // not a binary message, or not WebSocket
  timeout,         // the peer did not take what was left within a second of the close
  connect_failed,  // a dialled connection never opened
};

/// One connection; the same promises as channel::Connection.
class Link {
 public:
  virtual ~Link() = default;
  virtual Taken send(std::vector<std::uint8_t> frame) = 0;
  virtual void promote() = 0;
  virtual void close(std::string reason) = 0;

  // Fixed from on_open on.
  std::vector<std::uint8_t> exporter;  // RFC 9266; empty without TLS
  std::string peer_address;
  // The channel's object for this link, from on_open to on_close.
  std::shared_ptr<void> owner;
};

/// The same promises as channel::Handler. `link` is null where a dialled connection never opened.
class Events {
 public:
  virtual ~Events() = default;
  virtual void on_open(const std::shared_ptr<Link>& link) = 0;
  virtual void on_bytes(Link& link, const std::uint8_t* data, std::size_t size) = 0;
  virtual void on_writable(Link& link) = 0;
  virtual void on_close(Link* link, Ending ending, const std::string& detail) = 0;
};

/// A listener or a dialled connection; the same promises as channel::Running.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::uint16_t port() const = 0;
  /// Empty, or what was wrong with the new certificate.
  virtual std::string reload() = 0;
  virtual void stop_accepting() = 0;
};

struct Started {
  std::unique_ptr<Engine> engine;  // null on an error
  bool configuration = false;      // the error is one of certificate or key, not of the network
  std::string error;
};

Started listen_plain(const Settings& settings, Events& events);
Started listen_tls(const Settings& settings, Events& events);
Started dial_plain(const Settings& settings, Events& events);
Started dial_tls(const Settings& settings, Events& events);

}  // namespace sealwire::channel::websocket

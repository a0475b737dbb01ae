// Carries bytes between a caged bridge's doors and the hosts that the operator named, with TLS and
// its keys on this side: for protocols that the host does not speak itself, such as MQTT.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/error.h"

namespace sealwire::bridge {

inline constexpr std::size_t kTunnelConnections = 8;  // of one bridge at a time

/// One place that a bridge may talk to.
struct Tunnel {
  std::string name;  // the option that tells the bridge its address
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
  std::string ca_file;    // by default the system's authorities
  std::string cert_file;  // PEM, certificate and key: what this side proves itself by
};

/// "tcp://HOST:PORT" or "tls://HOST:PORT?ca=FILE&cert=FILE". Fails with address_invalid.
[[nodiscard]] Result<Tunnel> parse_tunnel(const std::string& name, const std::string& uri);

class Tunnels {
 public:
  /// `listeners[i]` leads to `tunnels[i]`; they are this object's from now on, also when it fails
  /// (file_failed: a certificate cannot be read). `log` is called on a thread of this object's.
  [[nodiscard]] static Result<std::unique_ptr<Tunnels>> start(
      std::vector<Tunnel> tunnels, const std::vector<int>& listeners,
      std::function<void(const std::string&)> log);
  ~Tunnels();  // breaks off what is open
  Tunnels(const Tunnels&) = delete;
  Tunnels& operator=(const Tunnels&) = delete;

 private:
  struct Impl;
  explicit Tunnels(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::bridge

// Who may finish a handshake, with CURVE or in plaintext: our ZAP handler (RFC 27). It runs on the
// thread that owns the sockets, so the set of admitted keys needs no lock.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <zmq.hpp>

namespace sealwire::channel::zeromq {

inline constexpr const char* kDoorDomain = "sealwire.door";
inline constexpr const char* kDataDomain = "sealwire.data";

// Implementation limits of CURVE handshakes at the door, an address.
inline constexpr double kHandshakeBurst = 1024;
inline constexpr double kHandshakesPerSecond = 256;
inline constexpr std::size_t kAddressesMax = 65536;  // whose rate is remembered

class Admission {
 public:
  /// Before any socket of `context` is bound. May throw zmq::error_t.
  explicit Admission(zmq::context_t& context);

  zmq::socket_t& socket() { return socket_; }
  /// Answers the requests that wait. `full`: nobody else may pass the door now.
  void serve(bool full);
  /// `key` in hex.
  void admit(const std::string& key) { admitted_.insert(key); }
  void revoke(const std::string& key) { admitted_.erase(key); }

 private:
  bool decide(const std::string& domain, const std::string& address, const std::string& key,
              bool full);
  bool take_token(const std::string& address);

  struct Bucket {
    double tokens = kHandshakeBurst;
    double at_s = 0;
  };
  zmq::socket_t socket_;
  std::unordered_set<std::string> admitted_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace sealwire::channel::zeromq

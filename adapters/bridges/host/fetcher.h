// Makes the HTTP requests that a bridge asks for: to origins that the operator named and no other,
// with secrets that the bridge never sees.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/bridges/bridge.h"
#include "adapters/bridges/host/signature.h"
#include "protocol/secret.h"

namespace sealwire::bridge {

inline constexpr std::size_t kFetchedBytes = 1024 * 1024;  // of one answer's body

struct FetchSecret {
  SecretBytes value;
  std::string origin;
};

/// Signs every request to one origin (RFC 9421).
struct FetchSigner {
  std::string key_id;
  crypto::SigningKey key;
};

struct Egress {
  std::set<std::string> origins;  // "https://host" or "https://host:port", as origin_of gives them
  std::map<std::string, FetchSecret> secrets;
  std::map<std::string, FetchSigner> signers;  // by origin
};

/// Whether an address is one of the public Internet: not loopback, private, link-local, multicast,
/// reserved, or any of those within IPv6 (RFC 6890).
bool is_public(const sockaddr& address);

/// Scheme, host and port of an http or https URL, in one spelling; fails with address_invalid, also
/// where the URL carries a user's name.
[[nodiscard]] Result<std::string> origin_of(const std::string& url);

class Fetcher {
 public:
  /// `done` is called from a thread of this object's.
  Fetcher(Egress egress, std::function<void(Fetched)> done);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;
  ~Fetcher();  // ends what is under way

  /// Returns at once. More than kFetchesOpen at a time are refused, through `done` too.
  void fetch(Fetch fetch);

 private:
  Fetched perform(const Fetch& fetch) const;
  [[nodiscard]] Result<std::string> insert_secrets(std::string text,
                                                   const std::string& origin) const;
  void hide_secrets(Bytes& body) const;

  const Egress egress_;
  const std::function<void(Fetched)> done_;
  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  std::vector<std::pair<std::thread, std::shared_ptr<std::atomic<bool>>>> open_;
};

}  // namespace sealwire::bridge

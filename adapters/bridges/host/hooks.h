// Takes HTTP requests of the world for a bridge, which has no network: the bridge is told of those
// that prove where they come from, and of no other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "adapters/bridges/bridge.h"
#include "adapters/bridges/host/signature.h"
#include "protocol/secret.h"

namespace sealwire::bridge {

inline constexpr std::size_t kHookBytes = 1024 * 1024;  // of one request's body
inline constexpr std::size_t kHooksOpen = 16;           // connections at a time

/// A header that has to have this value: what Telegram calls its secret token.
struct HookSecret {
  std::string header;  // in lower case
  SecretBytes value;
};

/// A request is authentic by the secret's header or by a signature of one of the keys (RFC 9421).
struct HookOptions {
  std::string listen;      // "ADDRESS:PORT"
  std::string public_url;  // what callers call us, without a path; by default that address
  std::optional<HookSecret> secret;
  std::map<std::string, VerifyKey> keys;  // by key id
};

/// How requests ended that no bridge was told of.
struct HookCounts {
  std::uint64_t forged = 0;
  std::uint64_t unusable = 0;  // too long, another method, broken off
};

class Hooks {
 public:
  /// `came` is called on this object's thread, must not wait, and is answered through `answer`.
  /// Fails with config_invalid (nothing to authenticate by), address_invalid or connect_failed.
  [[nodiscard]] static Result<std::unique_ptr<Hooks>> start(HookOptions options,
                                                            std::function<void(Hook)> came);
  ~Hooks();  // breaks off what is open
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

  /// From any thread; a second answer, or one that nobody waits for any more, is passed over.
  void answer(const Hooked& hooked);
  /// 503 to all that wait: the bridge ended.
  void interrupt();
  HookCounts counts() const;
  /// "http://ADDRESS:PORT", with the port that was really bound.
  std::string url() const;

 private:
  struct Impl;
  explicit Hooks(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::bridge

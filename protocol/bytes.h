// Byte strings and fixed-size values. Every fixed-size value is a type of its own, so that a key
// cannot be passed where an id is meant.
#pragma once

#include <sodium.h>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sealwire {

using Bytes = std::vector<std::uint8_t>;
using ByteSpan = std::span<const std::uint8_t>;

inline ByteSpan as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteSpan bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Equality whose time depends on the lengths only.
inline bool equal_constant_time(ByteSpan a, ByteSpan b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// `N` bytes with a meaning: `Tag` is what the bytes are.
template <class Tag, std::size_t N>
struct Opaque {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> bytes{};

  /// Empty when `from` is not exactly N bytes long.
  static std::optional<Opaque> from(ByteSpan from) {
    if (from.size() != N) return std::nullopt;
    Opaque value;
    std::copy(from.begin(), from.end(), value.bytes.begin());
    return value;
  }
  ByteSpan span() const { return bytes; }
  operator ByteSpan() const { return bytes; }  // NOLINT(google-explicit-constructor)
  bool is_zero() const { return sodium_is_zero(bytes.data(), N) == 1; }
  friend auto operator<=>(const Opaque&, const Opaque&) = default;
};

using Digest = Opaque<struct DigestTag, 32>;              ///< BLAKE2b-256
using Signature = Opaque<struct SignatureTag, 64>;        ///< Ed25519
using InstanceKey = Opaque<struct InstanceKeyTag, 32>;    ///< Ed25519 public key of an instance
using BrokerKey = Opaque<struct BrokerKeyTag, 32>;        ///< Ed25519 public key of a broker
using InviteKey = Opaque<struct InviteKeyTag, 32>;        ///< Ed25519 public key of an invite
using EphemeralKey = Opaque<struct EphemeralKeyTag, 32>;  ///< X25519 public key of one handshake
using PrekeyKey = Opaque<struct PrekeyKeyTag, 32>;        ///< X25519 public key for sealed letters
using Nonce = Opaque<struct NonceTag, 32>;                ///< of one handshake
using AgentId = Opaque<struct AgentIdTag, 32>;            ///< hash of a signed inception statement
using ConversationId = Opaque<struct ConversationIdTag, 16>;
using EnvelopeId = Opaque<struct EnvelopeIdTag, 16>;  ///< UUIDv7 (RFC 9562)
using SessionId = Opaque<struct SessionIdTag, 16>;
using BrokerIncarnation = Opaque<struct BrokerIncarnationTag, 16>;

}  // namespace sealwire

/// Values are attacker-chosen: containers keyed by them use this with std::hash's default mixing of
/// all bytes, so that colliding low bytes do not collide buckets.
template <class Tag, std::size_t N>
struct std::hash<sealwire::Opaque<Tag, N>> {
  std::size_t operator()(const sealwire::Opaque<Tag, N>& value) const noexcept {
    return std::hash<std::string_view>{}(sealwire::as_text(value.bytes));
  }
};

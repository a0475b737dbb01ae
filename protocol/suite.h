// Suites: which algorithms a signed thing uses. A peer's suite may only rise from what is pinned.
#pragma once

#include <cstdint>

namespace sealwire {

/// Suite 1: Ed25519, X25519, BLAKE2b-256, ChaCha20-Poly1305; MLS cipher suite 0x0003.
inline constexpr std::uint16_t kSuite = 1;

}  // namespace sealwire

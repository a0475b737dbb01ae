// Randomness is an argument: protocol code never reaches for a source of its own.
#pragma once

#include "protocol/secret.h"

namespace sealwire {

/// A source of cryptographically secure bytes. Production uses `SystemRandom`; tests and the
/// simulator a seeded one.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  template <class OpaqueType>
  OpaqueType make() {
    OpaqueType value;
    fill(value.bytes);
    return value;
  }
  template <std::size_t N>
  Secret<N> secret() {
    Secret<N> value;
    fill(value.mutable_span());
    return value;
  }
};

}  // namespace sealwire

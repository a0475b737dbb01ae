// Handshakes of one network address: a token bucket each, in a table that has a bound.
#pragma once

#include <string>
#include <unordered_map>

#include "broker/rate.h"

namespace sealwire::broker {

/// Not thread-safe.
class HandshakeLimit {
 public:
  HandshakeLimit(Rate rate, std::size_t addresses_max)
      : rate_(rate), addresses_max_(addresses_max) {}

  /// Whether `address` may begin one more handshake. An empty address (an in-process channel) is
  /// not limited. When the table is full and nobody in it has rested, a new address is refused: a
  /// flood from very many addresses must not grow memory.
  bool allow(const std::string& address, UnixMillis now);
  std::size_t addresses() const { return buckets_.size(); }

 private:
  Rate rate_;
  std::size_t addresses_max_;
  std::unordered_map<std::string, TokenBucket> buckets_;
  UnixMillis swept_;
};

}  // namespace sealwire::broker

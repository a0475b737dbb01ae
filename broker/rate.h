// A token bucket: what an agent or an address may do in a while.
#pragma once

#include <algorithm>

#include "broker/router_config.h"
#include "protocol/time.h"

namespace sealwire::broker {

class TokenBucket {
 public:
  /// Takes `count` tokens if they are there. A bucket is full at first; a clock that is set
  /// back adds nothing.
  bool take(const Rate& rate, double count, UnixMillis now) {
    fill(rate, now);
    if (tokens_ < count) return false;
    tokens_ -= count;
    return true;
  }
  bool full(const Rate& rate, UnixMillis now) {
    fill(rate, now);
    return tokens_ >= rate.burst;
  }

 private:
  void fill(const Rate& rate, UnixMillis now) {
    if (!used_) {
      tokens_ = rate.burst;
      used_ = true;
    } else if (now > filled_) {
      const double seconds = static_cast<double>(now.value - filled_.value) / kSecondMs;
      tokens_ = std::min(rate.burst, tokens_ + seconds * rate.per_second);
    }
    filled_ = now;
  }
  double tokens_ = 0;
  UnixMillis filled_;
  bool used_ = false;
};

}  // namespace sealwire::broker

// The time of this machine, as the protocol counts it.
#pragma once

#include <chrono>

#include "protocol/time.h"

namespace sealwire {

inline UnixMillis wall_clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
}

}  // namespace sealwire

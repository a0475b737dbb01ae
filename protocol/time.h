// Time is an argument too: milliseconds since the Unix epoch, UTC.
#pragma once

#include <compare>
#include <cstdint>

namespace sealwire {

struct UnixMillis {
  std::uint64_t value = 0;
  friend auto operator<=>(UnixMillis, UnixMillis) = default;
  UnixMillis operator+(std::uint64_t ms) const { return {value + ms}; }
  UnixMillis operator-(std::uint64_t ms) const { return {value < ms ? 0 : value - ms}; }
};

inline constexpr std::uint64_t kSecondMs = 1000;
inline constexpr std::uint64_t kMinuteMs = 60 * kSecondMs;
inline constexpr std::uint64_t kHourMs = 60 * kMinuteMs;
inline constexpr std::uint64_t kDayMs = 24 * kHourMs;

}  // namespace sealwire

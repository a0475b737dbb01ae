// Bytes, and the few ways in which the suite joins and shows them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conformance {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

inline Bytes bytes_of(std::string_view text) {
  return Bytes(text.begin(), text.end());
}
inline Bytes copy(View view) {
  return Bytes(view.begin(), view.end());
}

inline Bytes operator+(Bytes left, View right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Unsigned big-endian, as SPEC chapter 0 writes numbers outside FlatBuffers.
inline Bytes big_endian(std::uint64_t value, int bytes) {
  Bytes out;
  for (int i = bytes - 1; i >= 0; --i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return out;
}

std::string hex(View bytes);
Bytes unhex(std::string_view text);  // throws Failure

/// What `bytes` are with one bit of byte `at` turned over; negative counts from the end.
inline Bytes flipped(Bytes bytes, int at) {
  bytes.at(at < 0 ? bytes.size() + at : at) ^= 1;
  return bytes;
}

}  // namespace conformance

// How far a plaintext is filled up, so that its length says little.
#pragma once

#include <bit>
#include <cstddef>

namespace sealwire {

/// Padmé (PURBs, PETS 2019, section 4): at most 12 % more, and only O(log log size) bits of the
/// length show.
constexpr std::size_t padme(std::size_t size) {
  if (size < 2) return size;
  const int exponent = std::bit_width(size) - 1;
  const int last_bits =
      exponent - static_cast<int>(std::bit_width(static_cast<unsigned>(exponent)));
  if (last_bits <= 0) return size;
  const std::size_t mask = (std::size_t{1} << last_bits) - 1;
  return (size + mask) & ~mask;
}

}  // namespace sealwire

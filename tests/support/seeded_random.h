// A reproducible source of randomness for tests: ChaCha20 under a seed that tests print.
#pragma once

#include "protocol/random.h"

namespace sealwire::test {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) {
    for (std::size_t i = 0; i < 8; ++i)
      seed_[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  }
  void fill(std::span<std::uint8_t> out) override {
    // One call, one block sequence: the counter goes into the seed's other half.
    for (std::size_t i = 0; i < 8; ++i)
      seed_[8 + i] = static_cast<std::uint8_t>(calls_ >> (8 * i));
    ++calls_;
    randombytes_buf_deterministic(out.data(), out.size(), seed_.data());
  }

 private:
  std::array<unsigned char, randombytes_SEEDBYTES> seed_{};
  std::uint64_t calls_ = 0;
};

}  // namespace sealwire::test

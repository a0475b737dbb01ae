// Frames that tell a test which they are, and the limits that the suite's tests set.
#pragma once

#include "adapters/channels/contract_suite.h"

namespace sealwire::channel::contract {

inline constexpr std::size_t kSmallFrames = 16 * 1024;
inline constexpr std::size_t kLargeFrames = 1024 * 1024;

inline Limits small_limits() {
  Limits limits;
  limits.frame_bytes_before_proof = kSmallFrames;
  limits.frame_bytes = kLargeFrames;
  return limits;
}

// A peer whose own limits do not keep it from sending what the other end refuses.
inline Limits unbounded_limits() {
  Limits limits;
  limits.frame_bytes_before_proof = limits.frame_bytes = 2 * kLargeFrames;
  return limits;
}

inline Bytes numbered(std::size_t size, std::uint32_t number) {
  Bytes frame(size, static_cast<std::uint8_t>(number * 31 + size));
  for (std::size_t i = 0; i < 4 && i < size; ++i)
    frame[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return frame;
}

inline std::uint32_t number_of(const Bytes& frame) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number |= static_cast<std::uint32_t>(frame.at(i)) << (8 * i);
  return number;
}

// Equality without printing megabytes when it fails.
inline void expect_frames(const std::vector<Bytes>& got, const std::vector<Bytes>& sent) {
  ASSERT_EQ(got.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_TRUE(got[i] == sent[i])
        << "frame " << i << ": " << got[i].size() << " bytes for " << sent[i].size();
  }
}

inline void exchange(const ConnectionPtr& from, Recorder& to_at, const ConnectionPtr& to,
                     const std::vector<std::size_t>& sizes) {
  std::vector<Bytes> sent;
  for (const auto size : sizes) {
    sent.push_back(numbered(size, static_cast<std::uint32_t>(sent.size())));
    ASSERT_EQ(send_patiently(from, sent.back()), Sent::taken);
  }
  expect_frames(to_at.wait_frames(to, sent.size()), sent);
}

}  // namespace sealwire::channel::contract

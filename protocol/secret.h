// Secrets: move-only, zeroised when they go, never printed.
#pragma once

#include <sodium.h>

#include <array>
#include <utility>

#include "protocol/bytes.h"

namespace sealwire {

/// `N` secret bytes held inline. `sodium_malloc` is not used: it costs 37 µs and fails after some
/// 16,000 blocks.
template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;
  Secret() = default;
  explicit Secret(std::span<const std::uint8_t, N> from) {
    std::copy(from.begin(), from.end(), bytes_.begin());
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  static std::optional<Secret> from(ByteSpan from) {
    if (from.size() != N) return std::nullopt;
    return Secret(from.first<N>());
  }
  /// A second copy, made on purpose.
  Secret clone() const { return Secret(std::span<const std::uint8_t, N>(bytes_)); }
  ByteSpan span() const { return bytes_; }
  std::span<std::uint8_t, N> mutable_span() { return bytes_; }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::uint8_t* data() { return bytes_.data(); }

 private:
  void wipe() { sodium_memzero(bytes_.data(), N); }
  std::array<std::uint8_t, N> bytes_{};
};

/// Secret bytes whose length is known at run time only.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(Bytes bytes) : bytes_(std::move(bytes)) {}
  explicit SecretBytes(ByteSpan bytes) : bytes_(bytes.begin(), bytes.end()) {}
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {
    other.bytes_.clear();
  }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(); }

  SecretBytes clone() const { return SecretBytes(span()); }
  ByteSpan span() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  void wipe() {
    if (!bytes_.empty()) sodium_memzero(bytes_.data(), bytes_.size());
  }
  Bytes bytes_;
};

}  // namespace sealwire

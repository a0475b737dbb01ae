// The encoding of what a state row holds: fields one after the other, integers little-endian, byte
// strings preceded by their length. Local to this machine; the first byte of a record is its
// version.
#pragma once

#include <string>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/secret.h"

namespace sealwire::sdk {

/// What it held is wiped unless it is taken.
class Writer {
 public:
  explicit Writer(std::uint8_t version = 1) { u8(version); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { wipe(); }
  Writer& u8(std::uint8_t value) { return integer(value, 1); }
  Writer& u32(std::uint32_t value) { return integer(value, 4); }
  Writer& u64(std::uint64_t value) { return integer(value, 8); }
  Writer& flag(bool value) { return u8(value ? 1 : 0); }
  Writer& bytes(ByteSpan value) {
    u32(static_cast<std::uint32_t>(value.size()));
    return raw(value);
  }
  Writer& text(std::string_view value) { return bytes(as_bytes(value)); }
  Writer& raw(ByteSpan value) {
    if (out_.size() + value.size() > out_.capacity()) reserve(2 * (out_.size() + value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
    return *this;
  }
  void reserve(std::size_t size) {
    if (size <= out_.capacity()) return;
    Bytes larger;
    larger.reserve(std::max<std::size_t>(size, 256));
    larger.insert(larger.end(), out_.begin(), out_.end());
    wipe();  // growing in place would leave a copy behind
    out_ = std::move(larger);
  }
  SecretBytes take() && { return SecretBytes(std::exchange(out_, {})); }

 private:
  void wipe() {
    if (!out_.empty()) sodium_memzero(out_.data(), out_.size());
  }
  Writer& integer(std::uint64_t value, unsigned size) {
    std::array<std::uint8_t, 8> bytes{};
    for (unsigned i = 0; i < size; ++i)
      bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
    return raw(ByteSpan(bytes).first(size));
  }
  Bytes out_;
};

/// Reads what Writer wrote. After a field that is not there every further one is empty; `done`
/// tells in the end.
class Reader {
 public:
  explicit Reader(ByteSpan in, std::uint8_t version = 1) : in_(in) {
    if (u8() != version) failed_ = true;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return integer(8); }
  bool flag() { return u8() == 1; }
  ByteSpan bytes() { return raw(u32()); }
  std::string text() { return std::string(as_text(bytes())); }
  template <class OpaqueType>
  OpaqueType opaque() {
    return OpaqueType::from(raw(OpaqueType::kSize)).value_or(OpaqueType{});
  }
  template <std::size_t N>
  Secret<N> secret() {
    return Secret<N>::from(raw(N)).value_or(Secret<N>());
  }
  /// Everything was there, and nothing more.
  [[nodiscard]] Result<> done(std::string_view what) const {
    if (failed_ || !in_.empty())
      return fail(Errc::state_corrupt, "a row of " + std::string(what) + " is damaged");
    return {};
  }

 private:
  ByteSpan raw(std::size_t size) {
    if (failed_ || size > in_.size()) {
      failed_ = true;
      return {};
    }
    const ByteSpan result = in_.first(size);
    in_ = in_.subspan(size);
    return result;
  }
  std::uint64_t integer(unsigned size) {
    const ByteSpan from = raw(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < from.size(); ++i)
      value |= std::uint64_t{from[i]} << (8 * i);
    return value;
  }
  ByteSpan in_;
  bool failed_ = false;
};

}  // namespace sealwire::sdk

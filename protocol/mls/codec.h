// The TLS presentation language as MLS uses it (RFC 9420 section 2.1): one description of a
// struct's fields both writes and reads it. What is read has exactly one encoding.
#pragma once

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/limits.h"
#include "protocol/secret.h"

/// The fields of a struct, in the order of the RFC.
#define SW_MLS_FIELDS(...)        \
  auto fields() {                 \
    return std::tie(__VA_ARGS__); \
  }                               \
  auto fields() const {           \
    return std::tie(__VA_ARGS__); \
  }

namespace sealwire::mls {

/// No vector of structs has more elements: an element may be far larger in memory than on the wire.
inline constexpr std::size_t kVectorElements = 2 * limits::kTreeLeaves;

class Writer;
class Reader;

template <class T>
concept HasFields = requires(const T& value) {
  value.fields();
};
template <class T>
concept HasCodec = requires(const T& value, T& target, Writer& writer, Reader& reader) {
  value.write(writer);
  { target.read(reader) } -> std::same_as<bool>;
};

/// Collects an encoding. What it held is wiped unless it is taken.
class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { wipe(out_); }

  void raw(ByteSpan bytes) {
    grow(bytes.size());
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  /// `opaque<V>`: length as a variable-size integer, then the bytes.
  void opaque(ByteSpan bytes) {
    length(bytes.size());
    raw(bytes);
  }
  template <class... T>
  void put(const T&... values) {
    (put_one(values), ...);
  }
  /// A `<V>` vector whose content `fill` writes.
  template <class Fill>
  void vector(Fill fill) {
    const std::size_t start = out_.size();
    fill();
    const std::size_t size = out_.size() - start;
    std::uint8_t header[4];
    const std::size_t header_size = encode_length(size, header);
    grow(header_size);
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(start), header, header + header_size);
  }
  std::size_t size() const { return out_.size(); }
  void pad_to(std::size_t size) {
    if (size <= out_.size()) return;
    grow(size - out_.size());
    out_.resize(size);
  }
  ByteSpan span() const { return out_; }
  Bytes take() { return std::exchange(out_, {}); }
  SecretBytes take_secret() { return SecretBytes(take()); }

 private:
  static void wipe(Bytes& bytes) {
    if (!bytes.empty()) sodium_memzero(bytes.data(), bytes.size());
  }
  void grow(std::size_t more) {
    if (out_.size() + more <= out_.capacity()) return;
    Bytes larger;
    larger.reserve(std::max<std::size_t>(256, 2 * (out_.size() + more)));
    larger = append_all(std::move(larger), out_);
    wipe(out_);
    out_ = std::move(larger);
  }
  static Bytes append_all(Bytes to, const Bytes& from) {
    to.insert(to.end(), from.begin(), from.end());
    return to;
  }
  static std::size_t encode_length(std::size_t size, std::uint8_t (&header)[4]) {
    if (size >= (std::size_t{1} << 30)) std::abort();  // our own limits are far below
    if (size < 64) {
      header[0] = static_cast<std::uint8_t>(size);
      return 1;
    }
    if (size < 16384) {
      header[0] = static_cast<std::uint8_t>(0x40 | (size >> 8));
      header[1] = static_cast<std::uint8_t>(size);
      return 2;
    }
    header[0] = static_cast<std::uint8_t>(0x80 | (size >> 24));
    header[1] = static_cast<std::uint8_t>(size >> 16);
    header[2] = static_cast<std::uint8_t>(size >> 8);
    header[3] = static_cast<std::uint8_t>(size);
    return 4;
  }
  void length(std::size_t size) {
    std::uint8_t header[4];
    raw(ByteSpan(header, encode_length(size, header)));
  }
  template <class T>
  void integer(T number) {
    std::uint8_t bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes[i] = static_cast<std::uint8_t>(number >> (8 * (sizeof(T) - 1 - i)));
    raw(bytes);
  }

  template <class T>
  void put_one(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      integer(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_same_v<T, bool>) {
      integer(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_unsigned_v<T>) {
      integer(value);
    } else if constexpr (HasCodec<T>) {
      value.write(*this);
    } else if constexpr (HasFields<T>) {
      std::apply([this](const auto&... field) { this->put(field...); }, value.fields());
    } else {
      put_library(value);
    }
  }
  void put_library(const Bytes& bytes) { opaque(bytes); }
  void put_library(const SecretBytes& bytes) { opaque(bytes.span()); }
  template <std::size_t N>
  void put_library(const Secret<N>& secret) {
    opaque(secret.span());
  }
  template <class Tag, std::size_t N>
  void put_library(const Opaque<Tag, N>& bytes) {
    opaque(bytes.span());
  }
  template <std::size_t N>
  void put_library(const std::array<std::uint8_t, N>& bytes) {
    raw(bytes);
  }
  template <class T>
  void put_library(const std::optional<T>& value) {
    integer(static_cast<std::uint8_t>(value.has_value()));
    if (value) put_one(*value);
  }
  template <class T>
  void put_library(const std::vector<T>& elements) {
    vector([&] {
      for (const T& element : elements)
        put_one(element);
    });
  }

  Bytes out_;
};

/// Reads within its bytes only; every method is false, and the value then meaningless, where the
/// bytes are not an encoding of what was asked.
class Reader {
 public:
  explicit Reader(ByteSpan in, std::size_t vector_bytes = limits::kMlsVectorBytes)
      : in_(in), vector_bytes_(vector_bytes) {}

  bool empty() const { return in_.empty(); }
  /// A reader of a part, with the same bound on vectors.
  Reader inside(ByteSpan part) const { return Reader(part, vector_bytes_); }
  ByteSpan rest() const { return in_; }
  template <class... T>
  bool get(T&... values) {
    return (get_one(values) && ...);
  }
  bool raw(std::size_t size, ByteSpan& out) {
    if (in_.size() < size) return false;
    out = in_.first(size);
    in_ = in_.subspan(size);
    return true;
  }
  bool opaque(ByteSpan& out) {
    std::size_t size = 0;
    return length(size) && raw(size, out);
  }
  /// A variable-size length (RFC 9000 section 16 without 8-byte form): minimal, and within bounds.
  bool length(std::size_t& out) {
    std::uint8_t first = 0;
    if (!integer(first)) return false;
    std::size_t size = first & 0x3f;
    const unsigned prefix = first >> 6;
    if (prefix == 3) return false;
    const std::size_t more = prefix == 0 ? 0 : prefix == 1 ? 1 : 3;
    for (std::size_t i = 0; i < more; ++i) {
      std::uint8_t next = 0;
      if (!integer(next)) return false;
      size = (size << 8) | next;
    }
    if ((prefix == 1 && size < 64) || (prefix == 2 && size < 16384)) return false;
    if (size > vector_bytes_) return false;
    out = size;
    return true;
  }

 private:
  template <class T>
  bool integer(T& out) {
    ByteSpan bytes;
    if (!raw(sizeof(T), bytes)) return false;
    std::uint64_t number = 0;
    for (const std::uint8_t byte : bytes)
      number = (number << 8) | byte;
    out = static_cast<T>(number);
    return true;
  }
  template <class T>
  bool get_one(T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> number{};
      if (!integer(number)) return false;
      value = static_cast<T>(number);
      return true;
    } else if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t number = 0;
      if (!integer(number) || number > 1) return false;
      value = number == 1;
      return true;
    } else if constexpr (std::is_unsigned_v<T>) {
      return integer(value);
    } else if constexpr (HasCodec<T>) {
      return value.read(*this);
    } else if constexpr (HasFields<T>) {
      return std::apply([this](auto&... field) { return this->get(field...); }, value.fields());
    } else {
      return get_library(value);
    }
  }
  bool get_library(Bytes& out) {
    ByteSpan bytes;
    if (!opaque(bytes)) return false;
    out.assign(bytes.begin(), bytes.end());
    return true;
  }
  bool get_library(SecretBytes& out) {
    ByteSpan bytes;
    if (!opaque(bytes)) return false;
    out = SecretBytes(bytes);
    return true;
  }
  template <std::size_t N>
  bool get_library(Secret<N>& out) {
    ByteSpan bytes;
    if (!opaque(bytes) || bytes.size() != N) return false;
    std::copy(bytes.begin(), bytes.end(), out.data());
    return true;
  }
  template <class Tag, std::size_t N>
  bool get_library(Opaque<Tag, N>& out) {
    ByteSpan bytes;
    if (!opaque(bytes) || bytes.size() != N) return false;
    std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
    return true;
  }
  template <std::size_t N>
  bool get_library(std::array<std::uint8_t, N>& out) {
    ByteSpan bytes;
    if (!raw(N, bytes)) return false;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return true;
  }
  template <class T>
  bool get_library(std::optional<T>& out) {
    std::uint8_t present = 0;
    if (!integer(present) || present > 1) return false;
    out.reset();
    return present == 0 || get_one(out.emplace());
  }
  template <class T>
  bool get_library(std::vector<T>& out) {
    ByteSpan bytes;
    if (!opaque(bytes)) return false;
    out.clear();
    Reader inner = inside(bytes);
    while (!inner.empty()) {
      if (out.size() == kVectorElements || !inner.get(out.emplace_back())) return false;
    }
    return true;
  }

  ByteSpan in_;
  std::size_t vector_bytes_;
};

template <class T>
Bytes encode(const T& value) {
  Writer writer;
  writer.put(value);
  return writer.take();
}

/// Reads exactly one T; what follows it is an error.
template <class T>
Result<T> decode(ByteSpan bytes, std::string_view what) {
  Reader reader(bytes);
  T value;
  if (!reader.get(value)) return fail(Errc::mls_malformed, std::string(what));
  if (!reader.empty())
    return fail(Errc::mls_malformed, std::string(what) + ": bytes after its end");
  return value;
}

}  // namespace sealwire::mls

// The official MLS vectors: hex, files, and the count of what ran.
#pragma once

#include "protocol/mls/suite.h"
#include "tests/support/vectors.h"

namespace sealwire::mls::test {

using nlohmann::json;

inline Bytes hex(const std::string& text) {
  Bytes out(text.size() / 2);
  if (text.empty()) return out;
  std::size_t size = 0;
  if (sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size, nullptr) !=
          0 ||
      size != out.size())
    throw std::invalid_argument("not hex");
  return out;
}
inline Bytes hex(const json& value) {
  return hex(value.get<std::string>());
}

template <std::size_t N = 32>
Secret<N> secret(const json& value) {
  return Secret<N>::from(hex(value)).value();
}
inline Bytes bytes(ByteSpan span) {
  return to_bytes(span);
}

template <std::size_t N>
Bytes bytes(const Secret<N>& value) {
  return to_bytes(value.span());
}

/// Runs `check` on every case of a file of the folder mls/, and says how many there were.
template <class Check>
void for_each_case(const std::string& file, Check check) {
  const auto cases = sealwire::test::load_vectors("mls/" + file);
  if (!cases) return;
  std::size_t count = 0;
  for (const json& vector : *cases) {
    SCOPED_TRACE(file + " case " + std::to_string(count));
    check(vector);
    ++count;
  }
  ASSERT_GT(count, 0u) << file << " holds no case";
  if (!::testing::Test::HasFailure())
    std::cout << "mls vectors: " << count << " cases passed (" << file << ")\n";
}

}  // namespace sealwire::mls::test

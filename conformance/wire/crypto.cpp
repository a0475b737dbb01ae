#include "conformance/wire/crypto.h"

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "conformance/runner/failure.h"

namespace conformance {

std::string hex(View bytes) {
  std::string out(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), bytes.data(), bytes.size());
  out.pop_back();
  return out;
}

Bytes unhex(std::string_view text) {
  Bytes out(text.size() / 2);
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size, &end) != 0 ||
      end != text.data() + text.size())
    throw Failure("not hexadecimal: " + std::string(text));
  return out;
}

Bytes random_bytes(std::size_t count) {
  Bytes out(count);
  randombytes_buf(out.data(), out.size());
  return out;
}

std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

void sleep_until_ms(std::uint64_t when) {
  for (std::uint64_t now = now_ms(); now < when; now = now_ms())
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min<std::uint64_t>(when - now, 50)));
}

Bytes hash(View data) {
  Bytes out(32);
  crypto_generichash(out.data(), out.size(), data.data(), data.size(), nullptr, 0);
  return out;
}

Bytes labelled(std::string_view label, std::initializer_list<View> parts) {
  Bytes out = big_endian(label.size(), 4) + bytes_of(label);
  for (const View part : parts)
    out = std::move(out) + big_endian(part.size(), 4) + part;
  return out;
}

namespace {
struct Pair {
  Bytes key = Bytes(crypto_sign_PUBLICKEYBYTES), secret = Bytes(crypto_sign_SECRETKEYBYTES);
  explicit Pair(View seed) { crypto_sign_seed_keypair(key.data(), secret.data(), seed.data()); }
};
}  // namespace

Bytes public_key(View seed) {
  return Pair(seed).key;
}

Bytes sign(View seed, View message) {
  Bytes out(crypto_sign_BYTES);
  crypto_sign_detached(out.data(), nullptr, message.data(), message.size(),
                       Pair(seed).secret.data());
  return out;
}

bool verify(View key, View message, View signature) {
  return key.size() == 32 && signature.size() == 64 &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

AgreementKey make_agreement_key() {
  AgreementKey pair{random_bytes(32), Bytes(32)};
  crypto_scalarmult_base(pair.key.data(), pair.secret.data());
  return pair;
}

std::optional<Bytes> agree(View secret, View peer) {
  Bytes out(32);
  if (peer.size() != 32 || crypto_scalarmult(out.data(), secret.data(), peer.data()) != 0)
    return std::nullopt;
  return out;
}

Bytes hmac(View key, View message) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, message.data(), message.size());
  Bytes out(32);
  crypto_auth_hmacsha256_final(&state, out.data());
  return out;
}

Bytes hkdf(View salt, View ikm, View info, std::size_t size) {
  return expand(hmac(salt, ikm), info, size);
}

Bytes expand(View prk, View info, std::size_t size) {
  Bytes okm, block;
  for (std::uint8_t i = 1; okm.size() < size; ++i) {
    block = hmac(prk, std::move(block) + info + Bytes{i});
    okm = std::move(okm) + block;
  }
  okm.resize(size);
  return okm;
}

namespace {
Bytes nonce_of(std::uint64_t counter) {
  return Bytes(4) + big_endian(counter, 8);
}
}  // namespace

Bytes aead_seal(View key, std::uint64_t counter, View text) {
  Bytes out(text.size() + 16);
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, text.data(), text.size(), nullptr,
                                            0, nullptr, nonce_of(counter).data(), key.data());
  return out;
}

std::optional<Bytes> aead_open(View key, std::uint64_t counter, View sealed) {
  if (sealed.size() < 16) return std::nullopt;
  Bytes out(sealed.size() - 16);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(),
                                                sealed.size(), nullptr, 0, nonce_of(counter).data(),
                                                key.data()) != 0)
    return std::nullopt;
  return out;
}

Bytes uuid7(std::uint64_t at_ms) {
  Bytes id = big_endian(at_ms, 6) + random_bytes(10);
  id[6] = static_cast<std::uint8_t>(0x70 | (id[6] & 0x0f));
  id[8] = static_cast<std::uint8_t>(0x80 | (id[8] & 0x3f));
  return id;
}

std::string base58(View raw) {
  static constexpr char kDigits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::vector<int> digits;  // least significant first
  for (int carry : raw) {
    for (int& digit : digits) {
      carry += digit << 8;
      digit = carry % 58;
      carry /= 58;
    }
    for (; carry != 0; carry /= 58)
      digits.push_back(carry % 58);
  }
  std::string text;
  for (std::size_t i = 0; i < raw.size() && raw[i] == 0; ++i)
    text += '1';
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit)
    text += kDigits[*digit];
  return text;
}

std::string did_key(View key) {
  return "did:key:z" + base58(Bytes{0xed, 0x01} + key);
}
std::string agent_text(View id) {
  return "agent:z" + base58(id);
}

}  // namespace conformance

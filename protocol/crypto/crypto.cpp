#include "protocol/crypto/crypto.h"

#include <cstdlib>

namespace sealwire::crypto {

void initialise() {
  if (sodium_init() < 0) std::abort();  // no secure randomness: nothing here may run
}

namespace {

// libsodium wants a pointer also where there is nothing to point at.
const std::uint8_t* pointer(ByteSpan bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

}  // namespace

Digest blake2b(ByteSpan data) {
  Digest digest;
  crypto_generichash(digest.bytes.data(), digest.bytes.size(), data.data(), data.size(), nullptr,
                     0);
  return digest;
}

Sha256 sha256(ByteSpan data) {
  Sha256 digest;
  crypto_hash_sha256(digest.bytes.data(), data.data(), data.size());
  return digest;
}

Sha256 hmac_sha256(ByteSpan key, ByteSpan data) {
  Sha256 tag;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, pointer(key), key.size());
  crypto_auth_hmacsha256_update(&state, data.data(), data.size());
  crypto_auth_hmacsha256_final(&state, tag.bytes.data());
  sodium_memzero(&state, sizeof state);
  return tag;
}

Secret<32> hkdf_extract(ByteSpan salt, ByteSpan ikm) {
  Sha256 prk = hmac_sha256(salt, ikm);
  Secret<32> result{std::span<const std::uint8_t, 32>(prk.bytes)};
  sodium_memzero(prk.bytes.data(), prk.bytes.size());
  return result;
}

SecretBytes hkdf_expand(ByteSpan prk, ByteSpan info, std::size_t size) {
  Bytes output(size);
  hkdf_expand(prk, info, output);
  return SecretBytes(std::move(output));
}

void hkdf_expand(ByteSpan prk, ByteSpan info, std::span<std::uint8_t> out) {
  if (out.size() > 255 * 32) std::abort();  // RFC 5869 section 2.3: a caller's mistake
  Secret<32> block;
  std::size_t done = 0;
  for (std::uint8_t counter = 1; done < out.size(); ++counter) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, pointer(prk), prk.size());
    if (counter > 1) crypto_auth_hmacsha256_update(&state, block.data(), 32);
    crypto_auth_hmacsha256_update(&state, info.data(), info.size());
    crypto_auth_hmacsha256_update(&state, &counter, 1);
    crypto_auth_hmacsha256_final(&state, block.data());
    sodium_memzero(&state, sizeof state);
    const std::size_t take = std::min<std::size_t>(32, out.size() - done);
    std::copy_n(block.data(), take, out.data() + done);
    done += take;
  }
}

SigningKey SigningKey::from_seed(const SigningSeed& seed) {
  SigningKey key;
  crypto_sign_seed_keypair(key.public_.data(), key.secret_.data(), seed.data());
  return key;
}

SigningKey SigningKey::generate(Random& random) {
  return from_seed(random.secret<32>());
}

Signature SigningKey::sign(ByteSpan message) const {
  Signature signature;
  crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                       secret_.data());
  return signature;
}

SigningSeed SigningKey::seed() const {
  return SigningSeed(std::span<const std::uint8_t, 32>(secret_.data(), 32));
}

SigningKey SigningKey::clone() const {
  SigningKey copy;
  copy.secret_ = secret_.clone();
  copy.public_ = public_;
  return copy;
}

bool verify(std::span<const std::uint8_t, 32> public_key, ByteSpan message,
            const Signature& signature) {
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     public_key.data()) == 0;
}

AgreementKey AgreementKey::generate(Random& random) {
  return from_secret(random.secret<32>());
}

AgreementKey AgreementKey::from_secret(Secret<32> secret) {
  AgreementKey key{std::move(secret), {}};
  crypto_scalarmult_base(key.public_key.data(), key.secret.data());
  return key;
}

Result<Secret<32>> agree(const Secret<32>& secret, std::span<const std::uint8_t, 32> peer) {
  Secret<32> shared;
  if (crypto_scalarmult(shared.data(), secret.data(), peer.data()) != 0)
    return fail(Errc::key_low_order);
  return shared;
}

Bytes aead_seal(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 12> nonce,
                ByteSpan aad, ByteSpan plaintext) {
  Bytes out(plaintext.size() + kAeadTagBytes);
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(),
                                            aad.data(), aad.size(), nullptr, nonce.data(),
                                            key.data());
  return out;
}

Result<Bytes> aead_open(std::span<const std::uint8_t, 32> key,
                        std::span<const std::uint8_t, 12> nonce, ByteSpan aad,
                        ByteSpan ciphertext) {
  if (ciphertext.size() < kAeadTagBytes) return fail(Errc::crypto_failed, "shorter than its tag");
  Bytes out(ciphertext.size() - kAeadTagBytes);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, ciphertext.data(),
                                                ciphertext.size(), aad.data(), aad.size(),
                                                nonce.data(), key.data()) != 0)
    return fail(Errc::crypto_failed, "tag does not match");
  return out;
}

Bytes labelled(std::string_view label, std::initializer_list<ByteSpan> parts) {
  std::size_t size = 4 + label.size();
  for (ByteSpan part : parts)
    size += 4 + part.size();
  Bytes out;
  out.reserve(size);
  const auto append = [&out](ByteSpan part) {
    for (int shift = 24; shift >= 0; shift -= 8)
      out.push_back(static_cast<std::uint8_t>(part.size() >> shift));
    out.insert(out.end(), part.begin(), part.end());
  };
  append(as_bytes(label));
  for (ByteSpan part : parts)
    append(part);
  return out;
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
  randombytes_buf(out.data(), out.size());
}

}  // namespace sealwire::crypto

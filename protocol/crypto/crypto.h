// The primitives, each a thin typed call of libsodium. Nothing here keeps state or allocates for
// secrets. Cipher suite 1 of the wire = MLS 0x0003: X25519, ChaCha20-Poly1305, SHA-256, Ed25519.
#pragma once

#include <initializer_list>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/random.h"
#include "protocol/secret.h"

namespace sealwire::crypto {

/// Must run once before anything else here (libsodium chooses its implementations). Thread-safe.
void initialise();

// --- hashes ---------------------------------------------------------------------------------
Digest blake2b(ByteSpan data);  ///< BLAKE2b-256, unkeyed (RFC 7693)
using Sha256 = Opaque<struct Sha256Tag, 32>;
Sha256 sha256(ByteSpan data);
Sha256 hmac_sha256(ByteSpan key, ByteSpan data);
Secret<32> hkdf_extract(ByteSpan salt, ByteSpan ikm);                        ///< RFC 5869, SHA-256
SecretBytes hkdf_expand(ByteSpan prk, ByteSpan info, std::size_t size);      ///< size ≤ 255 * 32
void hkdf_expand(ByteSpan prk, ByteSpan info, std::span<std::uint8_t> out);  ///< without allocating

// --- signatures: Ed25519 (RFC 8032), small-order and non-canonical keys refused ---------------
using SigningSeed = Secret<32>;
class SigningKey {
 public:
  static SigningKey from_seed(const SigningSeed& seed);
  static SigningKey generate(Random& random);
  Signature sign(ByteSpan message) const;
  const std::array<std::uint8_t, 32>& public_bytes() const { return public_; }
  template <class Key>
  Key public_key() const {
    return Key{public_};
  }
  SigningSeed seed() const;
  SigningKey clone() const;

 private:
  SigningKey() = default;
  Secret<64> secret_;
  std::array<std::uint8_t, 32> public_{};
};
bool verify(std::span<const std::uint8_t, 32> public_key, ByteSpan message,
            const Signature& signature);

// --- X25519 (RFC 7748) -----------------------------------------------------------------------
struct AgreementKey {
  Secret<32> secret;
  std::array<std::uint8_t, 32> public_key{};
  static AgreementKey generate(Random& random);
  static AgreementKey from_secret(Secret<32> secret);
};
/// Fails with `key_low_order` when the shared secret is all zero (RFC 7748 section 6.1).
Result<Secret<32>> agree(const Secret<32>& secret, std::span<const std::uint8_t, 32> peer);

// --- ChaCha20-Poly1305 (RFC 8439) -------------------------------------------------------------
inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;
Bytes aead_seal(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 12> nonce,
                ByteSpan aad, ByteSpan plaintext);
/// Fails with `crypto_failed`; nothing of the plaintext is released.
Result<Bytes> aead_open(std::span<const std::uint8_t, 32> key,
                        std::span<const std::uint8_t, 12> nonce, ByteSpan aad, ByteSpan ciphertext);

// --- signing inputs ---------------------------------------------------------------------------
/// `label` and every part, each preceded by its length as u32 big-endian: what is signed or hashed
/// under a context label (SPEC.md lists every label; no two uses share one).
Bytes labelled(std::string_view label, std::initializer_list<ByteSpan> parts);

/// libsodium's system generator.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace sealwire::crypto

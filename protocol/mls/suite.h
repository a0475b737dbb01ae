// Cipher suite 0x0003 and the labelled operations of MLS on it (RFC 9420 section 5).
#pragma once

#include "protocol/crypto/crypto.h"
#include "protocol/crypto/hpke.h"
#include "protocol/mls/codec.h"

namespace sealwire::mls {

enum class ProtocolVersion : std::uint16_t { mls10 = 1 };
enum class CipherSuite : std::uint16_t { x25519_chacha20poly1305_sha256_ed25519 = 3 };
inline constexpr CipherSuite kSuite = CipherSuite::x25519_chacha20poly1305_sha256_ed25519;
inline constexpr std::size_t kHashBytes = 32;  // KDF.Nh

using KdfSecret = Secret<kHashBytes>;
using Hash = crypto::Sha256;

// struct { opaque kem_output<V>; opaque ciphertext<V>; } HPKECiphertext;
struct HpkeCiphertext {
  Bytes kem_output;
  Bytes ciphertext;
  SW_MLS_FIELDS(kem_output, ciphertext)
};

/// ExpandWithLabel and DeriveSecret (section 8): the label goes without its "MLS 1.0 " prefix.
void expand_with_label(ByteSpan secret, std::string_view label, ByteSpan context,
                       std::span<std::uint8_t> out);
KdfSecret expand_with_label(ByteSpan secret, std::string_view label, ByteSpan context);
KdfSecret derive_secret(ByteSpan secret, std::string_view label);

/// SignWithLabel and VerifyWithLabel (section 5.1.2). A key or signature of a wrong length does not
/// verify.
Bytes sign_with_label(const crypto::SigningKey& key, std::string_view label, ByteSpan content);
bool verify_with_label(ByteSpan key, std::string_view label, ByteSpan content, ByteSpan signature);

/// EncryptWithLabel and DecryptWithLabel (section 5.1.3).
Result<HpkeCiphertext> encrypt_with_label(ByteSpan public_key, std::string_view label,
                                          ByteSpan context, ByteSpan plaintext, Random& random);
Result<SecretBytes> decrypt_with_label(const crypto::AgreementKey& key, std::string_view label,
                                       ByteSpan context, const HpkeCiphertext& ciphertext);

/// RefHash (section 5.2): the label in full.
Hash ref_hash(std::string_view label, ByteSpan value);

}  // namespace sealwire::mls

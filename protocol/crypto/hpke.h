// HPKE (RFC 9180), base mode, one message a context: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
// ChaCha20-Poly1305. MLS and the sealed letter stand on it.
#pragma once

#include "protocol/crypto/crypto.h"

namespace sealwire::crypto::hpke {

using PublicKeySpan = std::span<const std::uint8_t, 32>;
using Encapsulation = std::array<std::uint8_t, 32>;  ///< RFC 9180's `enc`

struct Sealed {
  Encapsulation enc{};
  Bytes ciphertext;
};
struct Exported {
  Encapsulation enc{};
  SecretBytes secret;
};

/// DeriveKeyPair (RFC 9180 section 7.1.3): the same `ikm` gives the same key.
AgreementKey derive_key_pair(ByteSpan ikm);

/// SealBase. Fails with `key_low_order` when the recipient's key is a low-order point.
Result<Sealed> seal_base(PublicKeySpan recipient, ByteSpan info, ByteSpan aad, ByteSpan plaintext,
                         Random& random);
/// OpenBase. Fails with `key_low_order` or `crypto_failed`.
Result<Bytes> open_base(ByteSpan enc, const AgreementKey& recipient, ByteSpan info, ByteSpan aad,
                        ByteSpan ciphertext);

/// SendExportBase and ReceiveExportBase (RFC 9180 section 6.2); size ≤ 255 * 32.
Result<Exported> send_export_base(PublicKeySpan recipient, ByteSpan info, ByteSpan exporter_context,
                                  std::size_t size, Random& random);
Result<SecretBytes> receive_export_base(ByteSpan enc, const AgreementKey& recipient, ByteSpan info,
                                        ByteSpan exporter_context, std::size_t size);

}  // namespace sealwire::crypto::hpke

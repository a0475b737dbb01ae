// Seals the columns of the state (DESIGN: state is encrypted at rest).
#pragma once

#include "protocol/crypto/crypto.h"

namespace sealwire::sdk {

/// XChaCha20-Poly1305 under a key derived from the agent's signing seed and the database's salt. A
/// value opens only in the table and row that it was sealed for.
class ColumnCipher {
 public:
  ColumnCipher(const crypto::SigningKey& key, ByteSpan salt);
  Bytes seal(std::uint8_t table, ByteSpan row_key, ByteSpan value, Random& random) const;
  /// Fails with state_corrupt.
  Result<SecretBytes> open(std::uint8_t table, ByteSpan row_key, ByteSpan sealed) const;

 private:
  Secret<32> key_;
};

}  // namespace sealwire::sdk

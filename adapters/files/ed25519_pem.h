// Ed25519 keys as other tools write them (PEM, RFC 8410): `openssl genpkey -algorithm ed25519`.
#pragma once

#include <array>
#include <filesystem>

#include "protocol/crypto/crypto.h"

namespace sealwire::files {

/// PKCS #8 without a passphrase. Fails like `read_private_file`, and with config_invalid when it is
/// no such key.
[[nodiscard]] Result<crypto::SigningKey> read_signing_key_pem(const std::filesystem::path& path);

/// SubjectPublicKeyInfo. Fails with file_failed or config_invalid.
[[nodiscard]] Result<std::array<std::uint8_t, 32>> read_public_key_pem(
    const std::filesystem::path& path);

}  // namespace sealwire::files

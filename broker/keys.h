// The broker's own key: what agents pin.
#pragma once

#include <filesystem>

#include "protocol/crypto/crypto.h"
#include "protocol/time.h"

namespace sealwire::broker {

/// Fails with key_file_permissions, key_file_malformed (also for an agent's key), file_failed.
Result<crypto::SigningKey> load_broker_key(const std::filesystem::path& path);

/// Makes a key, and its file with mode 0600. Fails with key_file_exists, file_failed.
Result<crypto::SigningKey> create_broker_key(const std::filesystem::path& path, UnixMillis now,
                                             Random& random);

}  // namespace sealwire::broker

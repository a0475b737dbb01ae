// Self-signed certificates for a broker that runs for development, and for tests.
#pragma once

#include <string>

#include "protocol/error.h"

namespace sealwire::channel {

/// Writes a new EC P-256 key (readable by its owner only) and a certificate of it for localhost,
/// 127.0.0.1 and ::1, valid for a year. Fails with `file_failed` or `crypto_failed`.
Result<> make_self_signed(const std::string& certificate_file, const std::string& private_key_file);

}  // namespace sealwire::channel

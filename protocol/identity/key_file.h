// The contents of a key file: a seed, optionally under a passphrase (Argon2id), and the public
// statement made with it. Reading and writing files is the caller's.
#pragma once

#include "protocol/identity/inception.h"

namespace sealwire {

enum class KeyRole : std::uint8_t { agent, broker };

struct KeyFile {
  KeyRole role;
  crypto::SigningKey key;
  SignedStatement inception;  // of an agent; empty for a broker
};

KeyFile make_key_file(KeyRole role, UnixMillis now, Random& random);

/// Text of some 300 bytes. An empty passphrase leaves the seed in clear: the file's mode guards it.
/// Fails with crypto_failed when Argon2id does not get its memory.
Result<std::string> encode_key_file(const KeyFile& file, std::string_view passphrase,
                                    Random& random);
/// Fails with key_file_malformed or passphrase_wrong (also for a missing one).
Result<KeyFile> decode_key_file(std::string_view text, std::string_view passphrase);
/// Whether `decode_key_file` needs a passphrase.
bool needs_passphrase(std::string_view text);

}  // namespace sealwire

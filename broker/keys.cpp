#include "broker/keys.h"

#include "adapters/files/private_file.h"
#include "protocol/identity/key_file.h"

namespace sealwire::broker {

Result<crypto::SigningKey> load_broker_key(const std::filesystem::path& path) {
  SW_TRY(const SecretBytes text, files::read_private_file(path));
  auto file = decode_key_file(as_text(text.span()), "");
  if (!file)
    return fail(file.error().code, path.string() + ": " + file.error().detail +
                                       (needs_passphrase(as_text(text.span()))
                                            ? " (a broker starts unattended: its key has none)"
                                            : ""));
  if (file->role != KeyRole::broker)
    return fail(Errc::key_file_malformed, path.string() + " is an agent's key, not a broker's");
  return std::move(file->key);
}

Result<crypto::SigningKey> create_broker_key(const std::filesystem::path& path, UnixMillis now,
                                             Random& random) {
  KeyFile file = make_key_file(KeyRole::broker, now, random);
  SW_TRY(std::string text, encode_key_file(file, "", random));
  auto written = files::write_private_file(path, as_bytes(text));
  sodium_memzero(text.data(), text.size());
  if (!written) return fail(std::move(written).error());
  return std::move(file.key);
}

}  // namespace sealwire::broker

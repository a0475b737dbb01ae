#include "adapters/files/ed25519_pem.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "adapters/files/private_file.h"

namespace sealwire::files {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio bio_of(ByteSpan text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

bool is_ed25519(const Key& key) {
  return key && EVP_PKEY_id(key.get()) == EVP_PKEY_ED25519;
}

// Without it OpenSSL would ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

Result<crypto::SigningKey> read_signing_key_pem(const std::filesystem::path& path) {
  SW_TRY(const SecretBytes text, read_private_file(path));
  const Bio bio = bio_of(text.span());
  const Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free};
  crypto::SigningSeed seed;
  std::size_t size = seed.kSize;
  if (!is_ed25519(key) || EVP_PKEY_get_raw_private_key(key.get(), seed.data(), &size) != 1)
    return fail(Errc::config_invalid, path.string() +
                                          ": not an Ed25519 private key in PEM; "
                                          "openssl genpkey -algorithm ed25519");
  return crypto::SigningKey::from_seed(seed);
}

Result<std::array<std::uint8_t, 32>> read_public_key_pem(const std::filesystem::path& path) {
  SW_TRY(const std::string text, read_text_file(path, 64 * 1024));
  const Bio bio = bio_of(as_bytes(text));
  const Key key{PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free};
  std::array<std::uint8_t, 32> bytes{};
  std::size_t size = bytes.size();
  if (!is_ed25519(key) || EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size) != 1)
    return fail(Errc::config_invalid, path.string() +
                                          ": not an Ed25519 public key in PEM; "
                                          "openssl pkey -in KEY -pubout");
  return bytes;
}

}  // namespace sealwire::files

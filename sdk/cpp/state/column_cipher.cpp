#include "sdk/cpp/state/column_cipher.h"

namespace sealwire::sdk {
namespace {

constexpr std::string_view kLabel = "sealwire/0 agent state";
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

Secret<32> derive(const crypto::SigningKey& key, ByteSpan salt) {
  const Secret<32> prk = crypto::hkdf_extract(salt, key.seed().span());
  return *Secret<32>::from(crypto::hkdf_expand(prk.span(), as_bytes(kLabel), 32).span());
}

Bytes associated(std::uint8_t table, ByteSpan row_key) {
  Bytes aad(1 + row_key.size(), table);
  std::copy(row_key.begin(), row_key.end(), aad.begin() + 1);
  return aad;
}

}  // namespace

ColumnCipher::ColumnCipher(const crypto::SigningKey& key, ByteSpan salt)
    : key_(derive(key, salt)) {}

// Random nonces of 24 bytes: a counter would have to survive a restored backup.
Bytes ColumnCipher::seal(std::uint8_t table, ByteSpan row_key, ByteSpan value,
                         Random& random) const {
  Bytes out(kNonceBytes + value.size() + kTagBytes);
  random.fill(std::span(out).first(kNonceBytes));
  const Bytes aad = associated(table, row_key);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.data() + kNonceBytes, nullptr, value.data(),
                                             value.size(), aad.data(), aad.size(), nullptr,
                                             out.data(), key_.data());
  return out;
}

Result<SecretBytes> ColumnCipher::open(std::uint8_t table, ByteSpan row_key,
                                       ByteSpan sealed) const {
  if (sealed.size() < kNonceBytes + kTagBytes) return fail(Errc::state_corrupt, "a short column");
  Bytes out(sealed.size() - kNonceBytes - kTagBytes);
  const Bytes aad = associated(table, row_key);
  const ByteSpan body = sealed.subspan(kNonceBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, body.data(),
                                                 body.size(), aad.data(), aad.size(), sealed.data(),
                                                 key_.data()) != 0)
    return fail(Errc::state_corrupt, "a column does not open: damaged, or of another agent");
  return SecretBytes(std::move(out));
}

}  // namespace sealwire::sdk

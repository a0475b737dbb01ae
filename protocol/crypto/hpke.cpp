#include "protocol/crypto/hpke.h"

namespace sealwire::crypto::hpke {
namespace {

constexpr std::uint8_t kKemSuite[] = {'K', 'E', 'M', 0x00, 0x20};
constexpr std::uint8_t kHpkeSuite[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03};

void append(Bytes& out, ByteSpan part) {
  out.insert(out.end(), part.begin(), part.end());
}

// RFC 9180 section 4: LabeledExtract and LabeledExpand.
Secret<32> labeled_extract(ByteSpan suite, ByteSpan salt, std::string_view label, ByteSpan ikm) {
  Bytes input;
  input.reserve(7 + suite.size() + label.size() + ikm.size());
  append(input, as_bytes("HPKE-v1"));
  append(input, suite);
  append(input, as_bytes(label));
  append(input, ikm);
  const SecretBytes wiped(std::move(input));
  return hkdf_extract(salt, wiped.span());
}

SecretBytes labeled_expand(ByteSpan suite, ByteSpan prk, std::string_view label, ByteSpan info,
                           std::size_t size) {
  Bytes input{static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  append(input, as_bytes("HPKE-v1"));
  append(input, suite);
  append(input, as_bytes(label));
  append(input, info);
  return hkdf_expand(prk, input, size);
}

Secret<32> fixed(const SecretBytes& secret) {
  return Secret<32>(std::span<const std::uint8_t, 32>(secret.span().first<32>()));
}

// RFC 9180 section 4.1: ExtractAndExpand over dh with kem_context = enc ‖ pkRm.
Secret<32> shared_secret(const Secret<32>& dh, ByteSpan enc, ByteSpan recipient) {
  Bytes kem_context;
  append(kem_context, enc);
  append(kem_context, recipient);
  const auto eae_prk = labeled_extract(kKemSuite, {}, "eae_prk", dh.span());
  return fixed(labeled_expand(kKemSuite, eae_prk.span(), "shared_secret", kem_context, 32));
}

struct Encapsulated {
  Encapsulation enc{};
  Secret<32> secret;
};

Result<Encapsulated> encapsulate(PublicKeySpan recipient, Random& random) {
  const AgreementKey ephemeral = AgreementKey::generate(random);
  SW_TRY(const auto dh, agree(ephemeral.secret, recipient));
  return Encapsulated{ephemeral.public_key, shared_secret(dh, ephemeral.public_key, recipient)};
}

Result<Secret<32>> decapsulate(ByteSpan enc, const AgreementKey& recipient) {
  if (enc.size() != 32) return fail(Errc::crypto_failed, "HPKE encapsulation is not 32 bytes");
  SW_TRY(const auto dh, agree(recipient.secret, PublicKeySpan(enc.first<32>())));
  return shared_secret(dh, enc, recipient.public_key);
}

// RFC 9180 section 5.1, mode_base: psk and psk_id are empty.
struct Context {
  Secret<32> key;
  std::array<std::uint8_t, 12> base_nonce{};
  SecretBytes exporter_secret;
};

Context key_schedule(const Secret<32>& shared, ByteSpan info) {
  Bytes context{0x00};
  append(context, labeled_extract(kHpkeSuite, {}, "psk_id_hash", {}).span());
  append(context, labeled_extract(kHpkeSuite, {}, "info_hash", info).span());
  const auto secret = labeled_extract(kHpkeSuite, shared.span(), "secret", {});
  Context result;
  result.key = fixed(labeled_expand(kHpkeSuite, secret.span(), "key", context, kAeadKeyBytes));
  const auto nonce =
      labeled_expand(kHpkeSuite, secret.span(), "base_nonce", context, kAeadNonceBytes);
  std::copy(nonce.span().begin(), nonce.span().end(), result.base_nonce.begin());
  result.exporter_secret = labeled_expand(kHpkeSuite, secret.span(), "exp", context, 32);
  return result;
}

std::span<const std::uint8_t, 32> key_span(const Context& context) {
  return std::span<const std::uint8_t, 32>(context.key.data(), 32);
}

}  // namespace

AgreementKey derive_key_pair(ByteSpan ikm) {
  const auto prk = labeled_extract(kKemSuite, {}, "dkp_prk", ikm);
  return AgreementKey::from_secret(fixed(labeled_expand(kKemSuite, prk.span(), "sk", {}, 32)));
}

Result<Sealed> seal_base(PublicKeySpan recipient, ByteSpan info, ByteSpan aad, ByteSpan plaintext,
                         Random& random) {
  SW_TRY(const auto encapsulated, encapsulate(recipient, random));
  const Context context = key_schedule(encapsulated.secret, info);
  return Sealed{encapsulated.enc, aead_seal(key_span(context), context.base_nonce, aad, plaintext)};
}

Result<Bytes> open_base(ByteSpan enc, const AgreementKey& recipient, ByteSpan info, ByteSpan aad,
                        ByteSpan ciphertext) {
  SW_TRY(const auto shared, decapsulate(enc, recipient));
  const Context context = key_schedule(shared, info);
  return aead_open(key_span(context), context.base_nonce, aad, ciphertext);
}

Result<Exported> send_export_base(PublicKeySpan recipient, ByteSpan info, ByteSpan exporter_context,
                                  std::size_t size, Random& random) {
  SW_TRY(const auto encapsulated, encapsulate(recipient, random));
  const Context context = key_schedule(encapsulated.secret, info);
  return Exported{encapsulated.enc, labeled_expand(kHpkeSuite, context.exporter_secret.span(),
                                                   "sec", exporter_context, size)};
}

Result<SecretBytes> receive_export_base(ByteSpan enc, const AgreementKey& recipient, ByteSpan info,
                                        ByteSpan exporter_context, std::size_t size) {
  SW_TRY(const auto shared, decapsulate(enc, recipient));
  const Context context = key_schedule(shared, info);
  return labeled_expand(kHpkeSuite, context.exporter_secret.span(), "sec", exporter_context, size);
}

}  // namespace sealwire::crypto::hpke

#include "conformance/wire/letter.h"

#include <sodium.h>

#include "conformance/wire/crypto.h"

namespace conformance {
namespace {

const Bytes kKemSuite = bytes_of("KEM") + big_endian(0x0020, 2);
const Bytes kSuite =
    bytes_of("HPKE") + big_endian(0x0020, 2) + big_endian(0x0001, 2) + big_endian(0x0003, 2);

// RFC 9180 section 4.
Bytes labelled_extract(View suite, View salt, std::string_view label, View ikm) {
  return hmac(salt, bytes_of("HPKE-v1") + suite + bytes_of(label) + ikm);
}
Bytes labelled_expand(View suite, View prk, std::string_view label, View info, std::size_t size) {
  return expand(prk, big_endian(size, 2) + bytes_of("HPKE-v1") + suite + bytes_of(label) + info,
                size);
}

}  // namespace

std::size_t padme(std::size_t size) {
  const auto floor_log2 = [](std::size_t n) {
    int bits = 0;
    while (n >>= 1)
      ++bits;
    return bits;
  };
  if (size < 2) return size;
  const int e = floor_log2(size), b = e == 0 ? 0 : floor_log2(static_cast<std::size_t>(e)) + 1;
  const std::size_t unit = std::size_t{1} << std::max(e - b, 0);
  return (size + unit - 1) / unit * unit;
}

Bytes hpke_seal(View key, View info, View associated, View text) {
  const AgreementKey ephemeral = make_agreement_key();
  const Bytes shared = agree(ephemeral.secret, key).value_or(Bytes(32));
  const Bytes eae = labelled_extract(kKemSuite, {}, "eae_prk", shared);
  const Bytes secret_of_kem =
      labelled_expand(kKemSuite, eae, "shared_secret", ephemeral.key + key, 32);
  const Bytes context = Bytes{0} + labelled_extract(kSuite, {}, "psk_id_hash", {}) +
                        labelled_extract(kSuite, {}, "info_hash", info);
  const Bytes secret = labelled_extract(kSuite, secret_of_kem, "secret", {});
  const Bytes aead_key = labelled_expand(kSuite, secret, "key", context, 32);
  const Bytes nonce = labelled_expand(kSuite, secret, "base_nonce", context, 12);
  Bytes sealed(text.size() + 16);
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, text.data(), text.size(),
                                            associated.data(), associated.size(), nullptr,
                                            nonce.data(), aead_key.data());
  return ephemeral.key + sealed;
}

Table content(std::string_view text) {
  return {"Content", {{"kind", 0}, {"media_type", "text/plain"}, {"data", bytes_of(text)}}};
}

Bytes content_batch(const std::vector<Table>& items) {
  return finish("SWCO", {"ContentBatch", {{"items", items}}});
}

Bytes letter_plaintext(View batch) {
  Bytes text = big_endian(batch.size(), 4) + batch;
  text.resize(padme(text.size()));
  return text;
}

Bytes letter_body(View prekey, View header, View plaintext) {
  return copy(prekey) + hpke_seal(prekey, bytes_of("sealwire/0 letter"), header, plaintext);
}

}  // namespace conformance

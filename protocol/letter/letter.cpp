#include "protocol/letter/letter.h"

#include "protocol/crypto/hpke.h"
#include "protocol/padding.h"
#include "protocol/statement.h"

namespace sealwire {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kLengthBytes = 4;

// u32 length ‖ content ‖ zeros up to a Padmé size.
Bytes pad(ByteSpan content) {
  Bytes padded(padme(kLengthBytes + content.size()));
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    padded[i] = static_cast<std::uint8_t>(content.size() >> (24 - 8 * i));
  std::copy(content.begin(), content.end(), padded.begin() + kLengthBytes);
  return padded;
}

Result<Bytes> unpad(const Bytes& padded) {
  if (padded.size() < kLengthBytes) return fail(Errc::letter_malformed, "padding");
  std::size_t size = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    size = size << 8 | padded[i];
  const ByteSpan rest = ByteSpan(padded).subspan(kLengthBytes);
  if (size > rest.size() || padded.size() != padme(kLengthBytes + size))
    return fail(Errc::letter_malformed, "padding");
  if (!std::all_of(rest.begin() + static_cast<std::ptrdiff_t>(size), rest.end(),
                   [](std::uint8_t byte) { return byte == 0; }))
    return fail(Errc::letter_malformed, "padding");
  return to_bytes(rest.first(size));
}

}  // namespace

Result<Bytes> seal_letter(const PrekeyKey& prekey, ByteSpan header_bytes, ByteSpan content,
                          Random& random) {
  Bytes plaintext = pad(content);
  auto sealed = crypto::hpke::seal_base(prekey.bytes, as_bytes(label::kLetter), header_bytes,
                                        plaintext, random);
  sodium_memzero(plaintext.data(), plaintext.size());
  if (!sealed) return fail(std::move(sealed).error());
  Bytes body;
  body.reserve(2 * kKeyBytes + sealed->ciphertext.size());
  for (const ByteSpan part : {prekey.span(), ByteSpan(sealed->enc), ByteSpan(sealed->ciphertext)})
    body.insert(body.end(), part.begin(), part.end());
  return body;
}

Result<PrekeyKey> letter_prekey(ByteSpan body) {
  if (body.size() < 2 * kKeyBytes + crypto::kAeadTagBytes)
    return fail(Errc::letter_malformed, "too short");
  return *PrekeyKey::from(body.first(kKeyBytes));
}

Result<Bytes> open_letter(const crypto::AgreementKey& prekey, ByteSpan header_bytes,
                          ByteSpan body) {
  SW_TRY(const PrekeyKey named, letter_prekey(body));
  if (named.bytes != prekey.public_key) return fail(Errc::letter_prekey_unknown);
  const auto padded =
      crypto::hpke::open_base(body.subspan(kKeyBytes, kKeyBytes), prekey, as_bytes(label::kLetter),
                              header_bytes, body.subspan(2 * kKeyBytes));
  if (!padded) return fail(Errc::letter_undecryptable);
  return unpad(*padded);
}

}  // namespace sealwire

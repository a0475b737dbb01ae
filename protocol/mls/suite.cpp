#include "protocol/mls/suite.h"

namespace sealwire::mls {
namespace {

void put_label(Writer& writer, std::string_view label) {
  writer.vector([&] {
    writer.raw(as_bytes("MLS 1.0 "));
    writer.raw(as_bytes(label));
  });
}

// struct { opaque label<V> = "MLS 1.0 " + Label; opaque content<V>; } SignContent;
// EncryptContext has the same shape.
Bytes labelled_content(std::string_view label, ByteSpan content) {
  Writer writer;
  put_label(writer, label);
  writer.opaque(content);
  return writer.take();
}

}  // namespace

// struct { uint16 length; opaque label<V> = "MLS 1.0 " + Label; opaque context<V>; } KDFLabel;
void expand_with_label(ByteSpan secret, std::string_view label, ByteSpan context,
                       std::span<std::uint8_t> out) {
  Writer info;
  info.put(static_cast<std::uint16_t>(out.size()));
  put_label(info, label);
  info.opaque(context);
  crypto::hkdf_expand(secret, info.span(), out);
}

KdfSecret expand_with_label(ByteSpan secret, std::string_view label, ByteSpan context) {
  KdfSecret out;
  expand_with_label(secret, label, context, out.mutable_span());
  return out;
}

KdfSecret derive_secret(ByteSpan secret, std::string_view label) {
  return expand_with_label(secret, label, {});
}

Bytes sign_with_label(const crypto::SigningKey& key, std::string_view label, ByteSpan content) {
  const Signature signature = key.sign(labelled_content(label, content));
  return to_bytes(signature);
}

bool verify_with_label(ByteSpan key, std::string_view label, ByteSpan content, ByteSpan signature) {
  const auto fixed = Signature::from(signature);
  if (!fixed || key.size() != InstanceKey::kSize) return false;
  return crypto::verify(key.first<InstanceKey::kSize>(), labelled_content(label, content), *fixed);
}

Result<HpkeCiphertext> encrypt_with_label(ByteSpan public_key, std::string_view label,
                                          ByteSpan context, ByteSpan plaintext, Random& random) {
  if (public_key.size() != 32) return fail(Errc::mls_tree_invalid, "HPKE key is not 32 bytes");
  SW_TRY(auto sealed,
         crypto::hpke::seal_base(public_key.first<32>(), labelled_content(label, context), {},
                                 plaintext, random));
  return HpkeCiphertext{Bytes(sealed.enc.begin(), sealed.enc.end()), std::move(sealed.ciphertext)};
}

Result<SecretBytes> decrypt_with_label(const crypto::AgreementKey& key, std::string_view label,
                                       ByteSpan context, const HpkeCiphertext& ciphertext) {
  auto opened = crypto::hpke::open_base(
      ciphertext.kem_output, key, labelled_content(label, context), {}, ciphertext.ciphertext);
  if (!opened) return fail(Errc::mls_undecryptable, std::string(label));
  return SecretBytes(std::move(*opened));
}

// struct { opaque label<V>; opaque value<V>; } RefHashInput;
Hash ref_hash(std::string_view label, ByteSpan value) {
  Writer input;
  input.opaque(as_bytes(label));
  input.opaque(value);
  return crypto::sha256(input.span());
}

}  // namespace sealwire::mls

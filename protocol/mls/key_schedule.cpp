#include "protocol/mls/key_schedule.h"

namespace sealwire::mls {

KdfSecret joiner_secret(const KdfSecret& init_secret, const KdfSecret& commit_secret,
                        ByteSpan group_context) {
  const auto pre = crypto::hkdf_extract(init_secret.span(), commit_secret.span());
  return expand_with_label(pre.span(), "joiner", group_context);
}

KdfSecret welcome_secret(const KdfSecret& joiner, const KdfSecret& psk_secret) {
  return derive_secret(crypto::hkdf_extract(joiner.span(), psk_secret.span()).span(), "welcome");
}

EpochSecrets epoch_secrets(const KdfSecret& joiner, const KdfSecret& psk_secret,
                           ByteSpan group_context) {
  const auto intermediate = crypto::hkdf_extract(joiner.span(), psk_secret.span());
  return expand_epoch_secret(expand_with_label(intermediate.span(), "epoch", group_context));
}

EpochSecrets expand_epoch_secret(const KdfSecret& epoch_secret) {
  const auto derive = [&](std::string_view label) {
    return derive_secret(epoch_secret.span(), label);
  };
  return {derive("sender data"), derive("encryption"),     derive("exporter"),
          derive("external"),    derive("confirm"),        derive("membership"),
          derive("resumption"),  derive("authentication"), derive("init")};
}

void export_secret(const KdfSecret& exporter_secret, std::string_view label, ByteSpan context,
                   std::span<std::uint8_t> out) {
  const auto derived = derive_secret(exporter_secret.span(), label);
  expand_with_label(derived.span(), "exported", crypto::sha256(context), out);
}

crypto::AgreementKey external_key_pair(const KdfSecret& external_secret) {
  return crypto::hpke::derive_key_pair(external_secret.span());
}

Bytes confirmed_transcript_hash(ByteSpan interim_before, ByteSpan input) {
  Writer writer;
  writer.raw(interim_before);
  writer.raw(input);
  return to_bytes(crypto::sha256(writer.span()));
}

Bytes interim_transcript_hash(ByteSpan confirmed, ByteSpan confirmation_tag) {
  Writer writer;
  writer.raw(confirmed);
  writer.opaque(confirmation_tag);
  return to_bytes(crypto::sha256(writer.span()));
}

Bytes confirmation_tag(const EpochSecrets& secrets, ByteSpan confirmed_transcript_hash) {
  return to_bytes(crypto::hmac_sha256(secrets.confirmation_key.span(), confirmed_transcript_hash));
}

}  // namespace sealwire::mls

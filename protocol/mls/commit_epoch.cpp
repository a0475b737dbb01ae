#include "protocol/mls/commit_epoch.h"

namespace sealwire::mls {
namespace {

constexpr std::string_view kExternalInit = "MLS 1.0 external init secret";

}  // namespace

GroupContext next_context(const GroupContext& current, const Extensions& extensions) {
  GroupContext next = current;
  next.epoch = current.epoch + 1;
  next.extensions = extensions;
  return next;
}

CommitSecrets commit_secrets(const KdfSecret& init_secret, const KdfSecret& commit_secret,
                             const std::vector<PskWithId>& psks, Bytes encoded_context) {
  CommitSecrets secrets;
  secrets.psk = psk_secret(psks);
  secrets.joiner = joiner_secret(init_secret, commit_secret, encoded_context);
  secrets.encoded_context = std::move(encoded_context);
  return secrets;
}

Result<KdfSecret> receive_external_init(const KdfSecret& external_secret, ByteSpan kem_output) {
  const auto key = external_key_pair(external_secret);
  SW_TRY(const auto secret, crypto::hpke::receive_export_base(kem_output, key, {},
                                                              as_bytes(kExternalInit), kHashBytes));
  return KdfSecret(std::span<const std::uint8_t, 32>(secret.span().first<kHashBytes>()));
}

Result<ExternalInitSecret> send_external_init(ByteSpan external_pub, Random& random) {
  if (external_pub.size() != 32) return fail(Errc::mls_malformed, "external_pub is not 32 bytes");
  SW_TRY(const auto exported,
         crypto::hpke::send_export_base(external_pub.first<32>(), {}, as_bytes(kExternalInit),
                                        kHashBytes, random));
  return ExternalInitSecret{
      Bytes(exported.enc.begin(), exported.enc.end()),
      KdfSecret(std::span<const std::uint8_t, 32>(exported.secret.span().first<kHashBytes>()))};
}

}  // namespace sealwire::mls

#include "protocol/mls/welcome.h"

namespace sealwire::mls {
namespace {

struct WelcomeKey {
  Secret<32> key;
  std::array<std::uint8_t, 12> nonce{};
};

WelcomeKey welcome_key(const KdfSecret& welcome_secret) {
  WelcomeKey result;
  expand_with_label(welcome_secret.span(), "key", {}, result.key.mutable_span());
  expand_with_label(welcome_secret.span(), "nonce", {}, result.nonce);
  return result;
}

std::span<const std::uint8_t, 32> key_span(const WelcomeKey& key) {
  return std::span<const std::uint8_t, 32>(key.key.data(), 32);
}

}  // namespace

Bytes encrypt_group_info(const KdfSecret& welcome_secret, const GroupInfo& info) {
  const WelcomeKey key = welcome_key(welcome_secret);
  return crypto::aead_seal(key_span(key), key.nonce, {}, encode(info));
}

Result<GroupInfo> decrypt_group_info(const KdfSecret& welcome_secret, ByteSpan encrypted) {
  const WelcomeKey key = welcome_key(welcome_secret);
  const auto opened = crypto::aead_open(key_span(key), key.nonce, {}, encrypted);
  if (!opened) return fail(Errc::mls_undecryptable, "group info of a Welcome");
  return decode<GroupInfo>(*opened, "GroupInfo");
}

Result<EncryptedGroupSecrets> encrypt_group_secrets(const KeyPackage& recipient,
                                                    const GroupSecrets& secrets,
                                                    ByteSpan encrypted_group_info, Random& random) {
  Writer plaintext;
  plaintext.put(secrets);
  SW_TRY(auto ciphertext, encrypt_with_label(recipient.init_key, "Welcome", encrypted_group_info,
                                             plaintext.span(), random));
  return EncryptedGroupSecrets{to_bytes(recipient.ref()), std::move(ciphertext)};
}

Result<GroupSecrets> decrypt_group_secrets(const Welcome& welcome, ByteSpan key_package_ref,
                                           const crypto::AgreementKey& init_key) {
  const auto mine = std::ranges::find_if(welcome.secrets, [&](const EncryptedGroupSecrets& entry) {
    return std::ranges::equal(entry.new_member, key_package_ref);
  });
  if (mine == welcome.secrets.end())
    return fail(Errc::mls_not_a_member, "the Welcome is not for this key package");
  SW_TRY(const auto opened, decrypt_with_label(init_key, "Welcome", welcome.encrypted_group_info,
                                               mine->encrypted_group_secrets));
  return decode<GroupSecrets>(opened.span(), "GroupSecrets");
}

}  // namespace sealwire::mls

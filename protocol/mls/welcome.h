// Welcome (RFC 9420 section 12.4.3.1): the secrets of an epoch, encrypted to each new member.
#pragma once

#include "protocol/mls/group_info.h"
#include "protocol/mls/key_package.h"
#include "protocol/mls/psk.h"

namespace sealwire::mls {

// struct { opaque path_secret<V>; } PathSecret;
// struct { opaque joiner_secret<V>; optional<PathSecret> path_secret; PreSharedKeyID psks<V>; }
// GroupSecrets;
struct GroupSecrets {
  KdfSecret joiner_secret;
  std::optional<KdfSecret> path_secret;
  std::vector<PreSharedKeyId> psks;
  SW_MLS_FIELDS(joiner_secret, path_secret, psks)
};

// struct { KeyPackageRef new_member; HPKECiphertext encrypted_group_secrets; }
// EncryptedGroupSecrets;
struct EncryptedGroupSecrets {
  Bytes new_member;
  HpkeCiphertext encrypted_group_secrets;
  SW_MLS_FIELDS(new_member, encrypted_group_secrets)
};

// struct { CipherSuite cipher_suite; EncryptedGroupSecrets secrets<V>;
//          opaque encrypted_group_info<V>; } Welcome;
struct Welcome {
  CipherSuite cipher_suite = kSuite;
  std::vector<EncryptedGroupSecrets> secrets;
  Bytes encrypted_group_info;
  SW_MLS_FIELDS(cipher_suite, secrets, encrypted_group_info)
};

Bytes encrypt_group_info(const KdfSecret& welcome_secret, const GroupInfo& info);
Result<GroupInfo> decrypt_group_info(const KdfSecret& welcome_secret, ByteSpan encrypted);

Result<EncryptedGroupSecrets> encrypt_group_secrets(const KeyPackage& recipient,
                                                    const GroupSecrets& secrets,
                                                    ByteSpan encrypted_group_info, Random& random);
Result<GroupSecrets> decrypt_group_secrets(const Welcome& welcome, ByteSpan key_package_ref,
                                           const crypto::AgreementKey& init_key);

}  // namespace sealwire::mls

// Key packages (RFC 9420 section 10): what lets a member add someone who is not there.
#pragma once

#include "protocol/mls/leaf_node.h"

namespace sealwire::mls {

// struct { ProtocolVersion version; CipherSuite cipher_suite; HPKEPublicKey init_key;
//          LeafNode leaf_node; Extension extensions<V>; opaque signature<V>; } KeyPackage;
struct KeyPackage {
  ProtocolVersion version = ProtocolVersion::mls10;
  CipherSuite cipher_suite = kSuite;
  Bytes init_key;
  LeafNode leaf_node;
  Extensions extensions;
  Bytes signature;
  SW_MLS_FIELDS(version, cipher_suite, init_key, leaf_node, extensions, signature)

  Hash ref() const;  ///< KeyPackageRef (section 5.2)
};

/// The private halves that belong to one key package.
struct KeyPackageSecrets {
  Secret<32> init_key;
  Secret<32> encryption_key;
  SW_MLS_FIELDS(init_key, encryption_key)
};

/// One key package with what its owner keeps. Single use: erase it once a Welcome was joined with
/// it, unless `last_resort`.
struct KeyPackageBundle {
  Bytes key_package;         ///< MLSMessage with wire format mls_key_package: what is published
  SecretBytes private_part;  ///< encoded KeyPackageSecrets: store it sealed
  Bytes ref;                 ///< KeyPackageRef, 32 bytes: by this a Welcome names it
  bool last_resort = false;
};

/// `lifetime_ms` counts from `now`, is at most kKeyPackageLifetimeMs, and is rounded down to
/// seconds. `identity` is the basic credential.
Result<KeyPackageBundle> make_key_package(const crypto::SigningKey& signing_key, ByteSpan identity,
                                          std::uint64_t lifetime_ms, bool last_resort,
                                          Random& random, UnixMillis now);

/// A key package whose signatures, credential and lifetime were checked.
struct VerifiedKeyPackage {
  KeyPackage key_package;
  LeafIdentity identity;
  UnixMillis not_before;
  UnixMillis not_after;
  bool last_resort = false;
  Hash ref;
};
/// Checks section 10.1 of an MLSMessage with a key package. Fails with `mls_malformed` or
/// `mls_key_package_invalid`.
Result<VerifiedKeyPackage> verify_key_package(ByteSpan message,
                                              const CredentialValidator& validator, UnixMillis now);

/// The part of verify_key_package() that does not depend on the time: what every member repeats
/// when another adds.
Result<> validate_key_package(const KeyPackage& key_package, const CredentialValidator& validator);

}  // namespace sealwire::mls

// Leaf nodes (RFC 9420 section 7.2): what a member says of itself, signed by its own key.
#pragma once

#include "protocol/mls/credential.h"
#include "protocol/mls/extension.h"
#include "protocol/mls/identity.h"
#include "protocol/time.h"

namespace sealwire::mls {

enum class LeafNodeSource : std::uint8_t { key_package = 1, update = 2, commit = 3 };

// struct { ProtocolVersion versions<V>; CipherSuite cipher_suites<V>; ExtensionType extensions<V>;
//          ProposalType proposals<V>; CredentialType credentials<V>; } Capabilities;
struct Capabilities {
  std::vector<ProtocolVersion> versions;
  std::vector<CipherSuite> cipher_suites;
  std::vector<ExtensionType> extensions;
  std::vector<std::uint16_t> proposals;
  std::vector<CredentialType> credentials;
  SW_MLS_FIELDS(versions, cipher_suites, extensions, proposals, credentials)
  friend bool operator==(const Capabilities&, const Capabilities&) = default;

  static Capabilities ours();
  /// The extensions of RFC 9420 itself need not be listed (section 7.2).
  bool supports(ExtensionType extension) const;
  bool supports(CredentialType credential) const;
  bool supports(const RequiredCapabilities& required) const;
};

// struct { uint64 not_before; uint64 not_after; } Lifetime;   (seconds since the Unix epoch)
struct Lifetime {
  std::uint64_t not_before{};
  std::uint64_t not_after{};
  SW_MLS_FIELDS(not_before, not_after)
  friend bool operator==(const Lifetime&, const Lifetime&) = default;

  bool contains(UnixMillis now) const;
};

// struct { HPKEPublicKey encryption_key; SignaturePublicKey signature_key; Credential credential;
//          Capabilities capabilities; LeafNodeSource leaf_node_source;
//          select (leaf_node_source) { case key_package: Lifetime lifetime; case update: struct{};
//                                      case commit: opaque parent_hash<V>; };
//          Extension extensions<V>; opaque signature<V>; } LeafNode;
struct LeafNode {
  Bytes encryption_key;
  Bytes signature_key;
  Credential credential;
  Capabilities capabilities;
  LeafNodeSource source = LeafNodeSource::key_package;
  Lifetime lifetime;  // key_package
  Bytes parent_hash;  // commit
  Extensions extensions;
  Bytes signature;

  void write(Writer& writer) const;
  bool read(Reader& reader);
  friend bool operator==(const LeafNode&, const LeafNode&) = default;

  LeafIdentity identity() const;  ///< only after validate_leaf(): a basic credential, a 32-byte key
};

/// Where a leaf stands; its signature covers this unless it comes from a key package.
struct LeafPosition {
  ByteSpan group_id;
  LeafIndex index{};
};

void sign_leaf(LeafNode& leaf, const crypto::SigningKey& key, const LeafPosition& position);

/// What of section 7.3 can be said of the leaf alone: source, key lengths, suite, extensions,
/// signature, and the application's validator. Not its lifetime: see verify_key_package().
Result<> validate_leaf(const LeafNode& leaf, LeafNodeSource source, const LeafPosition& position,
                       const CredentialValidator& validator, const LeafNode* predecessor);

}  // namespace sealwire::mls

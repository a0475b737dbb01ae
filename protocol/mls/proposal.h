// Proposals and commits (RFC 9420 section 12).
#pragma once

#include "protocol/mls/key_package.h"
#include "protocol/mls/psk.h"
#include "protocol/mls/treekem.h"

namespace sealwire::mls {

enum class ProposalType : std::uint16_t {
  add = 1,
  update = 2,
  remove = 3,
  psk = 4,
  reinit = 5,
  external_init = 6,
  group_context_extensions = 7,
};

// struct { KeyPackage key_package; } Add;
struct Add {
  KeyPackage key_package;
  SW_MLS_FIELDS(key_package)
};
// struct { LeafNode leaf_node; } Update;
struct Update {
  LeafNode leaf_node;
  SW_MLS_FIELDS(leaf_node)
};
// struct { uint32 removed; } Remove;
struct Remove {
  LeafIndex removed{};
  SW_MLS_FIELDS(removed)
};
// struct { PreSharedKeyID psk; } PreSharedKey;
struct PreSharedKey {
  PreSharedKeyId psk;
  SW_MLS_FIELDS(psk)
};
// struct { opaque group_id<V>; ProtocolVersion version; CipherSuite cipher_suite;
//          Extension extensions<V>; } ReInit;
struct ReInit {
  Bytes group_id;
  ProtocolVersion version = ProtocolVersion::mls10;
  CipherSuite cipher_suite = kSuite;
  Extensions extensions;
  SW_MLS_FIELDS(group_id, version, cipher_suite, extensions)
};
// struct { opaque kem_output<V>; } ExternalInit;
struct ExternalInit {
  Bytes kem_output;
  SW_MLS_FIELDS(kem_output)
};
// struct { Extension extensions<V>; } GroupContextExtensions;
struct GroupContextExtensions {
  Extensions extensions;
  SW_MLS_FIELDS(extensions)
};

// struct { ProposalType proposal_type; select (proposal_type) { … }; } Proposal;
struct Proposal {
  std::variant<Add, Update, Remove, PreSharedKey, ReInit, ExternalInit, GroupContextExtensions>
      content;

  ProposalType type() const { return static_cast<ProposalType>(content.index() + 1); }
  void write(Writer& writer) const;
  bool read(Reader& reader);
};

using ProposalRef = Hash;

// struct { ProposalOrRefType type; select (type) { case proposal: Proposal proposal;
//          case reference: ProposalRef reference; }; } ProposalOrRef;
struct ProposalOrRef {
  std::variant<Proposal, ProposalRef> content;
  void write(Writer& writer) const;
  bool read(Reader& reader);
};

// struct { ProposalOrRef proposals<V>; optional<UpdatePath> path; } Commit;
struct Commit {
  std::vector<ProposalOrRef> proposals;
  std::optional<UpdatePath> path;
  SW_MLS_FIELDS(proposals, path)
};

}  // namespace sealwire::mls

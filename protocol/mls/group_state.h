// What stands behind a Group.
#pragma once

#include <deque>

#include "protocol/mls/epoch.h"
#include "protocol/mls/group.h"
#include "protocol/mls/message.h"

namespace sealwire::mls {

/// Proposals of one epoch that a member keeps until a commit names them. Low, since choosing among
/// those that exclude each other costs its square.
inline constexpr std::size_t kCachedProposals = 64;

struct CachedProposal {
  ProposalRef ref;
  Proposal proposal;
  Sender sender;
  SW_MLS_FIELDS(ref, proposal, sender)
};

/// The new leaf key of an Update that we proposed.
struct OwnUpdate {
  Bytes public_key;
  Secret<32> secret;
  SW_MLS_FIELDS(public_key, secret)
};

struct EpochPsk {
  std::uint64_t epoch{};
  KdfSecret secret;
  SW_MLS_FIELDS(epoch, secret)
};

/// A commit of ours that waits, and the epoch that it begins. It holds no copy of the current
/// epoch's ratchets: those may move on meanwhile.
struct PendingEpoch {
  Bytes commit;
  Epoch next;
  std::vector<Member> added;
  std::vector<Member> removed;
  void write(Writer& writer) const;
  bool read(Reader& reader);
};

struct GroupState {
  crypto::SigningKey signing_key;
  Policy policy;

  bool active = true;
  Epoch current;
  std::vector<MessageEpoch> past;    // oldest first, at most kPastEpochs
  std::vector<EpochPsk> resumption;  // of past epochs, oldest first, at most kPastEpochs
  std::vector<CachedProposal> proposals;
  std::vector<OwnUpdate> own_updates;
  std::optional<PendingEpoch> pending;

  std::optional<SecretBytes> find_psk(const PreSharedKeyId& id) const;
  /// Moves on: what the current epoch leaves behind goes to `past`, all that belonged to it alone
  /// is erased.
  void enter(Epoch next);
  MessageEpoch* message_epoch(std::uint64_t epoch);
  LeafIndex self() const { return current.keys.self(); }
  Member member(LeafIndex leaf) const { return {leaf, current.tree.leaf(leaf)->identity()}; }
  Result<> check_active() const;
  /// Signs, caches and encodes a proposal of ours.
  Result<Bytes> send_proposal(Proposal proposal, ByteSpan authenticated_data);
};

/// Encodes for the wire; fails with `mls_limit` where a peer could not read it.
Result<Bytes> encode_message(const MlsMessage& message);

/// `key` opened from the private part of a bundle.
Result<KeyPackageSecrets> read_secrets(const KeyPackageBundle& bundle);

}  // namespace sealwire::mls

// One epoch as a member holds it: the agreed context, the tree, and the secrets.
#pragma once

#include "protocol/mls/framing.h"
#include "protocol/mls/group_info.h"
#include "protocol/mls/secret_tree.h"

namespace sealwire::mls {

/// The part of an epoch that opens its messages; kept for a few epochs after it ended. Keys are
/// looked up in the epoch of the message, never in a later one.
struct MessageEpoch {
  std::uint64_t epoch{};
  Bytes group_context;  // encoded
  KdfSecret sender_data;
  std::vector<std::optional<InstanceKey>> sender_keys;  // by leaf
  SecretTree secret_tree;
  SW_MLS_FIELDS(epoch, group_context, sender_data, sender_keys, secret_tree)

  const InstanceKey* sender_key(LeafIndex leaf) const;
};

struct Epoch {
  GroupContext context;
  RatchetTree tree;
  TreePrivate keys;
  EpochSecrets secrets;
  Bytes confirmation_tag;
  Bytes interim_transcript_hash;
  MessageEpoch messages;
  SW_MLS_FIELDS(context, tree, keys, secrets, confirmation_tag, interim_transcript_hash, messages)

  ByteSpan encoded_context() const { return messages.group_context; }
};

/// `context` is complete; the confirmation tag follows from it and `secrets`.
Epoch make_epoch(GroupContext context, RatchetTree tree, TreePrivate keys, EpochSecrets secrets);

/// The signed GroupInfo of an epoch, with its tree and its external_pub.
GroupInfo make_group_info(const Epoch& epoch, const crypto::SigningKey& key);

/// All that section 12.4.3.1 wants of the tree that a joiner gets, and the signature of `info`.
Result<> validate_group_info(const GroupInfo& info, const RatchetTree& tree,
                             const CredentialValidator& validator);
/// Sections 7.3 and 12.2: every member supports what the group and the other members use.
Result<> validate_capabilities(const RatchetTree& tree, const Extensions& group_extensions);

}  // namespace sealwire::mls

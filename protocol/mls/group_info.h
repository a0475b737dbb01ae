// GroupInfo (RFC 9420 section 12.4.3): what a joiner must know of an epoch, signed by a member.
#pragma once

#include "protocol/mls/key_schedule.h"
#include "protocol/mls/ratchet_tree.h"

namespace sealwire::mls {

// struct { GroupContext group_context; Extension extensions<V>; MAC confirmation_tag;
//          uint32 signer; opaque signature<V>; } GroupInfo;
struct GroupInfo {
  GroupContext group_context;
  Extensions extensions;
  Bytes confirmation_tag;
  LeafIndex signer{};
  Bytes signature;
  SW_MLS_FIELDS(group_context, extensions, confirmation_tag, signer, signature)
};

void sign_group_info(GroupInfo& info, const crypto::SigningKey& key);
bool verify_group_info(const GroupInfo& info, ByteSpan signature_key);
/// The tree of a ratchet_tree extension. Fails with `mls_tree_invalid` where there is none.
Result<RatchetTree> carried_tree(const GroupInfo& info);

}  // namespace sealwire::mls

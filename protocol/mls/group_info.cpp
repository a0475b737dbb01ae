#include "protocol/mls/group_info.h"

namespace sealwire::mls {
namespace {

Bytes to_be_signed(const GroupInfo& info) {
  Writer writer;
  writer.put(info.group_context, info.extensions, info.confirmation_tag, info.signer);
  return writer.take();
}

}  // namespace

void sign_group_info(GroupInfo& info, const crypto::SigningKey& key) {
  info.signature = sign_with_label(key, "GroupInfoTBS", to_be_signed(info));
}

bool verify_group_info(const GroupInfo& info, ByteSpan signature_key) {
  return verify_with_label(signature_key, "GroupInfoTBS", to_be_signed(info), info.signature);
}

Result<RatchetTree> carried_tree(const GroupInfo& info) {
  const Extension* extension = find_extension(info.extensions, ExtensionType::ratchet_tree);
  if (!extension) return fail(Errc::mls_tree_invalid, "no ratchet tree came with the group info");
  return decode<RatchetTree>(extension->data, "ratchet_tree");
}

}  // namespace sealwire::mls

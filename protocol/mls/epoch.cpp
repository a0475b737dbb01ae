#include "protocol/mls/epoch.h"

#include <set>

namespace sealwire::mls {

const InstanceKey* MessageEpoch::sender_key(LeafIndex leaf) const {
  if (value(leaf) >= sender_keys.size() || !sender_keys[value(leaf)]) return nullptr;
  return &*sender_keys[value(leaf)];
}

Epoch make_epoch(GroupContext context, RatchetTree tree, TreePrivate keys, EpochSecrets secrets) {
  Epoch epoch;
  epoch.messages.epoch = context.epoch;
  epoch.messages.group_context = encode(context);
  epoch.messages.sender_data = secrets.sender_data.clone();
  for (std::uint32_t i = 0; i < tree.leaf_count(); ++i) {
    const LeafNode* leaf = tree.leaf(LeafIndex{i});
    epoch.messages.sender_keys.push_back(leaf ? InstanceKey::from(leaf->signature_key)
                                              : std::nullopt);
  }
  epoch.messages.secret_tree = SecretTree(tree.leaf_count(), std::move(secrets.encryption));
  epoch.confirmation_tag = confirmation_tag(secrets, context.confirmed_transcript_hash);
  epoch.interim_transcript_hash =
      interim_transcript_hash(context.confirmed_transcript_hash, epoch.confirmation_tag);
  epoch.context = std::move(context);
  epoch.tree = std::move(tree);
  epoch.keys = std::move(keys);
  epoch.secrets = std::move(secrets);
  return epoch;
}

GroupInfo make_group_info(const Epoch& epoch, const crypto::SigningKey& key) {
  GroupInfo info;
  info.group_context = epoch.context;
  const auto external = external_key_pair(epoch.secrets.external);
  info.extensions = {
      {ExtensionType::ratchet_tree, encode(epoch.tree)},
      {ExtensionType::external_pub, encode(ExternalPub{to_bytes(external.public_key)})}};
  info.confirmation_tag = epoch.confirmation_tag;
  info.signer = epoch.keys.self();
  sign_group_info(info, key);
  return info;
}

Result<> validate_group_info(const GroupInfo& info, const RatchetTree& tree,
                             const CredentialValidator& validator) {
  const GroupContext& context = info.group_context;
  if (context.version != ProtocolVersion::mls10 || context.cipher_suite != kSuite)
    return fail(Errc::mls_unsupported, "version or cipher suite of the group");
  if (!extensions_unique(context.extensions) || !extensions_unique(info.extensions))
    return fail(Errc::mls_malformed, "an extension is repeated");
  const LeafNode* signer = tree.leaf(info.signer);
  if (!signer) return fail(Errc::mls_tree_invalid, "the signer of the group info is no member");
  if (!verify_group_info(info, signer->signature_key))
    return fail(Errc::mls_signature, "group info");
  SW_CHECK(tree.verify_structure());
  if (!std::ranges::equal(tree.tree_hash().span(), context.tree_hash))
    return fail(Errc::mls_tree_invalid, "tree hash");
  SW_CHECK(tree.verify_parent_hashes());
  for (const LeafIndex index : tree.members()) {
    const LeafNode& leaf = *tree.leaf(index);
    SW_CHECK(validate_leaf(leaf, leaf.source, {context.group_id, index}, validator, nullptr));
  }
  return validate_capabilities(tree, context.extensions);
}

Result<> validate_capabilities(const RatchetTree& tree, const Extensions& group_extensions) {
  RequiredCapabilities required;
  if (const auto* extension =
          find_extension(group_extensions, ExtensionType::required_capabilities)) {
    SW_TRY(required, decode<RequiredCapabilities>(extension->data, "required_capabilities"));
  }
  const auto members = tree.members();
  std::set<CredentialType> credentials;
  for (const LeafIndex index : members)
    credentials.insert(tree.leaf(index)->credential.type);
  for (const LeafIndex index : members) {
    const Capabilities& capabilities = tree.leaf(index)->capabilities;
    const bool supported =
        capabilities.supports(required) &&
        std::ranges::all_of(credentials,
                            [&](CredentialType t) { return capabilities.supports(t); }) &&
        std::ranges::all_of(group_extensions,
                            [&](const Extension& e) { return capabilities.supports(e.type); });
    if (!supported)
      return fail(Errc::mls_tree_invalid, "a member lacks a capability that the group needs");
  }
  return {};
}

}  // namespace sealwire::mls

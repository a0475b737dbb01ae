// The two ways into a group without an external commit: found it, or be welcomed (RFC 9420 sections
// 11 and 12.4.3.1).
#include "protocol/mls/group_state.h"

namespace sealwire::mls {
namespace {

Result<std::vector<PskWithId>> find_psks(const std::vector<PreSharedKeyId>& ids,
                                         const Policy& policy) {
  std::vector<PskWithId> psks;
  for (const PreSharedKeyId& id : ids) {
    if (id.type == PskType::resumption && id.usage != ResumptionUsage::application)
      return fail(Errc::mls_unsupported, "a Welcome from reinit or branch");
    std::optional<SecretBytes> psk;
    if (policy.psk_lookup)
      psk = policy.psk_lookup({static_cast<PskName::Kind>(id.type), id.id, id.epoch});
    if (!psk) return fail(Errc::mls_psk_unknown, "named by the Welcome");
    psks.push_back({id, std::move(*psk)});
  }
  return psks;
}

std::optional<LeafIndex> find_leaf(const RatchetTree& tree, const LeafNode& leaf) {
  for (const LeafIndex index : tree.members()) {
    if (*tree.leaf(index) == leaf) return index;
  }
  return std::nullopt;
}

}  // namespace

Result<Group> Group::create(ByteSpan group_id, const crypto::SigningKey& signing_key,
                            ByteSpan identity, Policy policy, Random& random, UnixMillis now) {
  if (!policy.validator) return fail(Errc::mls_state, "no credential validator");
  SW_TRY(const auto bundle, make_key_package(signing_key, identity, limits::kKeyPackageLifetimeMs,
                                             false, random, now));
  SW_TRY(auto message, decode<MlsMessage>(bundle.key_package, "own key package"));
  SW_TRY(auto secrets, read_secrets(bundle));
  LeafNode leaf = std::get<KeyPackage>(std::move(message.body)).leaf_node;
  SW_CHECK(validate_leaf(leaf, LeafNodeSource::key_package, {}, policy.validator, nullptr));

  RatchetTree tree;
  SW_TRY(const LeafIndex self, tree.add_leaf(std::move(leaf)));
  GroupContext context;
  context.group_id = to_bytes(group_id);
  context.tree_hash = to_bytes(tree.tree_hash());
  TreePrivate keys(self, std::move(secrets.encryption_key));
  Epoch epoch = make_epoch(std::move(context), std::move(tree), std::move(keys),
                           expand_epoch_secret(random.secret<kHashBytes>()));
  return Group(std::make_unique<GroupState>(GroupState{
      signing_key.clone(), std::move(policy), true, std::move(epoch), {}, {}, {}, {}, {}}));
}

Result<Group> Group::join(ByteSpan welcome_bytes, const KeyPackageBundle& bundle,
                          const crypto::SigningKey& signing_key, Policy policy,
                          std::optional<ByteSpan> ratchet_tree) {
  if (!policy.validator) return fail(Errc::mls_state, "no credential validator");
  SW_TRY(const auto decoded, decode<MlsMessage>(welcome_bytes, "MLSMessage"));
  const auto* welcome = std::get_if<Welcome>(&decoded.body);
  if (!welcome) return fail(Errc::mls_malformed, "not a Welcome");
  if (welcome->cipher_suite != kSuite)
    return fail(Errc::mls_unsupported, "cipher suite of the Welcome");
  SW_TRY(const auto own_message, decode<MlsMessage>(bundle.key_package, "own key package"));
  const auto* own_package = std::get_if<KeyPackage>(&own_message.body);
  if (!own_package) return fail(Errc::mls_state, "the bundle holds no key package");
  SW_TRY(auto own_secrets, read_secrets(bundle));

  const auto init_key = crypto::AgreementKey::from_secret(std::move(own_secrets.init_key));
  SW_TRY(const auto secrets, decrypt_group_secrets(*welcome, own_package->ref(), init_key));
  SW_TRY(const auto psks, find_psks(secrets.psks, policy));
  const KdfSecret psk = psk_secret(psks);
  SW_TRY(auto info, decrypt_group_info(welcome_secret(secrets.joiner_secret, psk),
                                       welcome->encrypted_group_info));
  RatchetTree tree;
  if (ratchet_tree) {
    SW_TRY(tree, decode<RatchetTree>(*ratchet_tree, "ratchet_tree"));
  } else {
    SW_TRY(tree, carried_tree(info));
  }
  SW_CHECK(validate_group_info(info, tree, policy.validator));

  const auto self = find_leaf(tree, own_package->leaf_node);
  if (!self) return fail(Errc::mls_not_a_member, "our leaf is not in the tree");
  if (!std::ranges::equal(signing_key.public_bytes(), own_package->leaf_node.signature_key))
    return fail(Errc::mls_state, "the signing key is not that of the key package");
  if (*self == info.signer) return fail(Errc::mls_tree_invalid, "signed by our own leaf");
  TreePrivate keys(*self, std::move(own_secrets.encryption_key));
  if (!std::ranges::equal(keys.key(to_node(*self))->public_key,
                          tree.encryption_key(to_node(*self))))
    return fail(Errc::mls_state, "the private part does not belong to the key package");
  if (secrets.path_secret) {
    const NodeIndex node = tree_math::common_ancestor(*self, info.signer);
    SW_TRY([[maybe_unused]] const auto commit_secret,
           keys.implant(tree, info.signer, node, *secrets.path_secret));
  }
  const Bytes tag = std::move(info.confirmation_tag);
  auto epoch_keys = epoch_secrets(secrets.joiner_secret, psk, encode(info.group_context));
  Epoch epoch = make_epoch(std::move(info.group_context), std::move(tree), std::move(keys),
                           std::move(epoch_keys));
  if (!equal_constant_time(epoch.confirmation_tag, tag)) return fail(Errc::mls_confirmation_tag);
  return Group(std::make_unique<GroupState>(GroupState{
      signing_key.clone(), std::move(policy), true, std::move(epoch), {}, {}, {}, {}, {}}));
}

}  // namespace sealwire::mls

// The way back in for a member that lost its state: an external commit (RFC 9420 section 12.4.3.2).
#include "protocol/mls/commit_epoch.h"
#include "protocol/mls/group_state.h"
#include "protocol/mls/proposal_list.h"

namespace sealwire::mls {
namespace {

Result<Bytes> external_pub(const GroupInfo& info) {
  const Extension* extension = find_extension(info.extensions, ExtensionType::external_pub);
  if (!extension) return fail(Errc::mls_unsupported, "no external_pub came with the group info");
  SW_TRY(auto decoded, decode<ExternalPub>(extension->data, "external_pub"));
  return std::move(decoded.external_pub);
}

}  // namespace

Result<Group::ExternalJoin> Group::join_externally(
    ByteSpan group_info, const crypto::SigningKey& signing_key, ByteSpan identity, Policy policy,
    std::optional<LeafIndex> removes, std::optional<std::uint64_t> resumption_epoch,
    ByteSpan authenticated_data, Random& random, UnixMillis now) {
  if (!policy.validator) return fail(Errc::mls_state, "no credential validator");
  SW_TRY(auto decoded, decode<MlsMessage>(group_info, "MLSMessage"));
  auto* info = std::get_if<GroupInfo>(&decoded.body);
  if (!info) return fail(Errc::mls_malformed, "not a GroupInfo");
  SW_TRY(RatchetTree tree, carried_tree(*info));
  SW_CHECK(validate_group_info(*info, tree, policy.validator));
  SW_TRY(const Bytes pub, external_pub(*info));
  SW_TRY(auto init, send_external_init(pub, random));

  Commit commit;
  commit.proposals.push_back({Proposal{ExternalInit{std::move(init.kem_output)}}});
  std::vector<PskWithId> psks;
  if (resumption_epoch) {
    PreSharedKeyId id{PskType::resumption, info->group_context.group_id,
                      ResumptionUsage::application, *resumption_epoch, Bytes(kHashBytes)};
    random.fill(id.nonce);
    std::optional<SecretBytes> psk;
    if (policy.psk_lookup) psk = policy.psk_lookup({PskName::Kind::resumption, id.id, id.epoch});
    if (!psk) return fail(Errc::mls_psk_unknown, "resumption PSK of an external commit");
    commit.proposals.push_back({Proposal{PreSharedKey{id}}});
    psks.push_back({std::move(id), std::move(*psk)});
  }
  if (removes) {
    if (!tree.leaf(*removes)) return fail(Errc::mls_not_a_member, "the leaf to replace is blank");
    tree.remove_leaf(*removes);
    commit.proposals.push_back({Proposal{Remove{*removes}}});
  }

  SW_TRY(const auto bundle, make_key_package(signing_key, identity, 0, false, random, now));
  SW_TRY(auto package, decode<MlsMessage>(bundle.key_package, "own key package"));
  LeafNode leaf = std::get<KeyPackage>(std::move(package.body)).leaf_node;
  SW_TRY(const LeafIndex self, tree.add_leaf(leaf));
  SW_CHECK(tree.verify_keys_unique());
  SW_TRY(auto own_secrets, read_secrets(bundle));
  TreePrivate keys(self, std::move(own_secrets.encryption_key));
  GroupContext context = next_context(info->group_context, info->group_context.extensions);
  const auto path = create_path(tree, keys, std::move(leaf), context.group_id, signing_key, random);
  context.tree_hash = to_bytes(tree.tree_hash());
  SW_TRY(commit.path, encrypt_path(tree, path, {self}, encode(context), random));

  const Bytes encoded_before = encode(info->group_context);
  FramedContent content{context.group_id, info->group_context.epoch,
                        Sender{SenderType::new_member_commit, 0}, to_bytes(authenticated_data),
                        std::move(commit)};
  auto authenticated =
      sign_content(WireFormat::public_message, std::move(content), encoded_before, signing_key);
  context.confirmed_transcript_hash = confirmed_transcript_hash(
      interim_transcript_hash(info->group_context.confirmed_transcript_hash,
                              info->confirmation_tag),
      authenticated.confirmed_transcript_input());
  const auto secrets = commit_secrets(init.init_secret, path.commit_secret, psks, encode(context));
  Epoch epoch = make_epoch(std::move(context), std::move(tree), std::move(keys),
                           epoch_secrets(secrets.joiner, secrets.psk, secrets.encoded_context));
  authenticated.auth.confirmation_tag = epoch.confirmation_tag;
  SW_TRY(auto message,
         encode_message({protect_public(std::move(authenticated), {}, encoded_before)}));
  return ExternalJoin{
      Group(std::make_unique<GroupState>(GroupState{
          signing_key.clone(), std::move(policy), true, std::move(epoch), {}, {}, {}, {}, {}})),
      std::move(message)};
}

}  // namespace sealwire::mls

// Taking others' proposals and commits (RFC 9420 section 12.4.2). Everything is computed beside the
// state; the last lines put it in.
#include "protocol/mls/commit_epoch.h"
#include "protocol/mls/group_state.h"
#include "protocol/mls/proposal_list.h"

namespace sealwire::mls {
namespace {

// A handshake message that was opened and verified, and the ratchet key to erase in the end.
struct Authenticated {
  AuthenticatedContent content;
  std::optional<LeafIndex> ratchet_leaf;
  std::optional<Ratchet::Found> found;
};

void use_key(GroupState& state, Authenticated& message) {
  if (message.found)
    state.current.messages.secret_tree.ratchet(*message.ratchet_leaf, RatchetType::handshake)
        .use(std::move(*message.found));
}

Result<> check_addressed(const GroupState& state, ByteSpan group_id, std::uint64_t epoch) {
  if (!std::ranges::equal(group_id, state.current.context.group_id))
    return fail(Errc::mls_state, "a message of another group");
  if (epoch != state.current.context.epoch)
    return fail(Errc::mls_epoch, "epoch " + std::to_string(epoch));
  return {};
}

// The key that a PublicMessage's signature must verify under.
Result<Bytes> signature_key(const GroupState& state, const FramedContent& content) {
  switch (content.sender.type) {
    case SenderType::member: {
      const LeafNode* leaf = state.current.tree.leaf(LeafIndex{content.sender.index});
      if (!leaf) return fail(Errc::mls_not_a_member, "the sender's leaf is blank");
      return leaf->signature_key;
    }
    case SenderType::new_member_commit: {
      const auto* commit = std::get_if<Commit>(&content.body);
      if (!commit || !commit->path)
        return fail(Errc::mls_malformed, "external commit without a path");
      return commit->path->leaf_node.signature_key;
    }
    default:
      return fail(Errc::mls_unsupported, "proposals from outside the group");
  }
}

Result<Authenticated> open_public(GroupState& state, PublicMessage message) {
  SW_CHECK(check_addressed(state, message.content.group_id, message.content.epoch));
  const Epoch& epoch = state.current;
  SW_TRY(auto content, unprotect_public(std::move(message), epoch.secrets.membership_key,
                                        epoch.encoded_context()));
  SW_TRY(const Bytes key, signature_key(state, content.content));
  SW_TRY(auto verified, verify_content(std::move(content), key, epoch.encoded_context()));
  return Authenticated{std::move(verified).take(), std::nullopt, std::nullopt};
}

Result<Authenticated> open_handshake(GroupState& state, const PrivateMessage& message) {
  SW_CHECK(check_addressed(state, message.group_id, message.epoch));
  if (message.content_type == ContentType::application)
    return fail(Errc::mls_malformed, "application data is opened, not processed");
  MessageEpoch& epoch = state.current.messages;
  SW_TRY(const auto sender, open_sender_data(message, epoch.sender_data));
  const InstanceKey* key = epoch.sender_key(sender.leaf);
  if (!key) return fail(Errc::mls_not_a_member, "the sender's leaf is blank");
  SW_TRY(auto found,
         epoch.secret_tree.ratchet(sender.leaf, RatchetType::handshake).find(sender.generation));
  SW_TRY(auto content, open_private(message, sender, found.key));
  SW_TRY(auto verified, verify_content(std::move(content), *key, epoch.group_context));
  return Authenticated{std::move(verified).take(), sender.leaf, std::move(found)};
}

Result<std::vector<ProposalFrom>> resolve(const GroupState& state, const Commit& commit,
                                          const Sender& committer) {
  std::vector<ProposalFrom> proposals;
  for (const ProposalOrRef& entry : commit.proposals) {
    if (const auto* value = std::get_if<Proposal>(&entry.content)) {
      proposals.push_back({value, committer});
      continue;
    }
    const auto& ref = std::get<ProposalRef>(entry.content);
    const auto cached = std::ranges::find(state.proposals, ref, &CachedProposal::ref);
    if (cached == state.proposals.end())
      return fail(Errc::mls_proposal_invalid, "a commit names a proposal that we do not have");
    proposals.push_back({&cached->proposal, cached->sender});
  }
  return proposals;
}

// Section 12.4.3.2: what the newcomer replaces, where it replaces a leaf, is its own.
Result<> check_resync(const GroupState& state, const AppliedProposals& applied,
                      const LeafNode& leaf) {
  if (state.policy.external_commits == ExternalCommits::resync_only &&
      (applied.removed.empty() || !(applied.removed.front().identity == leaf.identity())))
    return fail(Errc::mls_proposal_invalid, "an external commit removes another's leaf");
  return {};
}

Result<> validate_path_leaf(const GroupState& state, const AppliedProposals& applied,
                            const UpdatePath& path, LeafIndex committer, bool external) {
  const LeafPosition position{state.current.context.group_id, committer};
  std::optional<LeafNode> replaced;
  if (external && !applied.removed.empty())
    replaced = *state.current.tree.leaf(applied.removed.front().leaf);
  if (!external) replaced = *applied.tree.leaf(committer);
  if (!external && replaced->encryption_key == path.leaf_node.encryption_key)
    return fail(Errc::mls_tree_invalid, "the committer keeps its encryption key");
  return validate_leaf(path.leaf_node, LeafNodeSource::commit, position, state.policy.validator,
                       replaced ? &*replaced : nullptr);
}

// Our own Update, committed by another, brings our new leaf key.
Result<TreePrivate> own_keys(const GroupState& state, const RatchetTree& tree) {
  TreePrivate keys = state.current.keys.clone();
  const ByteSpan own = tree.encryption_key(to_node(keys.self()));
  if (!std::ranges::equal(own, keys.key(to_node(keys.self()))->public_key)) {
    const auto update = std::ranges::find_if(state.own_updates, [&](const OwnUpdate& u) {
      return std::ranges::equal(u.public_key, own);
    });
    if (update == state.own_updates.end())
      return fail(Errc::mls_tree_invalid, "our leaf was changed, and not by us");
    keys.set_leaf_key(update->secret.clone());
  }
  keys.prune(tree);
  return keys;
}

struct NextEpoch {
  std::optional<Epoch> epoch;  // none: the commit removes us
  std::vector<Member> added;
  std::vector<Member> removed;
};

Result<NextEpoch> next_epoch(const GroupState& state, const AuthenticatedContent& message) {
  const Epoch& current = state.current;
  const auto& commit = std::get<Commit>(message.content.body);
  const Sender& sender = message.content.sender;
  const bool external = sender.type == SenderType::new_member_commit;
  SW_TRY(const auto proposals, resolve(state, commit, sender));
  SW_TRY(auto applied, apply_proposals(state, proposals, sender));
  if (applied.path_required && !commit.path)
    return fail(Errc::mls_proposal_invalid, "this commit needs a path");

  NextEpoch result;
  for (std::size_t i = 0; i < applied.added.size(); ++i)
    result.added.push_back({applied.added[i], applied.added_packages[i]->leaf_node.identity()});
  result.removed = applied.removed;
  LeafIndex committer{sender.index};
  if (external) {
    SW_CHECK(check_resync(state, applied, commit.path->leaf_node));
    SW_TRY(committer, applied.tree.add_leaf(commit.path->leaf_node));
    applied.added.push_back(committer);
    result.added.push_back({committer, commit.path->leaf_node.identity()});
  }
  if (commit.path) SW_CHECK(validate_path_leaf(state, applied, *commit.path, committer, external));
  if (std::ranges::count(applied.removed, current.keys.self(), &Member::leaf) > 0) return result;

  SW_TRY(auto keys, own_keys(state, applied.tree));
  GroupContext context = next_context(current.context, applied.extensions);
  KdfSecret commit_secret;
  if (commit.path) {
    SW_CHECK(merge_path(applied.tree, committer, *commit.path));
    SW_CHECK(validate_capabilities(applied.tree, applied.extensions));
    context.tree_hash = to_bytes(applied.tree.tree_hash());
    SW_TRY(commit_secret, decrypt_path(applied.tree, keys, committer, *commit.path, applied.added,
                                       encode(context)));
  } else {
    context.tree_hash = to_bytes(applied.tree.tree_hash());
  }
  context.confirmed_transcript_hash = confirmed_transcript_hash(
      current.interim_transcript_hash, message.confirmed_transcript_input());
  KdfSecret init_secret = current.secrets.init.clone();
  if (applied.external_init) {
    SW_TRY(init_secret, receive_external_init(current.secrets.external, *applied.external_init));
  }
  const auto secrets = commit_secrets(init_secret, commit_secret, applied.psks, encode(context));
  result.epoch = make_epoch(std::move(context), std::move(applied.tree), std::move(keys),
                            epoch_secrets(secrets.joiner, secrets.psk, secrets.encoded_context));
  if (!equal_constant_time(result.epoch->confirmation_tag, message.auth.confirmation_tag))
    return fail(Errc::mls_confirmation_tag);
  return result;
}

Result<Processed> take_commit(GroupState& state, Authenticated message, Processed result) {
  result.kind = Processed::Kind::commit;
  if (result.sender == state.self())
    return fail(Errc::mls_state, "a commit of ours that is not pending");
  SW_TRY(auto next, next_epoch(state, message.content));
  result.added = std::move(next.added);
  result.removed = std::move(next.removed);
  if (next.epoch) {
    use_key(state, message);
    state.enter(std::move(*next.epoch));
    return result;
  }
  result.self_removed = true;
  state.active = false;
  state.pending.reset();
  state.past.clear();
  state.resumption.clear();
  state.proposals.clear();
  state.own_updates.clear();
  state.current.secrets = {};
  state.current.messages = {};
  return result;
}

Result<Processed> take_proposal(GroupState& state, Authenticated message, Processed result) {
  const ProposalRef ref = message.content.proposal_ref();
  if (std::ranges::count(state.proposals, ref, &CachedProposal::ref) > 0) return result;
  if (state.proposals.size() >= kCachedProposals) return fail(Errc::mls_limit, "cached proposals");
  const Sender sender = message.content.content.sender;
  auto proposal = std::get<Proposal>(std::move(message.content.content.body));
  SW_CHECK(validate_proposal(state, {&proposal, sender}));
  use_key(state, message);
  state.proposals.push_back({ref, std::move(proposal), sender});
  return result;
}

}  // namespace

Result<Processed> Group::process(ByteSpan bytes) {
  GroupState& state = *state_;
  SW_CHECK(state.check_active());
  if (state.pending && std::ranges::equal(bytes, state.pending->commit)) {
    Processed result{Processed::Kind::commit, state.self(),          {}, true, false,
                     state.pending->added,    state.pending->removed};
    SW_TRY(auto info, peek(bytes));
    result.authenticated_data = std::move(info.authenticated_data);
    SW_CHECK(apply_pending());
    return result;
  }
  SW_TRY(auto decoded, decode<MlsMessage>(bytes, "MLSMessage"));
  Authenticated message;
  if (auto* open = std::get_if<PublicMessage>(&decoded.body)) {
    SW_TRY(message, open_public(state, std::move(*open)));
  } else if (auto* sealed = std::get_if<PrivateMessage>(&decoded.body)) {
    SW_TRY(message, open_handshake(state, *sealed));
  } else {
    return fail(Errc::mls_malformed, "not a message for a group");
  }

  const FramedContent& content = message.content.content;
  Processed result;
  if (content.sender.type == SenderType::member) result.sender = LeafIndex{content.sender.index};
  result.authenticated_data = content.authenticated_data;
  if (std::holds_alternative<Commit>(content.body))
    return take_commit(state, std::move(message), std::move(result));
  return take_proposal(state, std::move(message), std::move(result));
}

}  // namespace sealwire::mls

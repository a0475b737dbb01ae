// Making proposals and commits (RFC 9420 sections 12.1 and 12.4.1).
#include "protocol/mls/commit_epoch.h"
#include "protocol/mls/group_state.h"
#include "protocol/mls/proposal_list.h"

namespace sealwire::mls {
namespace {

// Proposals of a commit in the making: by reference from the cache, then by value.
struct Chosen {
  std::vector<ProposalOrRef> listed;
  std::vector<ProposalFrom> resolved;
};

Result<Proposal> add_proposal(ByteSpan key_package, const CredentialValidator& validator,
                              UnixMillis now) {
  SW_TRY(auto verified, verify_key_package(key_package, validator, now));
  return Proposal{Add{std::move(verified.key_package)}};
}

Proposal psk_proposal(PreSharedKeyId id, Random& random) {
  id.nonce.resize(kHashBytes);
  random.fill(id.nonce);
  return Proposal{PreSharedKey{std::move(id)}};
}

Result<std::vector<Proposal>> own_proposals(const GroupState& state, const CommitSpec& spec,
                                            Random& random, UnixMillis now) {
  std::vector<Proposal> proposals;
  if (spec.group_context_extensions)
    proposals.push_back({GroupContextExtensions{*spec.group_context_extensions}});
  for (const LeafIndex leaf : spec.removes)
    proposals.push_back({Remove{leaf}});
  for (const Bytes& key_package : spec.adds) {
    SW_TRY(auto add, add_proposal(key_package, state.policy.validator, now));
    proposals.push_back(std::move(add));
  }
  for (const Bytes& id : spec.external_psks)
    proposals.push_back(psk_proposal({PskType::external, id, {}, 0, {}}, random));
  for (const std::uint64_t epoch : spec.resumption_psks)
    proposals.push_back(psk_proposal({PskType::resumption,
                                      state.current.context.group_id,
                                      ResumptionUsage::application,
                                      epoch,
                                      {}},
                                     random));
  return proposals;
}

bool possible_for(LeafIndex committer, const CachedProposal& cached) {
  if (const auto* remove = std::get_if<Remove>(&cached.proposal.content))
    return remove->removed != committer;
  return !std::holds_alternative<Update>(cached.proposal.content) ||
         LeafIndex{cached.sender.index} != committer;
}

// All cached proposals where they fit together; otherwise each that fits with those before it and
// with ours.
Chosen choose(const GroupState& state, const std::vector<Proposal>& own) {
  const Sender self = Sender::member(state.self());
  std::vector<ProposalFrom> by_value;
  for (const Proposal& proposal : own)
    by_value.push_back({&proposal, self});
  const auto with_ours = [&by_value](std::vector<ProposalFrom> list) {
    list.insert(list.end(), by_value.begin(), by_value.end());
    return list;
  };
  Chosen all;
  for (const CachedProposal& cached : state.proposals) {
    if (!possible_for(state.self(), cached)) continue;
    all.resolved.push_back({&cached.proposal, cached.sender});
    all.listed.push_back({cached.ref});
  }
  Chosen chosen;
  if (all.listed.empty() || apply_proposals(state, with_ours(all.resolved), self)) {
    chosen = std::move(all);
  } else {
    for (std::size_t i = 0; i < all.listed.size(); ++i) {
      auto trial = chosen.resolved;
      trial.push_back(all.resolved[i]);
      if (!apply_proposals(state, with_ours(trial), self)) continue;
      chosen.resolved = std::move(trial);
      chosen.listed.push_back(std::move(all.listed[i]));
    }
  }
  for (const Proposal& proposal : own)
    chosen.listed.push_back({proposal});
  chosen.resolved = with_ours(std::move(chosen.resolved));
  return chosen;
}

Result<Bytes> make_welcome(const GroupInfo& info, const CommitSecrets& secrets,
                           const AppliedProposals& applied, const std::optional<CreatedPath>& path,
                           Random& random) {
  Welcome welcome;
  welcome.encrypted_group_info =
      encrypt_group_info(welcome_secret(secrets.joiner, secrets.psk), info);
  GroupSecrets group_secrets;
  group_secrets.joiner_secret = secrets.joiner.clone();
  for (const PskWithId& psk : applied.psks)
    group_secrets.psks.push_back(psk.id);
  for (std::size_t i = 0; i < applied.added.size(); ++i) {
    group_secrets.path_secret.reset();
    const KdfSecret* path_secret = path ? path_secret_for(*path, applied.added[i]) : nullptr;
    if (path_secret) group_secrets.path_secret = path_secret->clone();
    SW_TRY(auto entry, encrypt_group_secrets(*applied.added_packages[i], group_secrets,
                                             welcome.encrypted_group_info, random));
    welcome.secrets.push_back(std::move(entry));
  }
  return encode_message({std::move(welcome)});
}

}  // namespace

Result<Bytes> Group::propose_add(ByteSpan key_package, ByteSpan authenticated_data,
                                 UnixMillis now) {
  SW_TRY(auto proposal, add_proposal(key_package, state_->policy.validator, now));
  return state_->send_proposal(std::move(proposal), authenticated_data);
}

Result<Bytes> Group::propose_update(ByteSpan authenticated_data, Random& random) {
  SW_CHECK(state_->check_active());
  auto key = crypto::AgreementKey::generate(random);
  LeafNode leaf = *state_->current.tree.leaf(state_->self());
  leaf.encryption_key = to_bytes(key.public_key);
  leaf.source = LeafNodeSource::update;
  leaf.lifetime = {};
  leaf.parent_hash.clear();
  sign_leaf(leaf, state_->signing_key, {state_->current.context.group_id, state_->self()});
  SW_TRY(auto message, state_->send_proposal({Update{std::move(leaf)}}, authenticated_data));
  state_->own_updates.push_back({to_bytes(key.public_key), std::move(key.secret)});
  return message;
}

Result<Bytes> Group::propose_remove(LeafIndex leaf, ByteSpan authenticated_data) {
  return state_->send_proposal({Remove{leaf}}, authenticated_data);
}

Result<PendingCommit> Group::commit(const CommitSpec& spec, ByteSpan authenticated_data,
                                    Random& random, UnixMillis now) {
  SW_CHECK(state_->check_active());
  const Epoch& current = state_->current;
  const LeafIndex self = state_->self();
  SW_TRY(const auto own, own_proposals(*state_, spec, random, now));
  Chosen chosen = choose(*state_, own);
  SW_TRY(auto applied, apply_proposals(*state_, chosen.resolved, Sender::member(self)));

  RatchetTree tree = std::move(applied.tree);
  TreePrivate keys = current.keys.clone();
  keys.prune(tree);
  Commit commit{std::move(chosen.listed), std::nullopt};
  GroupContext context = next_context(current.context, applied.extensions);
  std::optional<CreatedPath> path;
  KdfSecret commit_secret;
  if (spec.force_path || applied.path_required) {
    path = create_path(tree, keys, *tree.leaf(self), context.group_id, state_->signing_key, random);
    commit_secret = path->commit_secret.clone();
    context.tree_hash = to_bytes(tree.tree_hash());
    SW_TRY(commit.path, encrypt_path(tree, *path, applied.added, encode(context), random));
  } else {
    context.tree_hash = to_bytes(tree.tree_hash());
  }

  FramedContent content{context.group_id, current.context.epoch, Sender::member(self),
                        to_bytes(authenticated_data), std::move(commit)};
  auto authenticated = sign_content(WireFormat::public_message, std::move(content),
                                    current.encoded_context(), state_->signing_key);
  context.confirmed_transcript_hash = confirmed_transcript_hash(
      current.interim_transcript_hash, authenticated.confirmed_transcript_input());
  const auto secrets =
      commit_secrets(current.secrets.init, commit_secret, applied.psks, encode(context));
  Epoch next = make_epoch(std::move(context), std::move(tree), std::move(keys),
                          epoch_secrets(secrets.joiner, secrets.psk, secrets.encoded_context));
  authenticated.auth.confirmation_tag = next.confirmation_tag;

  PendingCommit result;
  result.epoch = current.context.epoch;
  SW_TRY(result.commit,
         encode_message({protect_public(std::move(authenticated), current.secrets.membership_key,
                                        current.encoded_context())}));
  GroupInfo info = make_group_info(next, state_->signing_key);
  if (!applied.added.empty()) {
    SW_TRY(result.welcome, make_welcome(info, secrets, applied, path, random));
  }
  SW_TRY(result.group_info, encode_message({std::move(info)}));

  PendingEpoch pending{result.commit, std::move(next), {}, std::move(applied.removed)};
  for (const LeafIndex leaf : applied.added)
    pending.added.push_back({leaf, pending.next.tree.leaf(leaf)->identity()});
  state_->pending = std::move(pending);
  return result;
}

bool Group::has_pending() const {
  return state_->pending.has_value();
}

ByteSpan Group::pending_commit() const {
  return state_->pending ? ByteSpan(state_->pending->commit) : ByteSpan();
}

Result<> Group::apply_pending() {
  SW_CHECK(state_->check_active());
  if (!state_->pending) return fail(Errc::mls_state, "no commit is pending");
  Epoch next = std::move(state_->pending->next);
  state_->enter(std::move(next));
  return {};
}

void Group::discard_pending() {
  state_->pending.reset();
}

}  // namespace sealwire::mls

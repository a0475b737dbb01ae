#include "protocol/mls/proposal_list.h"

#include <set>

namespace sealwire::mls {
namespace {

auto invalid(const char* why) {
  return fail(Errc::mls_proposal_invalid, why);
}

template <class T>
const T* as(const ProposalFrom& from) {
  return std::get_if<T>(&from.proposal->content);
}

// Section 12.2, "a list of proposals … invalid if" for a regular commit.
Result<> check_member_list(const std::vector<ProposalFrom>& proposals, LeafIndex committer) {
  std::set<LeafIndex> changed;
  std::set<Bytes> psks;
  std::size_t context_extensions = 0;
  for (const ProposalFrom& from : proposals) {
    if (as<Update>(from)) {
      const LeafIndex leaf{from.sender.index};
      if (leaf == committer) return invalid("the committer updates itself by proposal");
      if (!changed.insert(leaf).second) return invalid("two changes of one leaf");
    } else if (const auto* remove = as<Remove>(from)) {
      if (remove->removed == committer) return invalid("the committer removes itself");
      if (!changed.insert(remove->removed).second) return invalid("two changes of one leaf");
    } else if (const auto* psk = as<PreSharedKey>(from)) {
      if (!psks.insert(encode(psk->psk)).second) return invalid("a PSK twice");
    } else if (as<GroupContextExtensions>(from)) {
      if (++context_extensions > 1) return invalid("two GroupContextExtensions");
    } else if (as<ExternalInit>(from)) {
      return invalid("ExternalInit by a member");
    }
  }
  return {};
}

// Section 12.2, for an external commit: one ExternalInit, at most one Remove, PSKs, nothing else.
Result<> check_external_list(const GroupState& state, const std::vector<ProposalFrom>& proposals) {
  std::size_t inits = 0;
  std::size_t removes = 0;
  bool resumption = false;
  std::set<Bytes> psks;
  for (const ProposalFrom& from : proposals) {
    if (from.sender.type != SenderType::new_member_commit)
      return invalid("an external commit names another's proposal");
    if (as<ExternalInit>(from)) {
      ++inits;
    } else if (as<Remove>(from)) {
      ++removes;
    } else if (const auto* psk = as<PreSharedKey>(from)) {
      if (!psks.insert(encode(psk->psk)).second) return invalid("a PSK twice");
      resumption |=
          psk->psk.type == PskType::resumption && psk->psk.id == state.current.context.group_id;
    } else {
      return invalid("an external commit may not carry this");
    }
  }
  if (inits != 1 || removes > 1) return invalid("one ExternalInit and at most one Remove");
  if (state.policy.external_commits == ExternalCommits::refuse)
    return fail(Errc::mls_unsupported, "external commits are not accepted here");
  if (state.policy.external_commits == ExternalCommits::resync_only &&
      (removes != 1 || !resumption))
    return invalid("an external commit here replaces its sender's leaf, with a resumption PSK");
  return {};
}

Result<> check_psk(const PreSharedKeyId& id) {
  if (id.nonce.size() != kHashBytes) return invalid("psk_nonce is not KDF.Nh long");
  if (id.type == PskType::resumption && id.usage != ResumptionUsage::application)
    return invalid("a PSK proposal with a usage of its own");
  return {};
}

}  // namespace

Result<> validate_proposal(const GroupState& state, const ProposalFrom& from) {
  const RatchetTree& tree = state.current.tree;
  if (const auto* add = as<Add>(from))
    return validate_key_package(add->key_package, state.policy.validator);
  if (const auto* update = as<Update>(from)) {
    const LeafIndex index{from.sender.index};
    const LeafNode* before = tree.leaf(index);
    if (from.sender.type != SenderType::member || !before) return invalid("Update by no member");
    if (before->encryption_key == update->leaf_node.encryption_key)
      return invalid("an Update keeps the encryption key");
    return validate_leaf(update->leaf_node, LeafNodeSource::update,
                         {state.current.context.group_id, index}, state.policy.validator, before);
  }
  if (const auto* remove = as<Remove>(from)) {
    if (!tree.leaf(remove->removed)) return invalid("Remove of a blank leaf");
    return {};
  }
  if (const auto* psk = as<PreSharedKey>(from)) {
    SW_CHECK(check_psk(psk->psk));
    if (!state.find_psk(psk->psk)) return fail(Errc::mls_psk_unknown);
    return {};
  }
  if (const auto* extensions = as<GroupContextExtensions>(from)) {
    if (!extensions_unique(extensions->extensions)) return invalid("an extension twice");
    return {};
  }
  if (as<ReInit>(from))
    return fail(Errc::mls_unsupported, "ReInit: another incarnation is a new group here");
  return {};
}

Result<AppliedProposals> apply_proposals(const GroupState& state,
                                         const std::vector<ProposalFrom>& proposals,
                                         const Sender& committer) {
  const bool external = committer.type == SenderType::new_member_commit;
  if (external) {
    SW_CHECK(check_external_list(state, proposals));
  } else {
    SW_CHECK(check_member_list(proposals, LeafIndex{committer.index}));
  }
  for (const ProposalFrom& from : proposals)
    SW_CHECK(validate_proposal(state, from));

  AppliedProposals applied;
  applied.tree = state.current.tree;
  applied.extensions = state.current.context.extensions;
  applied.path_required = proposals.empty();
  for (const ProposalFrom& from : proposals) {
    if (const auto* extensions = as<GroupContextExtensions>(from)) {
      applied.extensions = extensions->extensions;
      applied.path_required = true;
    } else if (const auto* psk = as<PreSharedKey>(from)) {
      applied.psks.push_back({psk->psk, std::move(*state.find_psk(psk->psk))});
    } else if (const auto* init = as<ExternalInit>(from)) {
      applied.external_init = init->kem_output;
      applied.path_required = true;
    }
  }
  // Section 12.3: first Updates, then Removes, then Adds.
  for (const ProposalFrom& from : proposals) {
    if (const auto* update = as<Update>(from)) {
      applied.tree.update_leaf(LeafIndex{from.sender.index}, update->leaf_node);
      applied.path_required = true;
    }
  }
  for (const ProposalFrom& from : proposals) {
    if (const auto* remove = as<Remove>(from)) {
      applied.removed.push_back(state.member(remove->removed));
      applied.path_required = true;
    }
  }
  for (const Member& member : applied.removed)
    applied.tree.remove_leaf(member.leaf);
  for (const ProposalFrom& from : proposals) {
    if (const auto* add = as<Add>(from)) {
      SW_TRY(const LeafIndex index, applied.tree.add_leaf(add->key_package.leaf_node));
      applied.added.push_back(index);
      applied.added_packages.push_back(&add->key_package);
    }
  }
  SW_CHECK(applied.tree.verify_keys_unique());
  SW_CHECK(validate_capabilities(applied.tree, applied.extensions));
  return applied;
}

}  // namespace sealwire::mls

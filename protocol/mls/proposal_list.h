// The proposals of one commit together: may they stand side by side (RFC 9420 section 12.2), and
// what do they make of the group (section 12.3).
#pragma once

#include "protocol/mls/group_state.h"

namespace sealwire::mls {

struct ProposalFrom {
  const Proposal* proposal;
  Sender sender;  // of the proposal, which is not always the committer
};

/// The group as the proposals leave it, before the path.
struct AppliedProposals {
  RatchetTree tree;
  Extensions extensions;
  std::vector<LeafIndex> added;
  std::vector<const KeyPackage*> added_packages;  // of `added`, in its order
  std::vector<Member> removed;
  std::vector<PskWithId> psks;
  std::optional<Bytes> external_init;  // kem_output
  bool path_required = false;
};

/// Checks and applies; `committer` is a member, or new_member_commit. Fails with
/// `mls_proposal_invalid` or what the proposal's content failed with.
Result<AppliedProposals> apply_proposals(const GroupState& state,
                                         const std::vector<ProposalFrom>& proposals,
                                         const Sender& committer);
/// What can be said of a proposal before it stands in a commit.
Result<> validate_proposal(const GroupState& state, const ProposalFrom& proposal);

}  // namespace sealwire::mls

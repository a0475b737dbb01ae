// The state as bytes: all of it at an epoch's end, and the little that each message changes.
#include "protocol/mls/group_state.h"

namespace sealwire::mls {
namespace {

constexpr std::uint16_t kStateVersion = 1;
constexpr std::uint16_t kRatchetsVersion = 1;
// What we stored ourselves may be larger than what a peer may send.
constexpr std::size_t kStateBytes = (std::size_t{1} << 30) - 1;

auto corrupt(const char* what) {
  return fail(Errc::state_corrupt, what);
}

// Puts newer secret trees in place of those of `state`; a past epoch that they lack was forgotten.
Result<> replace_ratchets(GroupState& state, ByteSpan ratchets) {
  Reader reader(ratchets, kStateBytes);
  std::uint16_t version = 0;
  Bytes group_id;
  ByteSpan part;
  if (!reader.get(version, group_id) || version != kRatchetsVersion || !reader.opaque(part) ||
      !reader.empty())
    return corrupt("ratchets");
  if (group_id != state.current.context.group_id) return corrupt("ratchets of another group");
  Reader inner = reader.inside(part);
  std::vector<std::uint64_t> epochs;
  while (!inner.empty()) {
    std::uint64_t epoch = 0;
    SecretTree tree;
    if (!inner.get(epoch, tree)) return corrupt("ratchets");
    MessageEpoch* kept = state.message_epoch(epoch);
    if (!kept || kept->secret_tree.leaves() != tree.leaves())
      return corrupt("ratchets of other epochs");
    kept->secret_tree = std::move(tree);
    epochs.push_back(epoch);
  }
  if (std::ranges::count(epochs, state.current.context.epoch) != 1)
    return corrupt("ratchets of another epoch");
  std::erase_if(state.past,
                [&](const MessageEpoch& e) { return std::ranges::count(epochs, e.epoch) == 0; });
  return {};
}

}  // namespace

SecretBytes Group::serialize() const {
  const GroupState& state = *state_;
  Writer writer;
  writer.put(kStateVersion, state.active, state.current, state.past, state.resumption,
             state.proposals, state.own_updates, state.pending);
  return writer.take_secret();
}

SecretBytes Group::serialize_ratchets() const {
  Writer writer;
  writer.put(kRatchetsVersion, state_->current.context.group_id);
  writer.vector([&] {
    for (const MessageEpoch& epoch : state_->past)
      writer.put(epoch.epoch, epoch.secret_tree);
    writer.put(state_->current.context.epoch, state_->current.messages.secret_tree);
  });
  return writer.take_secret();
}

Result<Group> Group::deserialize(ByteSpan bytes, std::optional<ByteSpan> ratchets,
                                 const crypto::SigningKey& signing_key, Policy policy) {
  if (!policy.validator) return fail(Errc::mls_state, "no credential validator");
  auto state = std::make_unique<GroupState>(
      GroupState{signing_key.clone(), std::move(policy), true, {}, {}, {}, {}, {}, {}});
  Reader reader(bytes, kStateBytes);
  std::uint16_t version = 0;
  if (!reader.get(version) || version != kStateVersion) return corrupt("version of an MLS state");
  if (!reader.get(state->active, state->current, state->past, state->resumption, state->proposals,
                  state->own_updates, state->pending) ||
      !reader.empty())
    return corrupt("an MLS state");
  const LeafNode* own = state->current.tree.leaf(state->self());
  if (!own || !std::ranges::equal(own->signature_key, signing_key.public_bytes()))
    return corrupt("an MLS state of another signing key");
  if (!state->current.keys.key(to_node(state->self())))
    return corrupt("no private key of our leaf");
  if (ratchets) SW_CHECK(replace_ratchets(*state, *ratchets));
  return Group(std::move(state));
}

}  // namespace sealwire::mls

#include "protocol/mls/group_state.h"

#include "protocol/mls/proposal_list.h"

namespace sealwire::mls {
namespace {

void write_members(Writer& writer, const std::vector<Member>& members) {
  writer.vector([&] {
    for (const Member& member : members)
      writer.put(member.leaf, member.identity.signature_key, member.identity.identity);
  });
}

bool read_members(Reader& reader, std::vector<Member>& members) {
  ByteSpan part;
  if (!reader.opaque(part)) return false;
  Reader inner = reader.inside(part);
  while (!inner.empty()) {
    Member& member = members.emplace_back();
    if (!inner.get(member.leaf, member.identity.signature_key, member.identity.identity))
      return false;
  }
  return true;
}

}  // namespace

void PendingEpoch::write(Writer& writer) const {
  writer.put(commit, next);
  write_members(writer, added);
  write_members(writer, removed);
}

bool PendingEpoch::read(Reader& reader) {
  return reader.get(commit, next) && read_members(reader, added) && read_members(reader, removed);
}

std::optional<SecretBytes> GroupState::find_psk(const PreSharedKeyId& id) const {
  if (id.type == PskType::resumption && id.id == current.context.group_id) {
    if (id.epoch == current.context.epoch)
      return SecretBytes(current.secrets.resumption_psk.span());
    const auto kept = std::ranges::find(resumption, id.epoch, &EpochPsk::epoch);
    if (kept != resumption.end()) return SecretBytes(kept->secret.span());
  }
  if (!policy.psk_lookup) return std::nullopt;
  return policy.psk_lookup({static_cast<PskName::Kind>(id.type), id.id, id.epoch});
}

void GroupState::enter(Epoch next) {
  resumption.push_back({current.context.epoch, std::move(current.secrets.resumption_psk)});
  if (resumption.size() > limits::kPastEpochs) resumption.erase(resumption.begin());
  past.push_back(std::move(current.messages));
  if (past.size() > limits::kPastEpochs) past.erase(past.begin());
  current = std::move(next);
  proposals.clear();
  own_updates.clear();
  pending.reset();
}

MessageEpoch* GroupState::message_epoch(std::uint64_t epoch) {
  if (epoch == current.context.epoch) return &current.messages;
  const auto kept = std::ranges::find(past, epoch, &MessageEpoch::epoch);
  return kept == past.end() ? nullptr : &*kept;
}

Result<> GroupState::check_active() const {
  if (!active) return fail(Errc::mls_not_a_member, "we were removed from this group");
  return {};
}

Result<Bytes> GroupState::send_proposal(Proposal proposal, ByteSpan authenticated_data) {
  SW_CHECK(check_active());
  if (proposals.size() >= kCachedProposals) return fail(Errc::mls_limit, "cached proposals");
  const Sender sender = Sender::member(self());
  SW_CHECK(validate_proposal(*this, {&proposal, sender}));
  FramedContent content{current.context.group_id, current.context.epoch, sender,
                        to_bytes(authenticated_data), proposal};
  auto authenticated = sign_content(WireFormat::public_message, std::move(content),
                                    current.encoded_context(), signing_key);
  const ProposalRef ref = authenticated.proposal_ref();
  SW_TRY(auto message,
         encode_message({protect_public(std::move(authenticated), current.secrets.membership_key,
                                        current.encoded_context())}));
  proposals.push_back({ref, std::move(proposal), sender});
  return message;
}

Result<Bytes> encode_message(const MlsMessage& message) {
  Bytes encoded = encode(message);
  if (encoded.size() > limits::kMlsVectorBytes) return fail(Errc::mls_limit, "message size");
  return encoded;
}

Result<KeyPackageSecrets> read_secrets(const KeyPackageBundle& bundle) {
  return decode<KeyPackageSecrets>(bundle.private_part.span(), "private part of a key package");
}

}  // namespace sealwire::mls

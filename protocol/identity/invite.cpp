#include "protocol/identity/invite.h"

#include "protocol/frame/frame.h"
#include "protocol/identity/did_key.h"

namespace sealwire {
namespace {

constexpr char kInviteId[] = "SWIT";
constexpr char kRedemptionId[] = "SWIV";
constexpr std::string_view kPrefix = "sealwire-invite:";
constexpr std::size_t kEndpoints = 8;

}  // namespace

InviteKey Invite::key() const {
  return crypto::SigningKey::from_seed(seed).public_key<InviteKey>();
}

std::string invite_text(const Invite& invite) {
  flatbuffers::FlatBufferBuilder b;
  const auto inviter = to_wire(b, invite.inviter.inception);
  const auto broker = put(b, invite.broker.bytes);
  const auto endpoints = b.CreateVectorOfStrings(invite.endpoints);
  const auto seed = put(b, invite.seed.span());
  Bytes bytes = finish_statement(
      b, wire::CreateInvite(b, inviter, broker, endpoints, invite.expires.value, seed), kInviteId);
  std::string text = std::string(kPrefix) + base64url(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  sodium_memzero(b.GetBufferPointer(), b.GetSize());
  return text;
}

Result<Invite> parse_invite(std::string_view text) {
  if (!text.starts_with(kPrefix))
    return fail(Errc::invite_malformed, "does not begin with sealwire-invite:");
  text.remove_prefix(kPrefix.size());
  if (text.size() > limits::kStatementBytes) return fail(Errc::invite_malformed, "too long");
  auto bytes = parse_base64url(text);
  if (!bytes) return fail(Errc::invite_malformed, "damaged: copy it whole");
  const SecretBytes decoded(std::move(*bytes));  // the seed is in it
  SW_TRY(const wire::Invite* from,
         verified_root<wire::Invite>(decoded.span(), kInviteId, Errc::invite_malformed));
  const auto broker = BrokerKey::from(span_of(from->broker()));
  auto seed = crypto::SigningSeed::from(span_of(from->seed()));
  if (!broker || !seed || from->endpoints()->size() == 0 ||
      from->endpoints()->size() > kEndpoints ||
      from->inviter()->signature()->size() != Signature::kSize)
    return fail(Errc::invite_malformed);
  SW_TRY(AgentIdentity inviter, verify_inception(from_wire(*from->inviter())));
  Invite invite{std::move(inviter), *broker, {}, {from->expires_ms()}, std::move(*seed)};
  for (const auto* endpoint : *from->endpoints())
    invite.endpoints.push_back(endpoint->str());
  return invite;
}

SignedStatement make_redemption(const crypto::SigningSeed& seed, const AgentId& agent,
                                const Digest& transcript) {
  const auto key = crypto::SigningKey::from_seed(seed);
  flatbuffers::FlatBufferBuilder b;
  const auto invite_at = put(b, key.public_bytes());
  const auto agent_at = put(b, agent.bytes);
  const auto transcript_at = put(b, transcript.bytes);
  SignedStatement result{
      finish_statement(b, wire::CreateRedemption(b, kSuite, invite_at, agent_at, transcript_at),
                       kRedemptionId),
      {}};
  result.signature = sign_statement(key, label::kRedemption, result.statement);
  return result;
}

Result<VerifiedRedemption> verify_redemption(const SignedStatement& redemption) {
  SW_TRY(
      const wire::Redemption* from,
      verified_root<wire::Redemption>(redemption.statement, kRedemptionId, Errc::invite_invalid));
  const auto invite = InviteKey::from(span_of(from->invite()));
  const auto agent = AgentId::from(span_of(from->agent()));
  const auto transcript = Digest::from(span_of(from->transcript()));
  if (from->suite() != kSuite || !invite || !agent || !transcript)
    return fail(Errc::invite_invalid);
  if (!verify_statement(invite->bytes, label::kRedemption, redemption))
    return fail(Errc::invite_invalid, "signature");
  return VerifiedRedemption{*invite, *agent, *transcript};
}

}  // namespace sealwire

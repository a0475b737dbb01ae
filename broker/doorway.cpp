#include "broker/doorway.h"

#include "protocol/statement.h"

namespace sealwire::broker {
namespace {

// The id of an envelope that may be refused for everything else, so that its sender knows which it
// was. Zero if there is none to read.
EnvelopeId peek_id(const Bytes& bytes) {
  const auto envelope = verified_root<wire::Envelope>(bytes, "SWEN", Errc::envelope_malformed,
                                                      limits::kEnvelopeBytes, 2, 2);
  if (!envelope) return {};
  const Bytes header_bytes = to_bytes(span_of((*envelope)->header()));
  const auto header = verified_root<wire::Header>(header_bytes, "SWHD", Errc::header_malformed,
                                                  limits::kHeaderBytes);
  return header ? value<EnvelopeId>((*header)->id()) : EnvelopeId{};
}

Result<VerifiedEnvelope> verify(const Doorway& door, Bytes bytes) {
  SW_TRY(Envelope envelope, Envelope::parse(std::move(bytes)));
  if (envelope.header().sender != door.peer) return fail(Errc::sender_mismatch);
  if (door.verification == VerificationMode::session)
    return verify_session(std::move(envelope), door.peer);
  return verify_signature(std::move(envelope));
}

Result<Request> read_request(const Doorway& door, const wire::Call& from, UnixMillis now) {
  switch (from.request_type()) {
    case wire::Request::Publish: {
      const auto& p = *from.request_as_Publish();
      PublishRequest request;
      if (p.key_packages() != nullptr)
        for (const auto* key_package : *p.key_packages()) {
          request.key_packages.push_back(to_bytes(span_of(key_package->bytes())));
          if (request.key_packages.back().empty()) return fail(Errc::key_package_invalid, "empty");
        }
      request.last_resort = to_bytes(span_of(p.last_resort()));
      if (p.prekey() != nullptr) {
        request.prekey = from_wire(*p.prekey());
        SW_CHECK(verify_prekey(*request.prekey, door.peer, now));
      }
      return request;
    }
    case wire::Request::Lookup:
      return LookupRequest{value<AgentId>(from.request_as_Lookup()->agent())};
    case wire::Request::Claim:
      return ClaimRequest{value<AgentId>(from.request_as_Claim()->agent())};
    case wire::Request::SetContact: {
      const auto& s = *from.request_as_SetContact();
      return SetContactRequest{value<AgentId>(s.agent()), s.contact()};
    }
    case wire::Request::ListContacts:
      return ListContactsRequest{};
    case wire::Request::IssueInvite: {
      const auto& i = *from.request_as_IssueInvite();
      return IssueInviteRequest{value<InviteKey>(i.key()), {i.expires_ms()}};
    }
    case wire::Request::Redeem: {
      SignedStatement redemption = from_wire(*from.request_as_Redeem()->redemption());
      SW_TRY(const VerifiedRedemption verified, verify_redemption(redemption));
      return RedeemRequest{std::move(redemption), verified};
    }
    case wire::Request::GetConversation:
      return GetConversationRequest{
          value<ConversationId>(from.request_as_GetConversation()->conversation())};
    default:
      return fail(Errc::frame_unknown, "request");
  }
}

}  // namespace

Result<Handshaken> shake_hands(Doorway& door, ByteSpan message) {
  if (door.state == Doorway::State::hello) {
    SW_TRY(Bytes challenge, door.server.on_hello(message));
    door.state = Doorway::State::proof;
    return Handshaken{std::move(challenge), {}};
  }
  SW_TRY(handshake::ProvenPeer peer, door.server.on_proof(message));
  door.protection = std::move(door.server).protection();
  door.peer = peer.identity.instance;
  door.state = Doorway::State::proven;
  return Handshaken{{}, PeerProven{door.connection, std::move(peer)}};
}

Bundle verify_bundle(const Doorway& door, const wire::Bundle& from) {
  Bundle bundle;
  for (const wire::EnvelopeBytes* envelope : *from.envelopes()) {
    const bool first = bundle.envelopes.empty();
    auto verified = verify(door, to_bytes(span_of(envelope->bytes())));
    if (first) {
      bundle.first_id =
          verified ? verified->header().id : peek_id(to_bytes(span_of(envelope->bytes())));
    }
    if (!verified) {
      bundle.refused = std::move(verified).error();
      bundle.envelopes.clear();
      break;
    }
    bundle.envelopes.push_back(std::move(*verified));
  }
  return bundle;
}

Called read_call(const Doorway& door, const wire::Call& from, UnixMillis now) {
  auto request = read_request(door, from, now);
  if (!request) return {door.connection, from.id(), ListContactsRequest{}, request.error()};
  return {door.connection, from.id(), std::move(*request), {}};
}

}  // namespace sealwire::broker

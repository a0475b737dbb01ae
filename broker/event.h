// What happens to the router: everything that it knows of the outside comes as one of these, with
// the time. The same events in the same order give the same decisions.
#pragma once

#include <variant>
#include <vector>

#include "protocol/envelope/envelope.h"
#include "protocol/frame/frame.h"
#include "protocol/handshake/handshake.h"

namespace sealwire::broker {

/// A connection as the broker counts them, from 1; never used twice in one run.
using ConnectionId = std::uint64_t;

/// The handshake's Proof held.
struct PeerProven {
  ConnectionId connection = 0;
  handshake::ProvenPeer peer;
};

/// One bundle of a Send: its envelopes, or why ingress refused it as a whole.
struct Bundle {
  EnvelopeId first_id;
  std::vector<VerifiedEnvelope> envelopes;
  std::optional<Error> refused;
};
struct Submitted {
  ConnectionId connection = 0;
  std::vector<Bundle> bundles;
};
struct Acknowledged {
  ConnectionId connection = 0;
  std::uint64_t sequence = 0;
};
struct CreditGranted {
  ConnectionId connection = 0;
  std::uint64_t entries = 0;  // absolute since Ready
  std::uint64_t bytes = 0;
};
/// A receiver's signed refusal; ingress has verified that the session's key signed it.
struct Nacked {
  ConnectionId connection = 0;
  std::uint64_t sequence = 0;
  SignedStatement refusal;
  EnvelopeId id;
  Digest digest;
};

struct PublishRequest {
  std::vector<Bytes> key_packages;
  Bytes last_resort;                      // empty: unchanged
  std::optional<SignedStatement> prekey;  // verified by ingress
};
struct LookupRequest {
  AgentId agent;
};
struct ClaimRequest {
  AgentId agent;
};
struct SetContactRequest {
  AgentId agent;
  wire::Contact contact = wire::Contact::none;
};
struct ListContactsRequest {};
struct IssueInviteRequest {
  InviteKey key;
  UnixMillis expires;
};
struct RedeemRequest {
  SignedStatement redemption;  // verified by ingress
  VerifiedRedemption verified;
};
struct GetConversationRequest {
  ConversationId conversation;
};
using Request =
    std::variant<PublishRequest, LookupRequest, ClaimRequest, SetContactRequest,
                 ListContactsRequest, IssueInviteRequest, RedeemRequest, GetConversationRequest>;
struct Called {
  ConnectionId connection = 0;
  std::uint32_t id = 0;
  Request request;
  std::optional<Error> refused;  // by ingress; `request` is then meaningless
};

struct Pinged {
  ConnectionId connection = 0;
  std::uint64_t nonce = 0;
};
struct Ponged {
  ConnectionId connection = 0;
};
/// The peer said Close, or its connection went.
struct Left {
  ConnectionId connection = 0;
};
/// Ingress met something that ends the session.
struct Failed {
  ConnectionId connection = 0;
  Error error;
};
/// The channel does not take more for now (or again does): nothing is delivered meanwhile.
struct FlowChanged {
  ConnectionId connection = 0;
  bool blocked = false;
};
/// Stop: refuse what is new, finish what is decided, then close every session.
struct DrainRequested {};

using Event = std::variant<PeerProven, Submitted, Acknowledged, CreditGranted, Nacked, Called,
                           Pinged, Ponged, Left, Failed, FlowChanged, DrainRequested>;

// --- what the router wants done -----------------------------------------------------------------

/// The first frame of a session: the channel is promoted, then it is sent.
struct SendReady {
  ConnectionId connection = 0;
  Bytes frame;
};
struct SendFrame {
  ConnectionId connection = 0;
  Bytes frame;
};
/// A Close frame that tells `why` coarsely, then the connection goes.
struct CloseConnection {
  ConnectionId connection = 0;
  Error why;
};
using Output = std::variant<SendReady, SendFrame, CloseConnection>;
using Outputs = std::vector<Output>;

}  // namespace sealwire::broker

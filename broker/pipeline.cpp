// The stages, in the order in which an envelope meets them. Nothing else calls them.
#include "broker/acknowledge.h"
#include "broker/authorize.h"
#include "broker/calls.h"
#include "broker/deliver.h"
#include "broker/frames_out.h"
#include "broker/item.h"
#include "broker/route.h"
#include "broker/stages.h"

namespace sealwire::broker {

// --- ingress -------------------------------------------------------------------------------------

Result<Ingressed> ingress(Doorway& door, ByteSpan message, UnixMillis now) {
  if (door.state == Doorway::State::hello || door.state == Doorway::State::proof) {
    SW_TRY(Handshaken shaken, shake_hands(door, message));
    Ingressed done{std::move(shaken.challenge), {}};
    if (shaken.proven) done.event = std::move(*shaken.proven);
    return done;
  }
  if (door.state == Doorway::State::closed) return Ingressed{};
  if (!door.ready.load(std::memory_order_acquire))
    return fail(Errc::frame_unexpected, "a frame between Proof and Ready");

  Bytes opened;
  if (door.protection.sealed()) {
    SW_TRY(opened, door.protection.open(message));
    message = opened;
  }
  SW_TRY(const Frame frame, Frame::parse(message, limits::kFrameBytes));
  const ConnectionId connection = door.connection;
  switch (frame.type()) {
    case wire::Body::Send: {
      Submitted submitted{connection, {}};
      for (const wire::Bundle* bundle : *frame.as<wire::Send>()->bundles())
        submitted.bundles.push_back(verify_bundle(door, *bundle));
      return Ingressed{{}, std::move(submitted)};
    }
    case wire::Body::Ack:
      return Ingressed{{}, Acknowledged{connection, frame.as<wire::Ack>()->sequence()}};
    case wire::Body::Credit: {
      const auto& credit = *frame.as<wire::Credit>();
      return Ingressed{{}, CreditGranted{connection, credit.entries(), credit.bytes()}};
    }
    case wire::Body::Nack: {
      const auto& nack = *frame.as<wire::Nack>();
      SignedStatement refusal = from_wire(*nack.refusal());
      SW_TRY(const VerifiedRefusal verified, verify_refusal(refusal, door.peer));
      return Ingressed{
          {},
          Nacked{connection, nack.sequence(), std::move(refusal), verified.id, verified.digest}};
    }
    case wire::Body::Call:
      return Ingressed{{}, read_call(door, *frame.as<wire::Call>(), now)};
    case wire::Body::Ping:
      return Ingressed{{}, Pinged{connection, frame.as<wire::Ping>()->nonce()}};
    case wire::Body::Pong:
      return Ingressed{{}, Ponged{connection}};
    case wire::Body::Close:
      door.state = Doorway::State::closed;
      return Ingressed{{}, Left{connection}};
    default:
      return fail(Errc::frame_unexpected, wire::EnumNameBody(frame.type()));
  }
}

// --- decide --------------------------------------------------------------------------------------

namespace {

// What the sender may know of the conversation beside the code (ENV-034, DLV-007).
Rejection explain(Core& core, const Agent& sender, const EnvelopeId& id,
                  const ConversationId& conversation_id, Errc code) {
  Rejection rejection{id, code, 0, 0, {}};
  if (code != Errc::chain_broken && code != Errc::epoch_conflict && code != Errc::stale_epoch)
    return rejection;
  const auto conversation = core.conversations.find(conversation_id);
  if (!conversation || *conversation == nullptr) return rejection;
  rejection.incarnation = (*conversation)->record.incarnation;
  rejection.epoch = (*conversation)->record.epoch;
  const ChainHead* head = (*conversation)->head(sender.number);
  if (code == Errc::chain_broken && head != nullptr) rejection.last = head->last;
  return rejection;
}

void reject(Core& core, const Session& session, Rejection rejection, const std::string& detail) {
  ++core.metrics.envelopes_rejected;
  core.log.write(LogLevel::info,
                 "bundle refused: " + std::string(name(rejection.code)) + " " + detail);
  core.changes.consequences.push_back(Rejected{session.connection, std::move(rejection)});
}

void accept(Core& core, const Session& session, const Envelope& envelope, std::uint64_t sequence,
            bool opens_bundle) {
  core.changes.consequences.push_back(Receipted{
      session.connection, {envelope.header().id, envelope.digest(), sequence}, opens_bundle});
}

// True if the bundle was accepted before, whole: it is accepted again, and nothing else happens.
Result<bool> repeated(Core& core, const Session& session, Agent& sender, const Bundle& bundle) {
  std::vector<IdRecord> known;
  for (const VerifiedEnvelope& envelope : bundle.envelopes) {
    SW_TRY(const auto record, core.ids.find(core.store, sender, envelope.header().id));
    if (!record) continue;
    if (record->digest != envelope.envelope().digest()) return fail(Errc::id_conflict);
    known.push_back(*record);
  }
  if (known.empty()) return false;
  if (known.size() != bundle.envelopes.size()) return fail(Errc::id_conflict, "part of a bundle");
  for (std::size_t i = 0; i < known.size(); ++i)
    accept(core, session, bundle.envelopes[i].envelope(), known[i].conversation_sequence, i == 0);
  core.metrics.envelopes_repeated += known.size();
  return true;
}

Result<> admissible(Core& core, Agent& sender, const Bundle& bundle) {
  if (bundle.refused) return fail(*bundle.refused);
  if (core.draining) return fail(Errc::draining);
  const auto count = static_cast<double>(bundle.envelopes.size());
  if (!sender.sends.take(core.config.sends, count, core.now)) return fail(Errc::rate_limited);
  for (std::size_t i = 0; i < bundle.envelopes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (bundle.envelopes[i].header().id == bundle.envelopes[j].header().id)
        return fail(Errc::bundle_invalid, "an id twice");
  return {};
}

Result<> decide_bundle(Core& core, const Session& session, Agent& sender, Bundle& bundle) {
  SW_CHECK(admissible(core, sender, bundle));
  SW_TRY(const bool again, repeated(core, session, sender, bundle));
  if (again) return {};
  // After the question for duplicates: what was accepted stays accepted when it is sent again late.
  for (const VerifiedEnvelope& envelope : bundle.envelopes)
    SW_CHECK(check_times(envelope.header(), core.now));
  if (bundle.envelopes.size() > 1 &&
      !sender.conversations.take(core.config.conversations, 1, core.now))
    return fail(Errc::rate_limited, "conversations");

  std::vector<AuthorizedEnvelope> authorized;
  for (VerifiedEnvelope& verified : bundle.envelopes) {
    SW_TRY(AuthorizedEnvelope one,
           authorize(std::move(verified), sender, core.directory, core.conversations, core.config));
    authorized.push_back(std::move(one));
  }
  SW_TRY(std::vector<SequencedEnvelope> sequenced,
         core.conversations.sequence(std::move(authorized), core.changes));
  bool first = true;
  for (SequencedEnvelope& envelope : sequenced) {
    accept(core, session, envelope.envelope(), envelope.sequence(), std::exchange(first, false));
    core.metrics.accepted_bytes += envelope.envelope().bytes().size();
    carry_out(core, route(core, std::move(envelope)));
  }
  core.metrics.envelopes_accepted += sequenced.size();
  return {};
}

// Whether the agent may have a session: it is known, or admitted now.
Result<Agent*> admit(Core& core, handshake::ProvenPeer& peer) {
  if (core.draining) return fail(Errc::draining);
  const AgentId id = peer.identity.agent;
  const InstanceKey key = peer.identity.instance;
  if (Agent* known = core.directory.find(id)) {
    // An invite that this agent has used before, because it never saw the Ready, does no harm.
    if (peer.redemption)
      if (const auto redeemed = redeem(core, *known, *peer.redemption, peer.redeemed_invite);
          !redeemed)
        core.log.write(LogLevel::info, "invite of a known agent: " + redeemed.error().detail);
    return known;
  }
  if (core.directory.find(key) != nullptr)
    return fail(Errc::not_admitted, "the key belongs to another agent id");
  const bool free = core.config.admission == Admission::open || core.config.admitted.contains(id);
  if (!free && !peer.redemption) return fail(Errc::not_admitted, "neither invited nor listed");
  if (core.directory.size() >= core.config.agents_max)
    return fail(Errc::not_admitted, "limits.agents is reached");
  if (peer.redemption) SW_CHECK(redeemable(core, id, peer.redeemed_invite));
  Agent& agent = core.directory.add(std::move(peer.identity));
  core.changes.touch(agent);
  core.changes.add(PutAgent{agent.number, agent.identity});
  if (peer.redemption) SW_CHECK(redeem(core, agent, *peer.redemption, peer.redeemed_invite));
  return &agent;
}

Result<> open_session(Core& core, PeerProven& event) {
  SW_TRY(Agent * agent, admit(core, event.peer));
  SW_CHECK(resume(core, *agent, event.peer));
  Session& session = core.sessions.open(event.connection, agent->number, core.now);
  session.id = core.random.make<SessionId>();
  session.transcript = event.peer.transcript;
  core.changes.consequences.push_back(BecomesReady{event.connection});
  return {};
}

Result<> decide_on(Core& core, Session& session, Submitted& event) {
  Agent& sender = core.agent_of(session);
  for (Bundle& bundle : event.bundles) {
    core.metrics.envelopes_received += bundle.envelopes.size();
    const ConversationId conversation =
        bundle.envelopes.empty() ? ConversationId{} : bundle.envelopes[0].header().conversation;
    if (const auto decided = decide_bundle(core, session, sender, bundle); !decided)
      reject(core, session,
             explain(core, sender, bundle.first_id, conversation, decided.error().code),
             decided.error().detail);
  }
  return {};
}
Result<> decide_on(Core& core, Session& session, Acknowledged& event) {
  return acknowledge(core, session, event.sequence);
}
Result<> decide_on(Core& core, Session& session, CreditGranted& event) {
  SW_CHECK(grant(session, event));
  core.backlog.insert(session.connection);
  return {};
}
Result<> decide_on(Core& core, Session& session, Nacked& event) {
  return refuse(core, session, event);
}
Result<> decide_on(Core& core, Session& session, Called& event) {
  core.changes.consequences.push_back(
      Answered{session.connection, event.id, answer_call(core, session, event)});
  return {};
}
Result<> decide_on(Core& core, Session& session, Pinged& event) {
  core.outputs.push_back(SendFrame{session.connection, frames::pong(event.nonce)});
  return {};
}
Result<> decide_on(Core&, Session&, Ponged&) {
  return {};
}
Result<> decide_on(Core& core, Session& session, FlowChanged& event) {
  session.blocked = event.blocked;
  if (!event.blocked) core.backlog.insert(session.connection);
  return {};
}

}  // namespace

void decide(Core& core, Event event) {
  if (std::holds_alternative<DrainRequested>(event)) {
    core.draining = true;
    return;
  }
  if (auto* proven = std::get_if<PeerProven>(&event)) {
    if (auto opened = open_session(core, *proven); !opened)
      end_session(core, proven->connection, std::move(opened).error());
    return;
  }
  if (const auto* left = std::get_if<Left>(&event))
    return end_session(core, left->connection, {Errc::closed, "the peer left"});
  // Also where there is no session: a Proof that the queue did not take leaves a connection behind.
  if (auto* failed = std::get_if<Failed>(&event))
    return end_session(core, failed->connection, std::move(failed->error));
  std::visit(
      [&core](auto& what) {
        if constexpr (requires { what.connection; }) {
          Session* session = core.sessions.find(what.connection);
          if (session == nullptr) return;
          constexpr bool from_peer = !std::is_same_v<std::decay_t<decltype(what)>, FlowChanged>;
          if (from_peer) session->heard = core.now;
          if constexpr (requires { decide_on(core, *session, what); })
            if (auto decided = decide_on(core, *session, what); !decided)
              end_session(core, what.connection, std::move(decided).error());
        }
      },
      event);
}

// --- settle --------------------------------------------------------------------------------------

namespace {

using Rejections = std::map<ConnectionId, std::vector<Rejection>>;

void send(Core& core, const Rejections& rejections) {
  for (const auto& [connection, list] : rejections)
    for (std::size_t at = 0; at < list.size(); at += limits::kBundlesPerSend)
      core.outputs.push_back(
          SendFrame{connection, frames::rejected(std::span(list).subspan(
                                    at, std::min(limits::kBundlesPerSend, list.size() - at)))});
}

void become_ready(Core& core, ConnectionId connection) {
  Session* session = core.sessions.find(connection);
  if (session == nullptr) return;
  Agent& agent = core.agent_of(*session);
  if (agent.session != nullptr) {
    ++core.metrics.sessions_replaced;
    end_session(core, agent.session->connection, {Errc::replaced, "by a newer session"});
  }
  agent.session = session;
  session->ready = true;
  // As decided, not as committed: what the older session has acknowledged meanwhile goes with the
  // next batch, and must not be looked for behind it.
  session->next = agent.state.mailbox.acked + 1;
  ++core.metrics.sessions_opened;
  core.outputs.push_back(
      SendReady{connection, frames::ready(*session, core.incarnation, agent, core.now)});
}

}  // namespace

void settle(Core& core, std::vector<Consequence> consequences) {
  Rejections rejections;
  std::set<AgentNumber> receivers;
  for (Consequence& consequence : consequences) {
    if (auto* rejected = std::get_if<Rejected>(&consequence)) {
      rejections[rejected->connection].push_back(std::move(rejected->rejection));
    } else if (auto* answered = std::get_if<Answered>(&consequence)) {
      core.outputs.push_back(SendFrame{answered->connection, std::move(answered->reply)});
    } else if (const auto* ready = std::get_if<BecomesReady>(&consequence)) {
      become_ready(core, ready->connection);
    } else if (const auto* fresh = std::get_if<Fresh>(&consequence)) {
      deliver_fresh(core, fresh->entry);
      receivers.insert(fresh->entry.owner);
    } else if (const auto* passing = std::get_if<Passing>(&consequence)) {
      deliver_passing(core, *passing);
      receivers.insert(passing->owner);
    } else if (const auto* unblocked = std::get_if<Unblocked>(&consequence)) {
      const Agent* owner = core.directory.at(unblocked->owner);
      if (owner != nullptr && owner->session != nullptr)
        core.backlog.insert(owner->session->connection);
    }
  }
  send(core, rejections);
  for (const AgentNumber receiver : receivers) {
    const Agent* owner = core.directory.at(receiver);
    if (owner != nullptr && owner->session != nullptr) flush(core, *owner->session);
  }
}

void refuse_all(Core& core, const std::vector<Consequence>& consequences, const Error& why) {
  Rejections rejections;
  for (const Consequence& consequence : consequences) {
    if (const auto* receipted = std::get_if<Receipted>(&consequence)) {
      if (receipted->opens_bundle)
        rejections[receipted->connection].push_back({receipted->receipt.id, why.code, 0, 0, {}});
    } else if (const auto* rejected = std::get_if<Rejected>(&consequence)) {
      // It was refused because of what never happened.
      rejections[rejected->connection].push_back({rejected->rejection.id, why.code, 0, 0, {}});
    } else if (const auto* answered = std::get_if<Answered>(&consequence)) {
      core.outputs.push_back(
          SendFrame{answered->connection, frames::refused(answered->call, wire_code(why.code))});
    } else if (const auto* ready = std::get_if<BecomesReady>(&consequence)) {
      end_session(core, ready->connection, why);
    } else if (const auto* nack = std::get_if<NackTaken>(&consequence)) {
      end_session(core, nack->connection, why);
    }
  }
  send(core, rejections);
}

void end_session(Core& core, ConnectionId connection, Error why) {
  if (Session* session = core.sessions.find(connection)) {
    Agent* agent = core.directory.at(session->agent);
    if (agent != nullptr && agent->session == session) agent->session = nullptr;
    core.backlog.erase(connection);
    core.sessions.close(connection);
    core.metrics.sessions = static_cast<std::int64_t>(core.sessions.size());
  }
  core.outputs.push_back(CloseConnection{connection, std::move(why)});
}

}  // namespace sealwire::broker

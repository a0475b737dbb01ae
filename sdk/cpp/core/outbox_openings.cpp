// Outbox: what has to happen before a peer can be written to: claims, openings, updates, prekeys,
// and the look at what the broker remembers of our chain.
#include "protocol/identity/did_key.h"
#include "protocol/letter/letter.h"
#include "protocol/limits.h"
#include "sdk/cpp/core/outbox.h"

namespace sealwire::sdk {
namespace {

constexpr std::uint64_t kRetryFirstMs = kSecondMs;
constexpr std::uint64_t kRetryLastMs = kMinuteMs;
constexpr std::uint64_t kPrekeyCacheMs = kHourMs;

}  // namespace

void Outbox::delay(Lane& lane) {
  lane.not_before =
      shared_.now + std::min(kRetryLastMs, kRetryFirstMs << std::min(lane.failures, 6u));
  ++lane.failures;
}

Conversation* Outbox::usable(const AgentId& peer, Lane& lane) {
  Conversation* conversation = conversations_.for_sending(peer);
  if (conversation != nullptr && !conversation->reopen) {
    lane.must_open = false;
    const Flight& flight = flights_[conversation->id];
    if (flight.broken || flight.paused || flight.control > 0) return nullptr;
    if (other_in_flight(*conversation)) return nullptr;
    if (!conversation->checked) {
      check(*conversation);
      return nullptr;
    }
    if (!conversation->group) {
      if (const auto loaded = conversations_.group(*conversation); !loaded) {
        reopen(*conversation);
        return nullptr;
      }
    }
    if (conversations_.update_due(*conversation)) {
      start_update(peer, *conversation);
      return nullptr;
    }
    return conversation;
  }
  if (conversations_.opening_with(peer) == nullptr && !lane.calling) claim(peer, lane);
  return nullptr;
}

// What was sealed for a group that has been replaced, or for another conversation with the peer,
// may yet be refused and sealed again: what is sealed now must not overtake it.
bool Outbox::other_in_flight(const Conversation& current) const {
  for (const ConversationId& id : conversations_.with(current.peer)) {
    const auto flight = flights_.find(id);
    if (flight == flights_.end()) continue;
    for (const Unit& unit : flight->second.units) {
      if (unit.kind != Unit::Kind::application || unit.transient) continue;
      if (id != current.id || unit.incarnation != current.incarnation) return true;
      break;  // the units of one conversation are in the order of its chain
    }
  }
  return false;
}

// Before the first message after a start: an envelope of ours that we do not know of proves that
// this state is older than what was sent, and going on would use a generation twice (ENV-036).
void Outbox::check(Conversation& conversation) {
  if (std::exchange(conversation.checking, true)) return;
  const ConversationId id = conversation.id;
  flatbuffers::FlatBufferBuilder b;
  const auto id_at = put(b, id.bytes);
  calls_.make(
      b, wire::CreateGetConversation(b, id_at),
      [this, id](const Result<const wire::Reply*>& reply) {
        Conversation* about = conversations_.find(id);
        if (about == nullptr) return;
        about->checking = false;
        const auto state = response<wire::ConversationState>(reply);
        if (!state) {
          const Errc code = state.error().code;
          if (code == Errc::closed) return;
          if (code != Errc::denied) return delay(lanes_[about->peer]);
          const auto flight = flights_.find(id);
          const bool in_use = flight != flights_.end() && !flight->second.units.empty();
          if (in_use)
            about->checked = true;
          else
            conversations_.forget(*about);
          return;
        }
        about->checked = true;
        if ((*state)->incarnation() != about->incarnation || (*state)->last_header() == nullptr)
          return;
        check_remains(*about, span_of((*state)->last_header()), span_of((*state)->last_body_hash()),
                      span_of((*state)->last_signature()));
      });
}

std::optional<ChainPosition> Outbox::own_end(const Conversation& conversation,
                                             ByteSpan header_bytes, ByteSpan body_hash,
                                             ByteSpan signature) const {
  const auto header = decode_header(header_bytes);
  const auto hash = Digest::from(body_hash);
  const auto signed_by = Signature::from(signature);
  if (!header || !hash || !signed_by || header->sender != shared_.self.instance ||
      header->conversation != conversation.id || header->incarnation != conversation.incarnation ||
      !verify_remains(*header, header_bytes, *hash, *signed_by))
    return std::nullopt;
  ChainPosition end;
  end.advance(*header, link_of(header_bytes, *hash));
  return end;
}

bool Outbox::check_remains(Conversation& conversation, ByteSpan header, ByteSpan body_hash,
                           ByteSpan signature) {
  const auto end = own_end(conversation, header, body_hash, signature);
  if (!end) return false;
  if (!conversation.sealed.passed(end->epoch, end->next_seq - 1)) {
    shared_.stop({Errc::state_corrupt,
                  "the broker holds a later message of this agent than its state knows: the state "
                  "was rolled back (a restored backup, a copy). Make a new agent or a new state"});
    return true;
  }
  return !conversation.accepted.passed(end->epoch, end->next_seq - 1) ||
         *end == conversation.accepted;
}

void Outbox::start_update(const AgentId& peer, Conversation& conversation) {
  auto bundle = conversations_.update(conversation);
  if (!bundle) {
    shared_.notice(Notice::Kind::chain_broken, "a leaf update failed", bundle.error(), &peer);
    reopen(conversation);
    return;
  }
  Unit unit;
  unit.number = shared_.next_unit++;
  unit.kind = Unit::Kind::update;
  unit.peer = peer;
  unit.expires = shared_.now + limits::kLifetimeMs;
  unit.id = bundle->id;
  unit.conversation = conversation.id;
  unit.incarnation = bundle->incarnation;
  unit.epoch = bundle->before.epoch;
  unit.sender_seq = bundle->before.next_seq;
  unit.previous = bundle->before.link;
  unit.link = bundle->after.link;
  unit.digest = bundle->digest;
  unit.envelopes = std::move(bundle->envelopes);
  launch(std::move(unit), false);
}

void Outbox::claim(const AgentId& peer, Lane& lane) {
  lane.calling = true;
  flatbuffers::FlatBufferBuilder b;
  const auto peer_at = put(b, peer.bytes);
  calls_.make(b, wire::CreateClaim(b, peer_at),
              [this, peer](const Result<const wire::Reply*>& reply) { on_claimed(peer, reply); });
}

void Outbox::on_claimed(const AgentId& peer, const Result<const wire::Reply*>& reply) {
  Lane& lane = lanes_[peer];
  lane.calling = false;
  Conversation* existing = conversations_.for_sending(peer);
  if (existing != nullptr && !existing->reopen) return;  // the peer was faster
  const auto claimed = response<wire::Claimed>(reply);
  if (!claimed) {
    const Errc code = claimed.error().code;
    if (code == Errc::closed) return;
    if (code == Errc::denied && existing == nullptr) {
      lane.must_open = false;
      refuse_lane(peer, claimed.error());
    } else {
      delay(lane);
    }
    return;
  }
  const auto identity = verify_inception(from_wire(*(*claimed)->inception()));
  ControlBundle bundle;
  Result<Conversation*> opened = fail(Errc::inception_invalid, "of another agent");
  if (identity && identity->agent == peer) {
    if (const auto learnt = peers_.learn(*identity); !learnt) return shared_.stop(learnt.error());
    opened = conversations_.open(peer, identity->instance, span_of((*claimed)->key_package()),
                                 existing, bundle);
  }
  if (!opened) {
    shared_.notice(Notice::Kind::undecryptable, "a claimed key package is not acceptable",
                   opened.error(), &peer);
    delay(lane);
    return;
  }
  lane.failures = 0;
  lane.must_open = false;
  Unit unit;
  unit.number = shared_.next_unit++;
  unit.kind = Unit::Kind::opening;
  unit.peer = peer;
  unit.expires = shared_.now + limits::kLifetimeMs;
  unit.id = bundle.id;
  unit.conversation = (*opened)->id;
  unit.incarnation = bundle.incarnation;
  unit.link = bundle.after.link;
  unit.digest = bundle.digest;
  unit.envelopes = std::move(bundle.envelopes);
  launch(std::move(unit), false);
}

void Outbox::look_up_prekey(const AgentId& peer, Lane& lane) {
  if (std::exchange(lane.calling, true)) return;
  flatbuffers::FlatBufferBuilder b;
  const auto peer_at = put(b, peer.bytes);
  calls_.make(b, wire::CreateLookup(b, peer_at),
              [this, peer](const Result<const wire::Reply*>& reply) {
                Lane& asked = lanes_[peer];
                asked.calling = false;
                const auto found = response<wire::Found>(reply);
                if (!found) {
                  if (found.error().code == Errc::denied)
                    refuse_lane(peer, found.error());
                  else if (found.error().code != Errc::closed)
                    delay(asked);
                  return;
                }
                const auto identity = verify_inception(from_wire(*(*found)->inception()));
                if (!identity || identity->agent != peer)
                  return refuse_lane(peer, {Errc::inception_invalid, "of another agent"});
                if (const auto learnt = peers_.learn(*identity); !learnt)
                  return shared_.stop(learnt.error());
                if ((*found)->prekey() == nullptr)
                  return refuse_lane(peer, {Errc::prekey_invalid, "the peer takes no letters"});
                auto prekey =
                    verify_prekey(from_wire(*(*found)->prekey()), identity->instance, shared_.now);
                if (!prekey) return refuse_lane(peer, prekey.error());
                prekey->expires = std::min(prekey->expires, shared_.now + kPrekeyCacheMs);
                asked.prekey = *prekey;
                asked.failures = 0;
              });
}

Result<> Outbox::seal_letter_unit(const AgentId& peer, Lane& lane, Unit& unit) {
  const PeerRow* row = peers_.find(peer);
  if (row == nullptr || !row->inception) return fail(Errc::peer_unverified);
  Header header;
  header.id = unit.id ? *unit.id : make_envelope_id(shared_.now, shared_.random);
  header.sender = shared_.self.instance;
  header.kind = Kind::letter;
  header.recipients = {row->instance};
  header.created = shared_.now;
  header.expires = std::min(unit.expires, shared_.now + limits::kLetterLifetimeMs);
  header.provenance = unit.provenance;
  const Bytes header_bytes = encode_header(header);
  SW_TRY(const Bytes body,
         seal_letter(lane.prekey->key, header_bytes, unit.plaintext, shared_.random));
  SealedEnvelope envelope = seal_envelope(header_bytes, body, shared_.key);
  unit.id = header.id;
  unit.conversation = {};
  unit.link = envelope.link;
  unit.digest = envelope.digest;
  unit.envelopes.clear();
  unit.envelopes.push_back(std::move(envelope.bytes));
  return {};
}

}  // namespace sealwire::sdk

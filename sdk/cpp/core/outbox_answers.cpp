// Outbox: what the broker answered. A refusal in the middle of a chain breaks what follows it; the
// chain is mended when everything in flight has its answer.
#include "protocol/limits.h"
#include "protocol/statement.h"
#include "sdk/cpp/core/outbox.h"

namespace sealwire::sdk {
namespace {

constexpr char kAcceptanceId[] = "SWAC";
constexpr std::uint64_t kRetryMs = kSecondMs;
constexpr std::uint64_t kStaleRetryMs = 200;
constexpr std::uint64_t kDeniedRetryMs = kMinuteMs;
constexpr std::uint32_t kMendsInARow = 16;

// The broker could not take it now; the very same bytes may be taken later.
bool is_retriable(Errc code) {
  return code == Errc::overloaded || code == Errc::rate_limited || code == Errc::closed ||
         code == Errc::timeout;
}

}  // namespace

Result<> Outbox::on_accepted(const wire::Accepted& accepted) {
  const SignedStatement acceptance{to_bytes(span_of(accepted.acceptance())),
                                   value<Signature>(accepted.signature())};
  if (!verify_statement(session_.info().broker.bytes, label::kAcceptance, acceptance))
    return fail(Errc::handshake_signature, "an acceptance is not the broker's");
  SW_TRY(const wire::Acceptance* root,
         verified_root<wire::Acceptance>(acceptance.statement, kAcceptanceId, Errc::frame_malformed,
                                         limits::kFrameBytes, limits::kFrameDepth,
                                         limits::kFrameTables * 4));
  for (const wire::Receipt* receipt : *root->receipts()) {
    const auto id = EnvelopeId::from(span_of(receipt->id()));
    const auto found = id ? by_id_.find(*id) : by_id_.end();
    if (found == by_id_.end()) continue;  // answered before, or a bundle's second envelope
    const auto digest = Digest::from(span_of(receipt->digest()));
    if (!digest || *digest != found->second->digest)
      return fail(Errc::id_conflict, "the broker accepted other bytes than we sent");
    finish(found->second, receipt->sequence());
  }
  return {};
}

void Outbox::finish(InFlight at, std::uint64_t sequence) {
  Unit& unit = *at;
  const ConversationId id = unit.conversation;
  for (std::size_t i = 0; i < unit.tickets.size(); ++i)
    if (unit.tickets[i] != 0)
      shared_.tell(SendAccepted{unit.tickets[i],
                                message_id(*unit.id, static_cast<std::uint16_t>(i)), sequence});
  Conversation* conversation = conversations_.find(id);
  if (conversation != nullptr) {
    Result<> done;
    if (unit.kind == Unit::Kind::opening) {
      const bool fresh = conversation->incarnation < unit.incarnation;
      done = conversations_.opening_accepted(*conversation);
      if (done && fresh)
        shared_.notice(Notice::Kind::conversation_opened,
                       unit.incarnation == 1 ? "" : "again, as its next incarnation", {},
                       &conversation->peer);
    } else if (unit.chained() && unit.incarnation == conversation->incarnation) {
      conversation->accepted = {unit.epoch, unit.sender_seq + 1, unit.link};
      conversations_.touch_lazily(*conversation);
      if (unit.kind == Unit::Kind::update) done = conversations_.update_accepted(*conversation);
    }
    if (!done) shared_.stop(done.error());
  }
  // If this is lost the same bytes are sent again, and accepted again.
  if (!unit.transient) shared_.erase_lazily(Table::outbox, RowKey(unit.number));
  Flight& flight = flights_[id];
  drop(at);
  if (flight.broken)
    mend(id);
  else
    flight.mended = 0;
}

void Outbox::drop(InFlight at) {
  Flight& flight = flights_[at->conversation];
  if (at->kind == Unit::Kind::opening || at->kind == Unit::Kind::update) --flight.control;
  by_id_.erase(*at->id);
  std::erase(queued_, at);
  flight.units.erase(at);
}

void Outbox::refuse(const Unit& unit, const Error& error) {
  for (const Ticket ticket : unit.tickets)
    if (ticket != 0) shared_.tell(SendRefused{ticket, error});
  if (!unit.transient) shared_.erase(Table::outbox, RowKey(unit.number));
}

void Outbox::refuse_lane(const AgentId& peer, const Error& error) {
  Lane& lane = lanes_[peer];
  for (const Waiting& waiting : std::exchange(lane.waiting, {})) {
    waiting_contents_ -= waiting.unit.items;
    refuse(waiting.unit, error);
  }
}

Result<> Outbox::on_rejected(const wire::Rejected& rejected) {
  std::vector<ConversationId> broken;
  for (const wire::Rejection* rejection : *rejected.rejections()) {
    const auto found = by_id_.find(value<EnvelopeId>(rejection->id()));
    if (found == by_id_.end()) continue;
    const InFlight at = found->second;
    const Error error{errc_of(rejection->code()),
                      std::string("the broker says: ") + wire::EnumNameCode(rejection->code())};
    if (at->kind == Unit::Kind::opening) {
      on_opening_refused(at, error);
      continue;
    }
    if (at->transient || at->kind == Unit::Kind::letter) {
      if (at->kind == Unit::Kind::letter && is_retriable(error.code)) {
        at->not_before = shared_.now + kRetryMs;
        flights_[at->conversation].paused = true;
        continue;
      }
      refuse(*at, error);
      drop(at);
      continue;
    }
    Conversation* conversation = conversations_.find(at->conversation);
    Flight& flight = flights_[at->conversation];
    // Only the first refusal says something of the chain; what follows it cannot but be broken.
    if (error.code == Errc::chain_broken && !flight.broken && conversation != nullptr &&
        at->incarnation == conversation->incarnation) {
      const bool known =
          rejection->last_header() != nullptr &&
          check_remains(*conversation, span_of(rejection->last_header()),
                        span_of(rejection->last_body_hash()), span_of(rejection->last_signature()));
      if (shared_.fatal) return {};
      if (!known) {
        // The broker has lost what it had accepted (an older backup): this incarnation is over.
        shared_.notice(Notice::Kind::chain_broken, "the broker has lost part of our chain", error,
                       &conversation->peer);
        reopen(*conversation);
      }
    }
    at->refused = error;
    flight.broken = true;
    broken.push_back(at->conversation);
  }
  for (const ConversationId& id : broken)
    mend(id);
  return {};
}

void Outbox::on_opening_refused(InFlight at, const Error& error) {
  if (is_retriable(error.code)) {
    at->not_before = shared_.now + kRetryMs;
    flights_[at->conversation].paused = true;
    return;
  }
  const AgentId peer = at->peer;
  const ConversationId id = at->conversation;
  refuse(*at, error);
  drop(at);
  Lane& lane = lanes_[peer];
  Conversation* conversation = conversations_.find(id);
  const bool established = conversation != nullptr && conversation->established();
  if (conversation != nullptr) conversations_.opening_refused(*conversation);
  if (error.code == Errc::epoch_conflict) {
    // The peer re-opened it first: its Welcome is in our mailbox. If it is not, the wedge shows
    // again.
    if (established) conversation->reopen = false;
    lane.not_before = shared_.now + kStaleRetryMs;
  } else if (established || conversations_.for_sending(peer) != nullptr) {
    lane.not_before = shared_.now + kDeniedRetryMs;
  } else {
    refuse_lane(peer, error);
  }
}

// An expired one that is sent again may have been accepted so long ago that the broker has
// forgotten its id. The end of its chain says so.
bool Outbox::end_unknown(const Flight& flight, const Conversation& conversation) {
  return std::any_of(flight.units.begin(), flight.units.end(), [&](const Unit& unit) {
    return unit.resent && unit.refused && unit.refused->code == Errc::envelope_expired &&
           unit.incarnation == conversation.incarnation;
  });
}

void Outbox::ask_for_end(const ConversationId& id) {
  if (std::exchange(flights_[id].asking, true)) return;
  flatbuffers::FlatBufferBuilder b;
  const auto id_at = put(b, id.bytes);
  calls_.make(b, wire::CreateGetConversation(b, id_at),
              [this, id](const Result<const wire::Reply*>& reply) {
                Flight& flight = flights_[id];
                flight.asking = false;
                const auto state = response<wire::ConversationState>(reply);
                if (!state && state.error().code == Errc::closed) return;  // all is sent again
                if (!state && state.error().code != Errc::denied) return send_later(flight);
                flight.end.emplace();
                Conversation* conversation = conversations_.find(id);
                if (!state && conversation != nullptr) {
                  reopen(*conversation);
                } else if (conversation != nullptr &&
                           (*state)->incarnation() == conversation->incarnation &&
                           (*state)->last_header() != nullptr) {
                  const auto end = own_end(*conversation, span_of((*state)->last_header()),
                                           span_of((*state)->last_body_hash()),
                                           span_of((*state)->last_signature()));
                  if (end) flight.end = *end;
                }
                mend(id);
              });
}

void Outbox::send_later(Flight& flight) {
  flight.broken = false;
  flight.paused = true;
  for (Unit& unit : flight.units)
    if (std::exchange(unit.refused, std::nullopt)) unit.not_before = shared_.now + kRetryMs;
}

void Outbox::mend(const ConversationId& id) {
  Flight& flight = flights_[id];
  const bool answered = std::all_of(flight.units.begin(), flight.units.end(), [](const Unit& unit) {
    return !unit.chained() || unit.kind == Unit::Kind::opening || unit.refused.has_value();
  });
  if (!flight.broken || !answered) return;
  Conversation* conversation = conversations_.find(id);
  if (conversation != nullptr && !flight.end && end_unknown(flight, *conversation))
    return ask_for_end(id);
  flight.broken = false;
  const ChainPosition end = std::exchange(flight.end, std::nullopt).value_or(ChainPosition{});
  if (++flight.mended > kMendsInARow && conversation != nullptr) {
    flight.mended = 0;
    reopen(*conversation);
  }

  // In the order of the chain: what only came at a bad moment is sent again as it is, and so is
  // what follows it; from the first that must go or be sealed anew, all others are sealed anew too.
  bool seal_again = false;
  bool kept = false;
  std::optional<UnixMillis> stale;
  std::vector<Waiting> back;
  for (auto at = flight.units.begin(); at != flight.units.end();) {
    const auto next = std::next(at);
    if (!at->chained() || at->kind == Unit::Kind::opening) {
      at = next;
      continue;
    }
    const Error error = *std::exchange(at->refused, std::nullopt);
    if (error.code == Errc::envelope_expired && conversation != nullptr &&
        at->incarnation == conversation->incarnation && end.passed(at->epoch, at->sender_seq)) {
      finish(at, 0);
      at = next;
      continue;
    }
    const bool keep =
        !seal_again && (is_retriable(error.code) || (kept && error.code == Errc::chain_broken));
    if (keep) {
      kept = true;
      at->not_before = shared_.now + kRetryMs;
      flight.paused = true;
      at = next;
      continue;
    }
    if (conversation != nullptr && at->incarnation == conversation->incarnation && !seal_again) {
      conversation->sealed = at->before();
      conversations_.touch(*conversation);
    }
    seal_again = true;
    if (at->kind == Unit::Kind::update) {
      if (conversation != nullptr && at->incarnation == conversation->incarnation) {
        if (const auto undone = conversations_.update_refused(*conversation); !undone)
          shared_.stop(undone.error());
        // Denied or too early: not again at once. A conflict's winner counts as an update of the
        // tree, but not of our leaf.
        if (error.code != Errc::epoch_conflict && error.code != Errc::chain_broken)
          conversation->last_update = shared_.now;
        else
          stale = shared_.now + kStaleRetryMs;
      }
      refuse(*at, error);
    } else if (error.code == Errc::stale_epoch || error.code == Errc::chain_broken ||
               is_retriable(error.code)) {
      if (error.code == Errc::stale_epoch) stale = shared_.now + kStaleRetryMs;
      Unit unit = *at;
      unit.envelopes.clear();
      unit.not_before = {};
      waiting_contents_ += unit.items;
      back.push_back({std::move(unit), false});
    } else {
      refuse(*at, error);
    }
    drop(at);
    at = next;
  }
  if (back.empty() && !stale) return;
  const AgentId peer = conversation != nullptr ? conversation->peer : back.front().unit.peer;
  Lane& lane = lanes_[peer];
  if (stale) lane.not_before = std::max(lane.not_before, *stale);
  lane.waiting.insert(lane.waiting.begin(), std::make_move_iterator(back.begin()),
                      std::make_move_iterator(back.end()));
}

}  // namespace sealwire::sdk

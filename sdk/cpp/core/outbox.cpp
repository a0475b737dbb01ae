// Outbox: rows, lanes, sealing, frames. What the broker answers is in outbox_answers.cpp, what has
// to be asked before a peer can be written to in outbox_openings.cpp.
#include "sdk/cpp/core/outbox.h"

#include "protocol/limits.h"

namespace sealwire::sdk {
namespace {

constexpr std::size_t kSendFrameBytes = 1024 * 1024;  // aimed at
constexpr std::size_t kBatchBytes = 64 * 1024;        // of one ContentBatch
constexpr std::size_t kSealsPerLane = 64;             // before it is the next lane's turn
constexpr std::uint64_t kExpiryCheckMs = 5 * kSecondMs;
constexpr std::uint64_t kAnswerMs = 30 * kSecondMs;

}  // namespace

Result<> Outbox::load() {
  std::uint64_t last = 0;
  std::map<ConversationId, std::vector<Unit>> sealed;
  SW_CHECK(shared_.state.scan(Table::outbox, [&](ByteSpan key, SecretBytes value) -> Result<> {
    const std::uint64_t number = RowKey(key).number();
    SW_TRY(Unit unit, decode_unit(number, value.span()));
    unit.tickets.resize(unit.items);
    last = std::max(last, number);
    if (unit.sealed()) {
      sealed[unit.conversation].push_back(std::move(unit));
    } else {
      waiting_contents_ += unit.items;
      Lane& lane = lanes_[unit.peer];
      lane.waiting.push_back({std::move(unit), true});
    }
    return {};
  }));
  shared_.next_unit = last + 1;
  for (auto& [id, units] : sealed) {
    // The order of the chain, in which the broker has to see them again.
    std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) {
      return std::tuple(a.incarnation, a.epoch, a.sender_seq) <
             std::tuple(b.incarnation, b.epoch, b.sender_seq);
    });
    for (Unit& unit : units)
      take_off(std::move(unit));  // on_ready() sends them
  }
  return {};
}

void Outbox::add(Unit unit, bool stored) {
  if (stored)
    for (const Ticket ticket : unit.tickets)
      shared_.tell(SendStored{ticket});
  waiting_contents_ += unit.items;
  const AgentId peer = unit.peer;
  lanes_[peer].waiting.push_back({std::move(unit), stored});
}

void Outbox::reopen(Conversation& conversation) {
  conversation.reopen = true;
  conversations_.touch(conversation);
  Lane& lane = lanes_[conversation.peer];
  lane.must_open = true;
  // 1 s, 2 s, … an hour: two sides that cannot agree must not keep each other busy.
  const std::uint64_t wait =
      conversation.reopened == 0
          ? 0
          : std::min(kHourMs, kSecondMs << std::min(conversation.reopened, 12u));
  lane.not_before = std::max(lane.not_before, shared_.now + wait);
  ++conversation.reopened;
}

void Outbox::pump() {
  if (session_.ready() && !lanes_.empty()) {
    auto lane = lanes_.lower_bound(first_lane_);
    for (std::size_t i = lanes_.size(); i > 0; --i) {
      if (lane == lanes_.end()) lane = lanes_.begin();
      pump_lane(lane->first, lane->second);
      ++lane;
    }
    first_lane_ = lane == lanes_.end() ? AgentId{} : lane->first;
  }
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    store_waiting(lane->second);
    const bool idle =
        lane->second.waiting.empty() && !lane->second.calling && !lane->second.must_open;
    lane = idle ? lanes_.erase(lane) : std::next(lane);
  }
  send_queued();
}

void Outbox::pump_lane(const AgentId& peer, Lane& lane) {
  if (shared_.now < lane.not_before) return;
  if (lane.waiting.empty() && lane.must_open) {
    usable(peer, lane);
    return;
  }
  for (std::size_t turn = 0; turn < kSealsPerLane || lanes_.size() == 1; ++turn) {
    if (lane.waiting.empty() || in_flight() >= shared_.config.window || shared_.fatal) return;
    if (lane.waiting.front().unit.expires <= shared_.now) {
      refuse(lane.waiting.front().unit, {Errc::envelope_expired, "before it could be sent"});
      waiting_contents_ -= lane.waiting.front().unit.items;
      lane.waiting.pop_front();
      continue;
    }
    if (lane.waiting.front().unit.kind == Unit::Kind::letter) {
      if (!lane.prekey || lane.prekey->expires <= shared_.now) return look_up_prekey(peer, lane);
    } else {
      Conversation* conversation = usable(peer, lane);
      if (conversation == nullptr) return;
      coalesce(lane);
    }
    Waiting next = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    waiting_contents_ -= next.unit.items;
    const Result<> sealed = next.unit.kind == Unit::Kind::letter
                                ? seal_letter_unit(peer, lane, next.unit)
                                : conversations_.seal(*conversations_.for_sending(peer), next.unit);
    if (!sealed) {
      refuse(next.unit, sealed.error());
      continue;
    }
    launch(std::move(next.unit), next.stored);
  }
}

// Several contents become one envelope only when more waits than the window holds: a message alone
// keeps its own envelope, with its own signature and id.
void Outbox::coalesce(Lane& lane) {
  if (waiting_contents_ <= shared_.config.window) return;
  Unit& first = lane.waiting.front().unit;
  if (first.id || first.transient) return;
  std::vector<Content> contents;
  std::size_t bytes = first.plaintext.size();
  std::size_t taken = 1;
  std::size_t items = first.items;
  for (; taken < lane.waiting.size(); ++taken) {
    const Unit& next = lane.waiting[taken].unit;
    bytes += next.plaintext.size();
    items += next.items;
    if (next.kind != Unit::Kind::application || next.id || next.transient ||
        next.expires != first.expires || next.provenance != first.provenance ||
        bytes > kBatchBytes || items > limits::kContentItems)
      break;
  }
  if (taken == 1) return;
  for (std::size_t i = 0; i < taken; ++i) {
    Waiting& part = lane.waiting[i];
    // It was encoded by us.
    auto decoded = decode_content(part.unit.plaintext);
    if (!decoded) return shared_.stop(decoded.error());
    std::move(decoded->begin(), decoded->end(), std::back_inserter(contents));
    if (i == 0) continue;
    first.tickets.insert(first.tickets.end(), part.unit.tickets.begin(), part.unit.tickets.end());
    if (part.stored) shared_.erase(Table::outbox, RowKey(part.unit.number));
  }
  first.items = static_cast<std::uint16_t>(contents.size());
  first.plaintext = encode_content(contents);
  lane.waiting.erase(lane.waiting.begin() + 1,
                     lane.waiting.begin() + static_cast<std::ptrdiff_t>(taken));
}

Outbox::InFlight Outbox::take_off(Unit unit) {
  Flight& flight = flights_[unit.conversation];
  if (unit.kind == Unit::Kind::opening || unit.kind == Unit::Kind::update) ++flight.control;
  if (by_id_.empty()) next_probe_ = shared_.now + kAnswerMs;
  flight.units.push_back(std::move(unit));
  const InFlight at = std::prev(flight.units.end());
  by_id_[*at->id] = at;
  return at;
}

void Outbox::launch(Unit unit, bool stored) {
  const InFlight at = take_off(std::move(unit));
  queued_.push_back(at);
  if (!at->transient) shared_.write(Table::outbox, RowKey(at->number), encode(*at));
  for (std::size_t i = 0; i < at->tickets.size(); ++i) {
    if (at->tickets[i] == 0) continue;
    if (!stored && !at->transient) shared_.tell(SendStored{at->tickets[i]});
    shared_.tell(SendSealed{at->tickets[i], message_id(*at->id, static_cast<std::uint16_t>(i))});
  }
}

void Outbox::store_waiting(Lane& lane) {
  // What is not stored yet was added last, or put back in front.
  for (Waiting& waiting : lane.waiting) {
    if (waiting.stored || waiting.unit.transient) continue;
    shared_.write(Table::outbox, RowKey(waiting.unit.number), encode(waiting.unit));
    waiting.stored = true;
    for (const Ticket ticket : waiting.unit.tickets)
      shared_.tell(SendStored{ticket});
  }
}

void Outbox::send_queued() {
  const std::vector<InFlight> queued = std::exchange(queued_, {});
  if (!session_.ready()) return;
  const std::size_t frame_bytes =
      std::min<std::size_t>(kSendFrameBytes, session_.info().terms.frame_bytes_max / 2);
  for (std::size_t at = 0; at < queued.size();) {
    flatbuffers::FlatBufferBuilder b(64 * 1024);
    std::vector<flatbuffers::Offset<wire::Bundle>> bundles;
    for (; at < queued.size() && bundles.size() < limits::kBundlesPerSend; ++at) {
      if (!bundles.empty() && b.GetSize() > frame_bytes) break;
      std::vector<flatbuffers::Offset<wire::EnvelopeBytes>> envelopes;
      for (const Bytes& envelope : queued[at]->envelopes)
        envelopes.push_back(wire::CreateEnvelopeBytes(b, put(b, envelope)));
      bundles.push_back(wire::CreateBundle(b, b.CreateVector(envelopes)));
      queued[at]->sent = shared_.now;
    }
    session_.send(finish_frame(b, wire::CreateSend(b, b.CreateVector(bundles))));
  }
}

void Outbox::on_ready() {
  queued_.clear();
  next_probe_ = shared_.now + kAnswerMs;
  for (auto& [id, flight] : flights_) {
    flight.broken = flight.paused = false;
    flight.end.reset();
    for (auto unit = flight.units.begin(); unit != flight.units.end(); ++unit) {
      unit->refused.reset();
      unit->sent = unit->not_before = {};
      unit->resent = true;
      queued_.push_back(unit);
    }
  }
  for (auto& [peer, lane] : lanes_) {
    lane.not_before = {};
    lane.prekey.reset();
  }
}

void Outbox::on_session_end() {
  queued_.clear();
  for (auto& [id, flight] : flights_)
    for (auto unit = flight.units.begin(); unit != flight.units.end();) {
      const auto next = std::next(unit);
      if (unit->transient) {
        refuse(*unit, {Errc::closed, "the connection went; transients are not sent again"});
        drop(unit);
      }
      unit = next;
    }
  for (auto& [peer, lane] : lanes_)
    lane.calling = false;
}

void Outbox::on_timer() {
  if (shared_.now >= next_expiry_) expire_waiting();
  send_again();
  if (session_.ready() && !by_id_.empty() && shared_.now >= next_probe_) {
    next_probe_ = shared_.now + kAnswerMs;
    session_.ping();
  }
}

// A broker that has read the Ping has read what was sent before it. If that has no answer after all
// this time it never came, and only another session sends it again.
Result<> Outbox::on_pong(UnixMillis pinged) {
  for (const auto& [id, unit] : by_id_) {
    const bool waits = !unit->refused && unit->not_before.value == 0;
    if (waits && unit->sent.value != 0 && pinged >= unit->sent + kAnswerMs)
      return fail(Errc::timeout, "the broker does not answer what it was sent");
  }
  return {};
}

void Outbox::send_again() {
  if (!session_.ready()) return;
  for (auto& [id, flight] : flights_) {
    if (!flight.paused) continue;
    flight.paused = false;
    for (auto unit = flight.units.begin(); unit != flight.units.end(); ++unit) {
      if (unit->not_before > shared_.now) {
        flight.paused = true;
      } else if (unit->not_before.value != 0) {
        unit->not_before = {};
        queued_.push_back(unit);
      }
    }
  }
}

void Outbox::expire_waiting() {
  next_expiry_ = shared_.now + kExpiryCheckMs;
  for (auto& [peer, lane] : lanes_)
    std::erase_if(lane.waiting, [this](const Waiting& waiting) {
      if (waiting.unit.expires > shared_.now) return false;
      waiting_contents_ -= waiting.unit.items;
      refuse(waiting.unit, {Errc::envelope_expired, "before it could be sent"});
      return true;
    });
}

void Outbox::on_clock_set_back(std::uint64_t ms) {
  next_expiry_ = next_expiry_ - ms;
  next_probe_ = next_probe_ - ms;
  for (auto& [peer, lane] : lanes_)
    lane.not_before = lane.not_before - ms;
  // Zero is no time.
  for (auto& [id, flight] : flights_)
    for (Unit& unit : flight.units)
      for (UnixMillis* time : {&unit.not_before, &unit.sent})
        if (time->value != 0) *time = std::max(*time - ms, UnixMillis{1});
}

UnixMillis Outbox::next_timer() const {
  UnixMillis next{UINT64_MAX};
  if (session_.ready() && !by_id_.empty()) next = next_probe_;
  for (const auto& [peer, lane] : lanes_) {
    if (lane.waiting.empty() && !lane.must_open) continue;
    if (lane.not_before > shared_.now && session_.ready()) next = std::min(next, lane.not_before);
    next = std::min(next, next_expiry_);
  }
  for (const auto& [id, flight] : flights_) {
    if (!flight.paused || !session_.ready()) continue;
    for (const Unit& unit : flight.units)
      if (unit.not_before.value != 0) next = std::min(next, unit.not_before);
  }
  return next;
}

}  // namespace sealwire::sdk

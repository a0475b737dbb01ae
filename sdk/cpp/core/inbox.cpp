// Inbox: the order of entries, the resume cursor, credit and acknowledgements. What is in an entry
// is for inbox_entries.cpp.
#include "sdk/cpp/core/inbox.h"

#include "protocol/limits.h"

namespace sealwire::sdk {
namespace {

const RowKey kCursorRow(as_bytes("cursor"));
constexpr std::uint64_t kCreditEntries = 1024;
constexpr std::uint64_t kCreditBytes = 2 * limits::kFrameBytes;
constexpr unsigned kNackSessions = 3;

}  // namespace

Result<> Inbox::load() {
  SW_TRY(const auto cursor, shared_.state.read(Table::meta, kCursorRow));
  if (cursor) {
    Reader in(cursor->span());
    cursor_ = in.u64();
    incarnation_ = in.opaque<BrokerIncarnation>();
    SW_CHECK(in.done("the cursor"));
  }
  SW_CHECK(shared_.state.scan(Table::inbox, [this](ByteSpan key, SecretBytes value) -> Result<> {
    SW_TRY(Received received, decode_received(RowKey(key).number(), value.span()));
    next_number_ = received.number + 1;
    ++waiting_;
    shared_.tell(std::move(received));
    return {};
  }));
  SW_CHECK(shared_.state.scan(Table::held, [this](ByteSpan key, SecretBytes value) -> Result<> {
    SW_TRY(HeldRow row, decode_held(RowKey(key).number(), value.span()));
    next_held_ = row.number + 1;
    SW_TRY(const Envelope envelope, Envelope::parse(row.envelope));
    const Header& header = envelope.header();
    held_[header.conversation][{header.epoch, header.sender_seq}] = std::move(row);
    return {};
  }));
  SW_CHECK(shared_.state.scan(Table::ids, [this](ByteSpan key, SecretBytes value) -> Result<> {
    Reader in(value.span());
    if (const auto id = Digest::from(key)) letters_[*id] = {in.u64()};
    return {};
  }));
  return shared_.state.scan(Table::nacks, [this](ByteSpan key, SecretBytes value) -> Result<> {
    Reader in(value.span());
    SignedStatement refusal{to_bytes(in.bytes()), in.opaque<Signature>()};
    SW_CHECK(in.done("the refusals"));
    nacks_[RowKey(key).number()].refusal = std::move(refusal);
    return {};
  });
}

Session::Resume Inbox::resume() const {
  // A refusal that may not have arrived must not be overtaken by the cursor: an Ack of its entry
  // would be taken as a success.
  return {nacks_.empty() ? cursor_ : std::min(cursor_, nacks_.begin()->first - 1), incarnation_};
}

Result<> Inbox::on_ready() {
  const handshake::Ready& ready = session_.info();
  asked_ = false;
  entries_.clear();
  used_entries_ = used_bytes_ = granted_entries_ = granted_bytes_ = 0;
  nacked_ = 0;
  if (incarnation_ != ready.incarnation || ready.mailbox_last < cursor_) {
    // Another store behind the same broker (a restored backup): its mailbox counts anew.
    cursor_ = ready.mailbox_acked;
    for (const auto& [sequence, refusal] : std::exchange(nacks_, {}))
      shared_.erase(Table::nacks, RowKey(sequence));
  } else if (ready.mailbox_acked > cursor_) {
    return fail(Errc::state_corrupt,
                "the broker saw this agent acknowledge more than its state knows: the state was "
                "rolled back (a restored backup, a copy)");
  }
  incarnation_ = ready.incarnation;
  acked_ = ready.mailbox_acked;
  while (!nacks_.empty() && nacks_.begin()->first <= ready.mailbox_acked) {
    shared_.erase(Table::nacks, RowKey(nacks_.begin()->first));
    nacks_.erase(nacks_.begin());
  }
  // One that several sessions could not get across is given up: it would keep the cursor back.
  for (auto nack = nacks_.begin(); nack != nacks_.end();) {
    const bool give_up = ++nack->second.sessions > kNackSessions;
    if (give_up) shared_.erase(Table::nacks, RowKey(nack->first));
    nack = give_up ? nacks_.erase(nack) : std::next(nack);
  }
  cursor_changed_ = true;
  return {};
}

void Inbox::on_session_end() {
  entries_.clear();
}

Result<Inbox::Entry> Inbox::read(const wire::Entry& from) const {
  Entry entry;
  entry.sequence = from.sequence();
  entry.conversation_sequence = from.conversation_sequence();
  entry.type = from.item_type();
  if (const auto* delivery = from.item_as_Delivery()) {
    entry.bytes = to_bytes(span_of(delivery->envelope()));
  } else if (const auto* tombstone = from.item_as_Tombstone()) {
    entry.bytes = to_bytes(span_of(tombstone->header()));
    entry.body_hash = value<Digest>(tombstone->body_hash());
    entry.signature = value<Signature>(tombstone->signature());
  } else if (const auto* refused = from.item_as_Refused()) {
    entry.statement = from_wire(*refused->refusal());
  } else if (const auto* redeemed = from.item_as_Redeemed()) {
    entry.statement = from_wire(*redeemed->redemption());
    entry.inception = from_wire(*redeemed->inception());
  } else {
    return fail(Errc::frame_unknown, "an item");
  }
  return entry;
}

std::size_t Inbox::Entry::credit_bytes() const {
  switch (type) {
    case wire::Item::Tombstone:
      return bytes.size() + Digest::kSize + Signature::kSize;
    case wire::Item::Refused:
      return statement.statement.size() + Signature::kSize;
    case wire::Item::Redeemed:
      return statement.statement.size() + inception.statement.size() + 2 * Signature::kSize;
    default:
      return bytes.size();
  }
}

Result<> Inbox::on_deliver(const wire::Deliver& deliver) {
  for (const wire::Entry* from : *deliver.entries()) {
    SW_TRY(Entry entry, read(*from));
    ++used_entries_;
    used_bytes_ += entry.credit_bytes();
    if (used_entries_ > granted_entries_ || used_bytes_ > granted_bytes_)
      return fail(Errc::credit_exceeded, "the broker delivers beyond our credit");
    entries_.push_back(std::move(entry));
  }
  return process();
}

Result<> Inbox::process() {
  while (!entries_.empty() && !shared_.fatal) {
    const Entry& entry = entries_.front();
    if (entry.sequence != 0 && entry.sequence <= cursor_) {
      entries_.pop_front();  // it came again, and had been processed
      continue;
    }
    if (entry.sequence != 0 && entry.sequence != cursor_ + 1)
      return fail(Errc::frame_unexpected, "a gap in the mailbox");
    SW_TRY(const Outcome outcome, process(entry));
    if (outcome == Outcome::stalled) return {};
    if (entry.sequence != 0) {
      cursor_ = entry.sequence;
      cursor_changed_ = true;
    }
    entries_.pop_front();
  }
  return {};
}

void Inbox::acknowledge(std::uint64_t number, bool erased) {
  if (number == 0) return;
  if (!erased) shared_.erase_lazily(Table::inbox, RowKey(number));
  if (waiting_ > 0) --waiting_;
}

void Inbox::save_cursor() {
  if (!std::exchange(cursor_changed_, false)) return;
  Writer row;
  row.u64(cursor_).raw(incarnation_.value_or(BrokerIncarnation{}));
  shared_.write(Table::meta, kCursorRow, std::move(row).take());
}

void Inbox::answer() {
  save_cursor();
  if (!session_.ready()) return;
  const auto ack = [this](std::uint64_t up_to) {
    if (up_to <= acked_) return;
    acked_ = up_to;
    flatbuffers::FlatBufferBuilder b;
    session_.send(finish_frame(b, wire::CreateAck(b, up_to)));
  };
  for (auto nack = nacks_.upper_bound(std::max(nacked_, acked_)); nack != nacks_.end(); ++nack) {
    if (nack->first > cursor_) break;
    ack(nack->first - 1);
    flatbuffers::FlatBufferBuilder b;
    const auto refusal = to_wire(b, nack->second.refusal);
    session_.send(finish_frame(b, wire::CreateNack(b, nack->first, refusal)));
    nacked_ = acked_ = nack->first;
  }
  ack(cursor_);

  const std::size_t room =
      shared_.config.inbox_messages_max - std::min(shared_.config.inbox_messages_max, waiting_);
  const std::uint64_t entries =
      used_entries_ - entries_.size() + std::min<std::uint64_t>(kCreditEntries, room);
  const std::uint64_t bytes = used_bytes_ + kCreditBytes;
  const bool low = granted_entries_ < used_entries_ + kCreditEntries / 2 ||
                   granted_bytes_ < used_bytes_ + kCreditBytes / 2;
  if (!low || entries <= granted_entries_) return;
  granted_entries_ = entries;
  granted_bytes_ = std::max(granted_bytes_, bytes);
  flatbuffers::FlatBufferBuilder b;
  session_.send(finish_frame(b, wire::CreateCredit(b, granted_entries_, granted_bytes_)));
}

}  // namespace sealwire::sdk

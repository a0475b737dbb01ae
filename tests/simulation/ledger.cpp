#include "tests/simulation/ledger.h"

namespace sealwire::test {
namespace {

// What only a broker that broke its word, or an agent that broke its own, can lead to.
bool is_broken_promise(Errc code) {
  switch (code) {
    case Errc::state_corrupt:
    case Errc::id_conflict:
    case Errc::chain_broken:
    case Errc::handshake_signature:
    case Errc::broker_key_mismatch:
    case Errc::mls_generation_used:
      return true;
    default:
      return false;
  }
}

bool is_about_time(Errc code) {
  return code == Errc::envelope_expired || code == Errc::created_out_of_range;
}

}  // namespace

void Ledger::violate(std::string what) {
  if (!violation_) violation_ = std::move(what);
}

std::uint64_t Ledger::add(Message message) {
  const std::uint64_t number = messages_.size() + 1;
  messages_[number] = message;
  return number;
}

void Ledger::tell(std::size_t who, const sdk::Event& event) {
  const std::string name = "agent " + std::to_string(who);
  if (const auto* stored = std::get_if<sdk::SendStored>(&event)) {
    // Ticket 0: of an earlier life of the process.
    if (stored->ticket != 0) messages_[stored->ticket].stored = true;
  } else if (const auto* sealed = std::get_if<sdk::SendSealed>(&event)) {
    numbers_[sealed->id] = sealed->ticket;
  } else if (const auto* accepted = std::get_if<sdk::SendAccepted>(&event)) {
    messages_[accepted->ticket].accepted = true;
  } else if (const auto* refused = std::get_if<sdk::SendRefused>(&event)) {
    Message& message = messages_[refused->ticket];
    message.refused = true;
    const bool may = message.transient || clocks_parted_ ||
                     (message.brief && is_about_time(refused->error.code));
    if (!may)
      violate(name + " was refused message " + std::to_string(refused->ticket) + ": " +
              std::string(sealwire::name(refused->error.code)) + " " + refused->error.detail);
  } else if (const auto* later = std::get_if<sdk::RefusedLater>(&event)) {
    for (const auto& [id, number] : numbers_) {
      if (!is_of(id, later->envelope)) continue;
      Message& message = messages_[number];
      message.refused = true;
      if (!message.brief && !clocks_parted_)
        violate(name + " was refused what had been accepted: " + later->error.detail);
    }
  } else if (const auto* lost = std::get_if<sdk::Disconnected>(&event)) {
    if (is_broken_promise(lost->why.code))
      violate(name + " lost its session: " + std::string(sealwire::name(lost->why.code)) + " " +
              lost->why.detail);
  } else if (const auto* notice = std::get_if<Notice>(&event)) {
    const bool bad = notice->kind == Notice::Kind::chain_broken ||
                     (notice->kind == Notice::Kind::undecryptable && !clocks_parted_ &&
                      (!notice->error || !is_about_time(notice->error->code)));
    if (bad) violate(name + " noticed: " + notice->detail);
  }
}

const Ledger::Message* Ledger::find(std::size_t who, const sdk::Received& message,
                                    std::uint64_t& number) {
  number = std::strtoull(std::string(as_text(message.content.data)).c_str(), nullptr, 10);
  const auto found = messages_.find(number);
  if (found == messages_.end() || found->second.to != who) {
    violate("agent " + std::to_string(who) + " got what nobody sent it");
    return nullptr;
  }
  return &found->second;
}

void Ledger::on_received(std::size_t who, const sdk::Received& message) {
  std::uint64_t number = 0;
  find(who, message, number);
}

void Ledger::on_transient(std::size_t who, const sdk::Received& message) {
  std::uint64_t number = 0;
  if (find(who, message, number) != nullptr && ++messages_[number].passed > 1)
    violate("transient " + std::to_string(number) + " came twice");
}

void Ledger::in_the_end(std::size_t who, const std::set<std::uint64_t>& received) {
  for (const std::uint64_t number : received) {
    const auto found = messages_.find(number);
    if (found == messages_.end() || found->second.to != who)
      violate("agent " + std::to_string(who) + " has what nobody sent it");
    received_.insert(number);
  }
}

void Ledger::settle() {
  for (const auto& [number, message] : messages_) {
    if (message.transient) continue;
    const bool came = received_.contains(number);
    if (message.must_come && !came)
      violate("service does not go on: message " + std::to_string(number) + " from " +
              std::to_string(message.from) + " to " + std::to_string(message.to));
    const std::string text = "message " + std::to_string(number) + " from " +
                             std::to_string(message.from) + " to " + std::to_string(message.to);
    if (message.accepted && !came && !message.refused && !message.brief && !clocks_parted_)
      violate("accepted and lost: " + text);
    if (message.stored && !came && !message.refused && !message.brief && !clocks_parted_)
      violate("stored and lost: " + text);
    if (message.refused && came && !message.brief && !clocks_parted_)
      violate("refused and yet received: " + text);
  }
}

Ledger::Counts Ledger::counts() const {
  Counts counts;
  for (const auto& [number, message] : messages_) {
    ++counts.sent;
    counts.stored += message.stored ? 1 : 0;
    counts.accepted += message.accepted ? 1 : 0;
    counts.refused += message.refused ? 1 : 0;
  }
  counts.received = received_.size();
  return counts;
}

}  // namespace sealwire::test

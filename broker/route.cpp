#include "broker/route.h"

#include "protocol/identity/did_key.h"

namespace sealwire::broker {
namespace {

PlannedEntry take_sequence(Core& core, Agent& owner, std::size_t bytes) {
  MailboxState& mailbox = owner.state.mailbox;
  core.changes.touch(owner);
  mailbox.bytes_last += bytes;
  return {owner.number, ++mailbox.last, mailbox.bytes_last};
}

UnixMillis expiry_of(const Header& header) {
  const bool expires = header.kind == Kind::application || header.kind == Kind::letter;
  return expires ? header.expires : UnixMillis{};
}

void put_entry(Core& core, const PlannedEntry& planned, std::uint64_t conversation_sequence,
               const PutItem& item) {
  core.changes.add(PutEntry{planned.owner, planned.sequence, conversation_sequence,
                            planned.bytes_total, item.number});
  core.changes.consequences.push_back(
      Fresh{{planned.owner, planned.sequence, conversation_sequence, planned.bytes_total,
             item.number, item.type, item.sender, item.expires, item.bytes}});
}

// Everything that the broker knows of an envelope; `sealwire up` shows it beside the text.
void log_envelope(Core& core, const SequencedEnvelope& sequenced) {
  if (!core.log.wants(LogLevel::debug)) return;
  const Envelope& envelope = sequenced.envelope();
  const Header& header = envelope.header();
  std::string line = "envelope kind=";
  line += wire::EnumNameKind(header.kind);
  line += " id=" + hex(header.id) + " sender=" + did_key(header.sender);
  line += " conversation=" + hex(header.conversation);
  line += " sequence=" + std::to_string(sequenced.sequence());
  line += " bytes=" + std::to_string(envelope.bytes().size()) + " digest=" + hex(envelope.digest());
  core.log.write(LogLevel::debug, line);
}

void pass_transient(Core& core, const SequencedEnvelope& envelope) {
  const auto conversation = core.conversations.find(envelope.header().conversation);
  for (const AgentNumber reader : envelope.readers()) {
    const Member* member =
        conversation && *conversation ? (*conversation)->member(reader) : nullptr;
    if (member == nullptr) continue;
    core.changes.consequences.push_back(Passing{reader,
                                                envelope.sender(),
                                                member->last_entry,
                                                {envelope.shared(), &envelope.envelope().bytes()}});
  }
}

}  // namespace

RoutePlan route(Core& core, SequencedEnvelope envelope) {
  RoutePlan plan(std::move(envelope));
  const Header& header = plan.envelope_.header();
  if (header.durability == Durability::transient) return plan;
  const std::size_t bytes = plan.envelope_.envelope().bytes().size();
  for (const AgentNumber reader : plan.envelope_.readers())
    plan.entries_.push_back(take_sequence(core, *core.directory.at(reader), bytes));
  return plan;
}

void carry_out(Core& core, RoutePlan&& plan) {
  const SequencedEnvelope& sequenced = plan.envelope();
  const Envelope& envelope = sequenced.envelope();
  const Header& header = envelope.header();
  log_envelope(core, sequenced);
  if (header.durability == Durability::transient) return pass_transient(core, sequenced);

  const IdRecord id{sequenced.sender(), header.id, envelope.digest(), sequenced.sequence(),
                    header.expires + limits::kIdRetentionMs};
  core.ids.add(*core.directory.at(sequenced.sender()), id);
  core.changes.add(PutId{id});
  if (plan.entries().empty()) return;

  PutItem item{core.next_item++, ItemType::envelope, sequenced.sender(), expiry_of(header),
               SharedBytes(sequenced.shared(), &envelope.bytes())};
  core.changes.bytes += envelope.bytes().size();
  core.changes.add(item);
  const auto conversation = core.conversations.find(header.conversation);
  for (const PlannedEntry& planned : plan.entries()) {
    if (Member* member =
            conversation && *conversation ? (*conversation)->member(planned.owner) : nullptr)
      member->last_entry = planned.sequence;
    put_entry(core, planned, sequenced.sequence(), item);
  }
}

void put_notice(Core& core, Agent& owner, ItemType type, Bytes bytes) {
  const MailboxState& mailbox = owner.state.mailbox;
  if (mailbox.entries() >= 2 * core.config.mailbox_entries_max ||
      mailbox.bytes() + bytes.size() > 2 * core.config.mailbox_bytes_max) {
    core.log.write(LogLevel::warning, "notice dropped: the mailbox is at twice its quota");
    return;
  }
  const PlannedEntry planned = take_sequence(core, owner, bytes.size());
  PutItem item{core.next_item++, type, 0, {}, std::make_shared<const Bytes>(std::move(bytes))};
  core.changes.bytes += item.bytes->size();
  core.changes.add(item);
  put_entry(core, planned, 0, item);
}

}  // namespace sealwire::broker

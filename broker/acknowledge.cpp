#include "broker/acknowledge.h"

#include "broker/item.h"
#include "broker/route.h"

namespace sealwire::broker {
namespace {

void advance_to(Core& core, Agent& agent, std::uint64_t sequence, std::uint64_t bytes_total) {
  MailboxState& mailbox = agent.state.mailbox;
  core.changes.touch(agent);
  core.metrics.entries_acknowledged += sequence - mailbox.acked;
  mailbox.acked = sequence;
  mailbox.bytes_acked = bytes_total;
}

// `bytes_total` of an entry that is not in the session's window.
Result<std::uint64_t> bytes_total_of(Core& core, AgentNumber owner, std::uint64_t sequence) {
  SW_TRY(const auto entry, core.store.read_entry(owner, sequence));
  if (!entry) return fail(Errc::store_failed, "an unacknowledged entry is missing");
  return entry->bytes_total;
}

}  // namespace

Result<> acknowledge(Core& core, Session& session, std::uint64_t sequence) {
  Agent& agent = core.agent_of(session);
  if (sequence >= session.next)
    return fail(Errc::frame_unexpected, "Ack of what was not delivered");
  // Entries that were refused ahead of their turn follow at once.
  session.nacked.erase(session.nacked.begin(), session.nacked.upper_bound(sequence));
  while (!session.nacked.empty() && *session.nacked.begin() == sequence + 1) {
    session.nacked.erase(session.nacked.begin());
    ++sequence;
  }
  if (sequence <= agent.state.mailbox.acked) return {};

  std::optional<std::uint64_t> bytes_total;
  while (!session.unacked.empty() && session.unacked.front().sequence <= sequence) {
    if (session.unacked.front().sequence == sequence)
      bytes_total = session.unacked.front().bytes_total;
    session.unacked.pop_front();
  }
  if (!bytes_total) {
    SW_TRY(bytes_total, bytes_total_of(core, agent.number, sequence));
  }
  advance_to(core, agent, sequence, *bytes_total);
  return {};
}

Result<> refuse(Core& core, Session& session, const Nacked& nack) {
  Agent& agent = core.agent_of(session);
  const std::uint64_t acked = agent.state.mailbox.acked;
  if (nack.sequence >= session.next) return fail(Errc::frame_unexpected, "Nack");
  if (nack.sequence <= acked || session.nacked.contains(nack.sequence)) return {};
  SW_TRY(const auto entry, core.store.read_entry(agent.number, nack.sequence));
  if (!entry) return fail(Errc::store_failed, "an unacknowledged entry is missing");
  // Of a tombstone, which the entry may have become on its way, the sender has been told.
  if (entry->type == ItemType::envelope) {
    SW_TRY(const Envelope envelope, Envelope::parse(*entry->bytes));
    if (envelope.header().id != nack.id || envelope.digest() != nack.digest)
      return fail(Errc::frame_unexpected, "Nack names another envelope");
    if (Agent* sender = core.directory.at(entry->sender))
      put_notice(core, *sender, ItemType::refused, encode_statements({&nack.refusal}));
  } else if (entry->type != ItemType::tombstone) {
    return fail(Errc::frame_unexpected, "Nack of what is not an envelope");
  }
  session.nacked.insert(nack.sequence);
  core.changes.consequences.push_back(NackTaken{session.connection});
  return acknowledge(core, session, acked);
}

Result<> resume(Core& core, Agent& agent, const handshake::ProvenPeer& peer) {
  if (peer.incarnation != core.incarnation) return {};
  const std::uint64_t acked = peer.acked;
  if (acked > agent.committed.mailbox.last)
    return fail(Errc::frame_unexpected, "a resume cursor beyond the mailbox's end");
  if (acked <= agent.state.mailbox.acked) return {};
  SW_TRY(const std::uint64_t bytes_total, bytes_total_of(core, agent.number, acked));
  advance_to(core, agent, acked, bytes_total);
  return {};
}

}  // namespace sealwire::broker

#include "broker/deliver.h"

#include "broker/expire.h"
#include "broker/frames_out.h"
#include "broker/item.h"

namespace sealwire::broker {
namespace {

// Whether the receiver's policy still allows it; what the broker itself says always.
bool still_allowed(Core& core, const Agent& owner, AgentNumber sender) {
  if (sender == 0) return true;
  const Agent* agent = core.directory.at(sender);
  return agent != nullptr && owner.allows(*agent);
}

Session* session_of(Core& core, AgentNumber owner) {
  const Agent* agent = core.directory.at(owner);
  return agent == nullptr ? nullptr : agent->session;
}

void hand_over(Core& core, Session& session, const MailboxEntry& entry) {
  session.outgoing.push_back(
      {entry.sequence, entry.conversation_sequence, entry.type, entry.bytes});
  const std::size_t bytes = credit_bytes(entry.type, entry.bytes->size());
  session.sent_bytes += bytes;
  ++session.sent_entries;
  if (entry.sequence != 0) {
    session.next = entry.sequence + 1;
    session.unacked.push_back({entry.sequence, entry.bytes_total});
  }
  ++core.metrics.entries_delivered;
  core.metrics.delivered_bytes += bytes;
}

}  // namespace

void deliver_fresh(Core& core, const MailboxEntry& entry) {
  Session* session = session_of(core, entry.owner);
  if (session == nullptr || !session->ready) return;
  const bool in_turn = session->next == entry.sequence;
  const bool allowed = still_allowed(core, core.agent_of(*session), entry.sender);
  if (!in_turn || !allowed || (entry.expires.value != 0 && entry.expires <= core.now) ||
      !session->takes(credit_bytes(entry.type, entry.bytes->size()))) {
    core.backlog.insert(session->connection);
    return;
  }
  hand_over(core, *session, entry);
  ++core.metrics.entries_delivered_live;
}

void deliver_passing(Core& core, const Passing& passing) {
  Session* session = session_of(core, passing.owner);
  if (session == nullptr || session->next <= passing.after ||
      !still_allowed(core, core.agent_of(*session), passing.sender) ||
      !session->takes(passing.bytes->size())) {
    ++core.metrics.transients_dropped;
    return;
  }
  MailboxEntry entry;
  entry.bytes = passing.bytes;
  hand_over(core, *session, entry);
}

void deliver_stored(Core& core, Session& session) {
  core.backlog.erase(session.connection);
  Agent& owner = core.agent_of(session);
  const std::uint64_t last = owner.committed.mailbox.last;
  if (session.next > last || !session.takes(0)) return;

  const auto entries_max = std::min<std::uint64_t>({limits::kEntriesPerDeliver,
                                                    session.credit_entries - session.sent_entries,
                                                    last - session.next + 1});
  const auto bytes_max =
      std::min<std::uint64_t>(core.config.deliver_bytes, session.credit_bytes - session.sent_bytes);
  const auto entries =
      core.store.read_mailbox(owner.number, session.next - 1, entries_max, bytes_max);
  if (!entries || entries->empty()) {
    const Error error =
        entries ? Error{Errc::state_corrupt, "a mailbox entry is missing"} : entries.error();
    core.log.write(LogLevel::error, "delivery: " + std::string(name(error.code)));
    return end_session(core, session.connection, {Errc::store_failed, error.detail});
  }
  for (const MailboxEntry& entry : *entries) {
    if (!session.takes(credit_bytes(entry.type, entry.bytes->size()))) return flush(core, session);
    if (entry.type == ItemType::envelope) {
      const bool expired = entry.expires.value != 0 && entry.expires <= core.now;
      if (expired || !still_allowed(core, owner, entry.sender)) {
        bury(core, entry, expired ? Errc::envelope_expired : Errc::denied);
        return flush(core, session);
      }
    }
    hand_over(core, session, entry);
  }
  flush(core, session);
  if (session.next <= last && session.takes(0)) core.backlog.insert(session.connection);
}

void flush(Core& core, Session& session) {
  std::span<const Delivery> rest(session.outgoing);
  while (!rest.empty()) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (count < rest.size() && count < limits::kEntriesPerDeliver &&
           (count == 0 || bytes + rest[count].bytes->size() <= core.config.deliver_bytes))
      bytes += rest[count++].bytes->size();
    auto frame = frames::deliver(rest.first(count));
    if (!frame) {
      session.outgoing.clear();
      return end_session(core, session.connection, frame.error());
    }
    core.outputs.push_back(SendFrame{session.connection, std::move(*frame)});
    rest = rest.subspan(count);
  }
  session.outgoing.clear();
}

}  // namespace sealwire::broker

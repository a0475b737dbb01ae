#include "broker/store/sqlite/reader.h"

#include "broker/store/sqlite/rows.h"

namespace sealwire::broker::sqlite {
namespace {

constexpr std::string_view kAgentColumns =
    "SELECT a.number, a.agent, a.instance, a.created_ms, a.statement, a.signature,"
    " a.prekey_statement, a.prekey_signature, s.last, s.acked, s.bytes_last, s.bytes_acked,"
    " s.pool_first, s.pool_next, s.pool_last_resort"
    " FROM agents a JOIN agent_states s ON s.number = a.number";

AgentRecord agent_from(const Statement& row) {
  AgentRecord agent;
  agent.number = row.integer(0);
  agent.identity.agent = row.value<AgentId>(1);
  agent.identity.instance = row.value<InstanceKey>(2);
  agent.identity.created = UnixMillis{row.integer(3)};
  agent.identity.inception = {to_bytes(row.blob(4)), row.value<Signature>(5)};
  if (!row.is_null(6))
    agent.prekey = SignedStatement{to_bytes(row.blob(6)), row.value<Signature>(7)};
  agent.state.mailbox = {row.integer(8), row.integer(9), row.integer(10), row.integer(11)};
  agent.state.pool = {row.integer(12), row.integer(13), row.integer(14) != 0};
  return agent;
}

ContactRecord contact_from(const Statement& row) {
  return {row.integer(0), row.value<AgentId>(1), static_cast<Contact>(row.integer(2))};
}

InviteRecord invite_from(const Statement& row) {
  return {row.value<InviteKey>(0), row.integer(1), UnixMillis{row.integer(2)}};
}

/// Every row of a bound statement through `make`.
template <class Make>
auto all(Statement& statement, Make make)
    -> Result<std::vector<decltype(make(std::as_const(statement)))>> {
  const ResetOnExit reset(statement);
  std::vector<decltype(make(std::as_const(statement)))> rows;
  while (true) {
    SW_TRY(const bool row, statement.step());
    if (!row) return rows;
    rows.push_back(make(std::as_const(statement)));
  }
}

/// The first row of a bound statement through `make`, if there is one.
template <class Make>
auto first(Statement& statement, Make make)
    -> Result<std::optional<decltype(make(std::as_const(statement)))>> {
  const ResetOnExit reset(statement);
  SW_TRY(const bool row, statement.step());
  if (!row) return std::nullopt;
  return make(std::as_const(statement));
}

}  // namespace

Result<std::unique_ptr<Reader>> Reader::make(Database& database) {
  std::unique_ptr<Reader> reader(new Reader(database));
  SW_CHECK(reader->prepare());
  return reader;
}

Result<> Reader::prepare() {
  const std::string entry = "SELECT " + std::string(kEntryColumns);
  const std::pair<Statement&, std::string> statements[] = {
      {agent_, std::string(kAgentColumns) + " WHERE a.number = ?"},
      {contacts_, "SELECT owner, other, contact FROM contacts WHERE owner = ?"},
      {invite_, "SELECT key, inviter, expires_ms FROM invites WHERE key = ?"},
      {conversation_,
       "SELECT incarnation, epoch, sequence, members FROM conversations WHERE id = ?"},
      {chain_head_,
       "SELECT incarnation, epoch, sender_seq, link, header, body_hash, signature"
       " FROM chain_heads WHERE conversation = ? AND sender = ?"},
      {id_, "SELECT digest, sequence, keep_until_ms FROM ids WHERE sender = ? AND id = ?"},
      {highest_id_, "SELECT id FROM ids WHERE sender = ? ORDER BY id DESC LIMIT 1"},
      {mailbox_, entry + " FROM entries e CROSS JOIN items i ON i.number = e.item"
                         " WHERE e.owner = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?"},
      {entry_, entry + " FROM entries e CROSS JOIN items i ON i.number = e.item"
                       " WHERE e.owner = ? AND e.sequence = ?"},
      {key_package_, "SELECT bytes FROM key_packages WHERE agent = ? AND number = ?"},
      {shared_entry_, entry + " FROM entries e INDEXED BY entries_of_shared CROSS JOIN items i"
                              " ON i.number = e.item WHERE e.item = ? AND e.shared = 1 LIMIT 1"},
      {expired_,
       "SELECT number, owner, sequence FROM items INDEXED BY items_by_expiry"
       " WHERE type = 1 AND expires_ms > 0 AND expires_ms <= ? ORDER BY expires_ms LIMIT ?"},
  };
  for (auto& [statement, sql] : statements) {
    SW_TRY(statement, Statement::prepare(database_, sql));
  }
  return {};
}

Result<StoredState> Reader::load() {
  // One transaction over all of it.
  SW_CHECK(database_.run("BEGIN"));
  const auto load = [this]() -> Result<StoredState> {
    StoredState state;
    SW_TRY(Statement meta,
           Statement::prepare(database_, "SELECT incarnation, last_item FROM meta"));
    SW_TRY(const bool row, meta.step());
    if (!row) return fail(Errc::state_corrupt, "the store has lost its incarnation");
    state.incarnation = meta.value<BrokerIncarnation>(0);
    state.last_item = meta.integer(1);
    SW_TRY(Statement agents,
           Statement::prepare(database_, std::string(kAgentColumns) + " ORDER BY a.number"));
    SW_TRY(state.agents, all(agents, agent_from));
    SW_TRY(Statement contacts,
           Statement::prepare(database_, "SELECT owner, other, contact FROM contacts"));
    SW_TRY(state.contacts, all(contacts, contact_from));
    SW_TRY(Statement invites,
           Statement::prepare(database_, "SELECT key, inviter, expires_ms FROM invites"));
    SW_TRY(state.invites, all(invites, invite_from));
    return state;
  };
  auto state = load();
  database_.roll_back();
  return state;
}

Result<std::optional<AgentRecord>> Reader::agent(AgentNumber number) {
  return first(agent_.bind(number), agent_from);
}

Result<std::vector<ContactRecord>> Reader::contacts(AgentNumber owner) {
  return all(contacts_.bind(owner), contact_from);
}

Result<std::optional<InviteRecord>> Reader::invite(const InviteKey& key) {
  return first(invite_.bind(key.span()), invite_from);
}

Result<std::optional<ConversationRecord>> Reader::conversation(const ConversationId& id) {
  return first(conversation_.bind(id.span()), [&id](const Statement& row) {
    return ConversationRecord{id, static_cast<std::uint32_t>(row.integer(0)), row.integer(1),
                              row.integer(2), unpack_numbers(row.blob(3))};
  });
}

Result<std::optional<ChainHead>> Reader::chain_head(const ConversationId& id, AgentNumber sender) {
  return first(chain_head_.bind(id.span(), sender), [](const Statement& row) {
    return ChainHead{static_cast<std::uint32_t>(row.integer(0)),
                     row.integer(1),
                     row.integer(2),
                     row.value<Digest>(3),
                     {to_bytes(row.blob(4)), row.value<Digest>(5), row.value<Signature>(6)}};
  });
}

Result<std::optional<IdRecord>> Reader::id(AgentNumber sender, const EnvelopeId& id) {
  return first(id_.bind(sender, id.span()), [&](const Statement& row) {
    return IdRecord{sender, id, row.value<Digest>(0), row.integer(1), UnixMillis{row.integer(2)}};
  });
}

Result<std::optional<EnvelopeId>> Reader::highest_id(AgentNumber sender) {
  return first(highest_id_.bind(sender),
               [](const Statement& row) { return row.value<EnvelopeId>(0); });
}

Result<std::vector<MailboxEntry>> Reader::mailbox(AgentNumber owner, std::uint64_t after,
                                                  std::size_t entries_max, std::size_t bytes_max) {
  mailbox_.bind(owner, after, std::uint64_t{entries_max});
  const ResetOnExit reset(mailbox_);
  std::vector<MailboxEntry> entries;
  std::size_t bytes = 0;
  while (true) {
    SW_TRY(const bool row, mailbox_.step());
    if (!row) return entries;
    MailboxEntry entry = entry_from(mailbox_);
    bytes += entry.bytes->size();
    if (!entries.empty() && bytes > bytes_max) return entries;
    entries.push_back(std::move(entry));
  }
}

Result<std::optional<MailboxEntry>> Reader::entry(AgentNumber owner, std::uint64_t sequence) {
  return first(entry_.bind(owner, sequence), entry_from);
}

Result<std::optional<Bytes>> Reader::key_package(AgentNumber agent, std::uint64_t number) {
  return first(key_package_.bind(agent, number),
               [](const Statement& row) { return to_bytes(row.blob(0)); });
}

Result<std::vector<MailboxEntry>> Reader::expired(UnixMillis now, std::size_t items_max) {
  expired_.bind(now.value, std::uint64_t{items_max});
  const ResetOnExit reset(expired_);
  std::vector<MailboxEntry> entries;
  while (true) {
    SW_TRY(const bool row, expired_.step());
    if (!row) return entries;
    // An item's only entry is named in it; of several, any that is left will do.
    const AgentNumber owner = expired_.integer(1);
    SW_TRY(auto entry, owner != 0 ? this->entry(owner, expired_.integer(2))
                                  : first(shared_entry_.bind(expired_.integer(0)), entry_from));
    if (entry) entries.push_back(std::move(*entry));
  }
}

}  // namespace sealwire::broker::sqlite

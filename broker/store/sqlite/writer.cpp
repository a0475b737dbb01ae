#include "broker/store/sqlite/writer.h"

#include "broker/store/sqlite/rows.h"

namespace sealwire::broker::sqlite {

Result<std::unique_ptr<Writer>> Writer::make(Database& database) {
  std::unique_ptr<Writer> writer(new Writer(database));
  SW_CHECK(writer->prepare());
  return writer;
}

Result<> Writer::prepare() {
  const std::pair<Statement&, std::string_view> statements[] = {
      {begin_, "BEGIN IMMEDIATE"},
      {commit_, "COMMIT"},
      {put_meta_, "UPDATE meta SET last_item = max(last_item, ?)"},
      {put_agent_, "INSERT INTO agents VALUES(?, ?, ?, ?, ?, ?, NULL, NULL)"},
      {put_agent_state_, "INSERT OR REPLACE INTO agent_states VALUES(?, ?, ?, ?, ?, ?, ?, ?)"},
      {put_prekey_,
       "UPDATE agents SET prekey_statement = ?, prekey_signature = ? WHERE number = ?"},
      {put_contact_, "INSERT OR REPLACE INTO contacts VALUES(?, ?, ?)"},
      {drop_contact_, "DELETE FROM contacts WHERE owner = ? AND other = ?"},
      {put_invite_, "INSERT OR REPLACE INTO invites VALUES(?, ?, ?)"},
      {drop_invite_, "DELETE FROM invites WHERE key = ?"},
      {put_key_package_, "INSERT OR REPLACE INTO key_packages VALUES(?, ?, ?)"},
      {drop_key_packages_,
       "DELETE FROM key_packages WHERE agent = ? AND number >= 1 AND number < ?"},
      {put_conversation_, "INSERT OR REPLACE INTO conversations VALUES(?, ?, ?, ?, ?)"},
      {put_chain_head_, "INSERT OR REPLACE INTO chain_heads VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {put_id_, "INSERT OR REPLACE INTO ids VALUES(?, ?, ?, ?, ?)"},
      {put_item_, "INSERT INTO items VALUES(?, ?, ?, ?, ?, ?, ?, ?)"},
      {put_entry_, "INSERT INTO entries VALUES(?, ?, ?, ?, ?, ?)"},
      {find_entries_, "SELECT item, shared FROM entries WHERE owner = ? AND sequence <= ?"},
      {drop_entries_, "DELETE FROM entries WHERE owner = ? AND sequence <= ?"},
      {drop_item_, "DELETE FROM items WHERE number = ?"},
      {release_item_, "UPDATE items SET refs = refs - 1 WHERE number = ? RETURNING refs"},
      {bury_, "UPDATE items SET type = 2, expires_ms = 0, bytes = ? WHERE number = ?"},
      // SQLite does not write a row that stays as it is; numbers of items may be left out.
      {probe_, "UPDATE meta SET last_item = last_item + 1"},
      {forget_ids_,
       "DELETE FROM ids WHERE (sender, id) IN (SELECT sender, id FROM ids INDEXED BY ids_by_age"
       " WHERE keep_until_ms < ? ORDER BY keep_until_ms LIMIT ?)"},
  };
  for (auto& [statement, sql] : statements) {
    SW_TRY(statement, Statement::prepare(database_, sql));
  }
  return {};
}

Result<> Writer::commit(std::span<const StoreOp> ops) {
  auto done = transaction(ops);
  if (!done) database_.roll_back();
  return done;
}

Result<> Writer::transaction(std::span<const StoreOp> ops) {
  count_entries(ops);
  SW_CHECK(begin_.run());
  for (const StoreOp& op : ops)
    SW_CHECK(std::visit([this](const auto& what) { return apply(what); }, op));
  if (last_item_ != 0) SW_CHECK(put_meta_.bind(last_item_).run());
  return commit_.run();
}

void Writer::count_entries(std::span<const StoreOp> ops) {
  entries_of_.clear();
  last_item_ = 0;
  for (const StoreOp& op : ops) {
    if (const auto* entry = std::get_if<PutEntry>(&op)) {
      Entries& entries = entries_of_[entry->item];
      if (entries.count++ == 0) {
        entries.owner = entry->owner;
        entries.sequence = entry->sequence;
      }
    } else if (const auto* item = std::get_if<PutItem>(&op)) {
      last_item_ = std::max(last_item_, item->number);
    }
  }
}

// --- agents --------------------------------------------------------------------------------------

Result<> Writer::apply(const PutAgent& op) {
  const AgentIdentity& identity = op.identity;
  SW_CHECK(put_agent_
               .bind(op.number, identity.agent.span(), identity.instance.span(),
                     identity.created.value, ByteSpan(identity.inception.statement),
                     identity.inception.signature.span())
               .run());
  return apply(PutAgentState{op.number, {}});
}

Result<> Writer::apply(const PutAgentState& op) {
  const MailboxState& mailbox = op.state.mailbox;
  const KeyPackagePool& pool = op.state.pool;
  return put_agent_state_
      .bind(op.number, mailbox.last, mailbox.acked, mailbox.bytes_last, mailbox.bytes_acked,
            pool.first, pool.next, std::uint64_t{pool.last_resort})
      .run();
}

Result<> Writer::apply(const PutPrekey& op) {
  return put_prekey_.bind(ByteSpan(op.prekey.statement), op.prekey.signature.span(), op.number)
      .run();
}

Result<> Writer::apply(const PutContact& op) {
  const ContactRecord& contact = op.contact;
  if (contact.contact == Contact::none)
    return drop_contact_.bind(contact.owner, contact.other.span()).run();
  return put_contact_
      .bind(contact.owner, contact.other.span(), static_cast<std::uint64_t>(contact.contact))
      .run();
}

Result<> Writer::apply(const PutInvite& op) {
  return put_invite_.bind(op.invite.key.span(), op.invite.inviter, op.invite.expires.value).run();
}

Result<> Writer::apply(const DropInvite& op) {
  return drop_invite_.bind(op.key.span()).run();
}

Result<> Writer::apply(const PutKeyPackage& op) {
  return put_key_package_.bind(op.agent, op.number, ByteSpan(op.key_package)).run();
}

Result<> Writer::apply(const DropKeyPackages& op) {
  return drop_key_packages_.bind(op.agent, op.before).run();
}

// --- conversations -------------------------------------------------------------------------------

Result<> Writer::apply(const PutConversation& op) {
  const ConversationRecord& conversation = op.conversation;
  const Bytes members = pack_numbers(conversation.members);
  return put_conversation_
      .bind(conversation.id.span(), std::uint64_t{conversation.incarnation}, conversation.epoch,
            conversation.sequence, ByteSpan(members))
      .run();
}

Result<> Writer::apply(const PutChainHead& op) {
  const ChainHead& head = op.head;
  return put_chain_head_
      .bind(op.conversation.span(), op.sender, std::uint64_t{head.incarnation}, head.epoch,
            head.sender_seq, head.link.span(), ByteSpan(head.last.header),
            head.last.body_hash.span(), head.last.signature.span())
      .run();
}

Result<> Writer::apply(const PutId& op) {
  const IdRecord& id = op.id;
  return put_id_
      .bind(id.sender, id.id.span(), id.digest.span(), id.conversation_sequence,
            id.keep_until.value)
      .run();
}

Result<> Writer::apply(const ForgetIds& op) {
  return forget_ids_.bind(op.before.value, op.most).run();
}

Result<> Writer::apply(const Probe&) {
  return probe_.run();
}

// --- mailboxes -----------------------------------------------------------------------------------

Result<> Writer::apply(const PutItem& op) {
  const auto found = entries_of_.find(op.number);
  if (found == entries_of_.end()) return {};  // nobody would ever see it
  Entries entries = found->second;
  if (entries.count > 1) entries.owner = entries.sequence = 0;
  return put_item_
      .bind(op.number, static_cast<std::uint64_t>(op.type), op.sender, op.expires.value,
            entries.count, entries.owner, entries.sequence, ByteSpan(*op.bytes))
      .run();
}

Result<> Writer::apply(const PutEntry& op) {
  const bool shared = entries_of_[op.item].count > 1;
  return put_entry_
      .bind(op.owner, op.sequence, op.conversation_sequence, op.bytes_total, op.item,
            std::uint64_t{shared})
      .run();
}

Result<> Writer::apply(const DropEntries& op) {
  find_entries_.bind(op.owner, op.up_to);
  {
    const ResetOnExit reset(find_entries_);
    while (true) {
      SW_TRY(const bool row, find_entries_.step());
      if (!row) break;
      SW_CHECK(drop_item(find_entries_.integer(0), find_entries_.integer(1) != 0));
    }
  }
  return drop_entries_.bind(op.owner, op.up_to).run();
}

Result<> Writer::drop_item(ItemNumber item, bool shared) {
  if (shared) {
    release_item_.bind(item);
    const ResetOnExit reset(release_item_);
    SW_TRY(const bool row, release_item_.step());
    if (!row || release_item_.integer(0) > 0) return {};
  }
  return drop_item_.bind(item).run();
}

Result<> Writer::apply(const Bury& op) {
  return bury_.bind(ByteSpan(*op.tombstone), op.item).run();
}

}  // namespace sealwire::broker::sqlite

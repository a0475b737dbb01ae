#include "broker/store/memory/memory_store.h"

namespace sealwire::broker {

void MemoryStore::fail_commits(std::optional<Errc> error) {
  const std::lock_guard lock(mutex_);
  commit_error_ = error;
}
void MemoryStore::fail_reads(std::optional<Errc> error) {
  const std::lock_guard lock(mutex_);
  read_error_ = error;
}
std::size_t MemoryStore::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}
std::size_t MemoryStore::items() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

Result<> MemoryStore::commit(std::span<const StoreOp> ops) {
  const std::lock_guard lock(mutex_);
  if (commit_error_) return fail(*commit_error_, "as told");
  for (const StoreOp& op : ops)
    std::visit([this](const auto& what) { apply(what); }, op);
  for (const StoreOp& op : ops) {
    const auto* item = std::get_if<PutItem>(&op);
    if (item != nullptr && items_.contains(item->number) && items_[item->number].references == 0)
      items_.erase(item->number);
  }
  ++commits_;
  return {};
}

// --- ops -----------------------------------------------------------------------------------------

void MemoryStore::apply(const PutAgent& op) {
  agents_[op.number] = {op.number, op.identity, {}, {}};
}
void MemoryStore::apply(const PutAgentState& op) {
  agents_.at(op.number).state = op.state;
}
void MemoryStore::apply(const PutPrekey& op) {
  agents_.at(op.number).prekey = op.prekey;
}
void MemoryStore::apply(const PutContact& op) {
  const std::pair key(op.contact.owner, op.contact.other);
  if (op.contact.contact == Contact::none)
    contacts_.erase(key);
  else
    contacts_[key] = op.contact.contact;
}
void MemoryStore::apply(const PutInvite& op) {
  invites_[op.invite.key] = op.invite;
}
void MemoryStore::apply(const DropInvite& op) {
  invites_.erase(op.key);
}
void MemoryStore::apply(const PutKeyPackage& op) {
  key_packages_[{op.agent, op.number}] = op.key_package;
}
void MemoryStore::apply(const DropKeyPackages& op) {
  key_packages_.erase(key_packages_.lower_bound({op.agent, 1}),
                      key_packages_.lower_bound({op.agent, op.before}));
}
void MemoryStore::apply(const PutConversation& op) {
  conversations_[op.conversation.id] = op.conversation;
}
void MemoryStore::apply(const PutChainHead& op) {
  chain_heads_[{op.conversation, op.sender}] = op.head;
}
void MemoryStore::apply(const PutId& op) {
  ids_[{op.id.sender, op.id.id}] = op.id;
}
void MemoryStore::apply(const PutItem& op) {
  items_[op.number] = {op, 0};
  last_item_ = std::max(last_item_, op.number);
}
void MemoryStore::apply(const PutEntry& op) {
  if (entries_.emplace(std::pair(op.owner, op.sequence), op).second)
    ++items_.at(op.item).references;
}
void MemoryStore::apply(const DropEntries& op) {
  const auto end = entries_.upper_bound({op.owner, op.up_to});
  for (auto at = entries_.lower_bound({op.owner, 0}); at != end; at = entries_.erase(at)) {
    const auto item = items_.find(at->second.item);
    if (--item->second.references == 0) items_.erase(item);
  }
}
void MemoryStore::apply(const Bury& op) {
  const auto item = items_.find(op.item);
  if (item == items_.end()) return;
  item->second.put.type = ItemType::tombstone;
  item->second.put.expires = {};
  item->second.put.bytes = op.tombstone;
}
void MemoryStore::apply(const ForgetIds& op) {
  std::multimap<UnixMillis, std::pair<AgentNumber, EnvelopeId>> old;
  for (const auto& [key, id] : ids_)
    if (id.keep_until < op.before) old.emplace(id.keep_until, key);
  auto oldest = old.begin();
  for (std::uint64_t n = 0; n < op.most && oldest != old.end(); ++n, ++oldest)
    ids_.erase(oldest->second);
}

// --- reads ---------------------------------------------------------------------------------------

Result<> MemoryStore::readable() const {
  if (read_error_) return fail(*read_error_, "as told");
  return {};
}

MailboxEntry MemoryStore::entry_of(AgentNumber owner, const PutEntry& entry) const {
  const PutItem& item = items_.at(entry.item).put;
  return {owner,
          entry.sequence,
          entry.conversation_sequence,
          entry.bytes_total,
          entry.item,
          item.type,
          item.sender,
          item.expires,
          item.bytes};
}

Result<StoredState> MemoryStore::load() {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  StoredState state;
  state.incarnation = incarnation_;
  state.last_item = last_item_;
  for (const auto& [number, agent] : agents_)
    state.agents.push_back(agent);
  for (const auto& [key, contact] : contacts_)
    state.contacts.push_back({key.first, key.second, contact});
  for (const auto& [key, invite] : invites_)
    state.invites.push_back(invite);
  return state;
}

Result<std::optional<AgentRecord>> MemoryStore::read_agent(AgentNumber number) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto found = agents_.find(number);
  return found == agents_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<ContactRecord>> MemoryStore::read_contacts(AgentNumber owner) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  std::vector<ContactRecord> contacts;
  for (auto at = contacts_.lower_bound({owner, AgentId{}});
       at != contacts_.end() && at->first.first == owner; ++at)
    contacts.push_back({owner, at->first.second, at->second});
  return contacts;
}

Result<std::optional<InviteRecord>> MemoryStore::read_invite(const InviteKey& key) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto found = invites_.find(key);
  return found == invites_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<ConversationRecord>> MemoryStore::read_conversation(const ConversationId& id) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto found = conversations_.find(id);
  return found == conversations_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<ChainHead>> MemoryStore::read_chain_head(const ConversationId& id,
                                                              AgentNumber sender) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto found = chain_heads_.find({id, sender});
  return found == chain_heads_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<IdRecord>> MemoryStore::find_id(AgentNumber sender, const EnvelopeId& id) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto found = ids_.find({sender, id});
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<EnvelopeId>> MemoryStore::highest_id(AgentNumber sender) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto after = ids_.lower_bound({sender + 1, EnvelopeId{}});
  if (after == ids_.begin()) return std::nullopt;
  const auto last = std::prev(after);
  return last->first.first == sender ? std::optional(last->first.second) : std::nullopt;
}

Result<std::vector<MailboxEntry>> MemoryStore::read_mailbox(AgentNumber owner, std::uint64_t after,
                                                            std::size_t entries_max,
                                                            std::size_t bytes_max) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  std::vector<MailboxEntry> read;
  std::size_t bytes = 0;
  for (auto at = entries_.upper_bound({owner, after});
       at != entries_.end() && at->first.first == owner && read.size() < entries_max; ++at) {
    MailboxEntry entry = entry_of(owner, at->second);
    bytes += entry.bytes->size();
    if (!read.empty() && bytes > bytes_max) break;
    read.push_back(std::move(entry));
  }
  return read;
}

Result<std::optional<MailboxEntry>> MemoryStore::read_entry(AgentNumber owner,
                                                            std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto found = entries_.find({owner, sequence});
  return found == entries_.end() ? std::nullopt : std::optional(entry_of(owner, found->second));
}

Result<std::optional<Bytes>> MemoryStore::read_key_package(AgentNumber agent,
                                                           std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  const auto found = key_packages_.find({agent, number});
  return found == key_packages_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<MailboxEntry>> MemoryStore::read_expired(UnixMillis now, std::size_t items_max) {
  const std::lock_guard lock(mutex_);
  SW_CHECK(readable());
  std::vector<MailboxEntry> expired;
  std::set<ItemNumber> seen;
  for (const auto& [key, entry] : entries_) {
    const PutItem& item = items_.at(entry.item).put;
    if (item.type == ItemType::envelope && item.expires.value != 0 && item.expires <= now &&
        seen.insert(entry.item).second)
      expired.push_back(entry_of(key.first, entry));
  }
  std::stable_sort(expired.begin(), expired.end(),
                   [](const auto& a, const auto& b) { return a.expires < b.expires; });
  if (expired.size() > items_max) expired.resize(items_max);
  return expired;
}

}  // namespace sealwire::broker

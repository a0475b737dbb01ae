#include "broker/directory.h"

namespace sealwire::broker {

Directory::Directory(StoredState state) {
  for (AgentRecord& record : state.agents)
    take(std::move(record));
  for (const ContactRecord& contact : state.contacts)
    if (Agent* owner = at(contact.owner)) owner->contacts[contact.other] = contact.contact;
  for (const InviteRecord& invite : state.invites)
    put_invite(invite);
}

void Directory::take(AgentRecord record) {
  if (agents_.size() < record.number) agents_.resize(record.number);
  auto& slot = agents_[record.number - 1];
  if (!slot) slot = std::make_unique<Agent>();
  slot->number = record.number;
  slot->identity = std::move(record.identity);
  slot->prekey = std::move(record.prekey);
  slot->state = slot->written = slot->committed = record.state;
  by_id_[slot->identity.agent] = slot.get();
  by_key_[slot->identity.instance] = slot.get();
}

Agent* Directory::find(const AgentId& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}
Agent* Directory::find(const InstanceKey& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}
Agent* Directory::at(AgentNumber number) {
  return number == 0 || number > agents_.size() ? nullptr : agents_[number - 1].get();
}

Agent& Directory::add(AgentIdentity identity) {
  const AgentNumber number = agents_.size() + 1;
  take({number, std::move(identity), {}, {}});
  return *agents_.back();
}

const InviteRecord* Directory::find_invite(const InviteKey& key) const {
  const auto found = invites_.find(key);
  return found == invites_.end() ? nullptr : &found->second;
}

void Directory::put_invite(const InviteRecord& invite) {
  if (!invites_.emplace(invite.key, invite).second) return;
  if (Agent* inviter = at(invite.inviter)) ++inviter->invites;
}

void Directory::drop_invite(const InviteKey& key) {
  const auto found = invites_.find(key);
  if (found == invites_.end()) return;
  if (Agent* inviter = at(found->second.inviter)) --inviter->invites;
  invites_.erase(found);
}

std::vector<InviteRecord> Directory::expired_invites(UnixMillis now) const {
  std::vector<InviteRecord> expired;
  for (const auto& [key, invite] : invites_)
    if (invite.expires <= now) expired.push_back(invite);
  std::sort(expired.begin(), expired.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  return expired;
}

Result<> Directory::reload(Store& store, AgentNumber number) {
  Agent* agent = at(number);
  if (agent == nullptr) return {};
  SW_TRY(std::optional<AgentRecord> record, store.read_agent(number));
  if (!record) {
    by_id_.erase(agent->identity.agent);
    by_key_.erase(agent->identity.instance);
    agents_[number - 1].reset();
    return {};
  }
  SW_TRY(const auto contacts, store.read_contacts(number));
  take(std::move(*record));
  agent->contacts.clear();
  for (const ContactRecord& contact : contacts)
    agent->contacts[contact.other] = contact.contact;
  return {};
}

Result<> Directory::reload(Store& store, const InviteKey& key) {
  SW_TRY(const auto invite, store.read_invite(key));
  drop_invite(key);
  if (invite) put_invite(*invite);
  return {};
}

}  // namespace sealwire::broker

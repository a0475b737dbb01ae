// Who is known: agents, what each allows, and the invites that are out. In memory whole; the store
// has the same, as of the last commit.
#pragma once

#include <unordered_map>

#include "broker/rate.h"
#include "broker/store/store.h"

namespace sealwire::broker {

struct Session;

struct Agent {
  AgentNumber number = 0;
  AgentIdentity identity;
  std::optional<SignedStatement> prekey;
  AgentState state;      // as decided
  AgentState written;    // as of the last batch that was handed out
  AgentState committed;  // as of the last batch that is on disk: what may be delivered
  std::unordered_map<AgentId, Contact> contacts;
  std::size_t invites = 0;

  std::optional<EnvelopeId> highest_id;  // of what it sent; a greater one is new
  bool highest_id_known = false;

  TokenBucket sends;
  TokenBucket calls;
  TokenBucket claims;
  TokenBucket conversations;

  Session* session = nullptr;  // the one that is Ready
  bool touched = false;        // listed in the open batch

  Contact contact_of(const AgentId& other) const {
    const auto found = contacts.find(other);
    return found == contacts.end() ? Contact::none : found->second;
  }
  bool allows(const Agent& other) const {
    return contact_of(other.identity.agent) == Contact::allowed;
  }
};

class Directory {
 public:
  Directory() = default;
  explicit Directory(StoredState state);

  /// Pointers stay valid until `reload` finds that the agent was never committed.
  Agent* find(const AgentId& id);
  Agent* find(const InstanceKey& key);
  Agent* at(AgentNumber number);
  Agent& add(AgentIdentity identity);
  std::size_t size() const { return by_id_.size(); }

  const InviteRecord* find_invite(const InviteKey& key) const;
  void put_invite(const InviteRecord& invite);
  void drop_invite(const InviteKey& key);
  std::vector<InviteRecord> expired_invites(UnixMillis now) const;

  /// After a failed commit: takes over what the store has of them.
  Result<> reload(Store& store, AgentNumber number);
  Result<> reload(Store& store, const InviteKey& key);

 private:
  void take(AgentRecord record);

  std::vector<std::unique_ptr<Agent>> agents_;  // at number - 1; empty where a commit failed
  std::unordered_map<AgentId, Agent*> by_id_;
  std::unordered_map<InstanceKey, Agent*> by_key_;
  std::unordered_map<InviteKey, InviteRecord> invites_;
};

}  // namespace sealwire::broker

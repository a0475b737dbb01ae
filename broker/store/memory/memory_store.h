// A store in memory: for tests and the simulator, where it is the disk that survives a restart of
// the router. It can be told to fail.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "broker/store/store.h"

namespace sealwire::broker {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(BrokerIncarnation incarnation) { incarnation_ = incarnation; }

  /// Until told otherwise every commit fails with `error`; nothing of it is kept.
  void fail_commits(std::optional<Errc> error);
  /// The same for reads.
  void fail_reads(std::optional<Errc> error);
  std::size_t commits() const;
  std::size_t items() const;

  Result<> commit(std::span<const StoreOp> ops) override;
  Result<StoredState> load() override;
  Result<std::optional<AgentRecord>> read_agent(AgentNumber number) override;
  Result<std::vector<ContactRecord>> read_contacts(AgentNumber owner) override;
  Result<std::optional<InviteRecord>> read_invite(const InviteKey& key) override;
  Result<std::optional<ConversationRecord>> read_conversation(const ConversationId& id) override;
  Result<std::optional<ChainHead>> read_chain_head(const ConversationId& id,
                                                   AgentNumber sender) override;
  Result<std::optional<IdRecord>> find_id(AgentNumber sender, const EnvelopeId& id) override;
  Result<std::optional<EnvelopeId>> highest_id(AgentNumber sender) override;
  Result<std::vector<MailboxEntry>> read_mailbox(AgentNumber owner, std::uint64_t after,
                                                 std::size_t entries_max,
                                                 std::size_t bytes_max) override;
  Result<std::optional<MailboxEntry>> read_entry(AgentNumber owner,
                                                 std::uint64_t sequence) override;
  Result<std::optional<Bytes>> read_key_package(AgentNumber agent, std::uint64_t number) override;
  Result<std::vector<MailboxEntry>> read_expired(UnixMillis now, std::size_t items_max) override;

 private:
  struct Item {
    PutItem put;
    std::size_t references = 0;
  };

  void apply(const PutAgent& op);
  void apply(const PutAgentState& op);
  void apply(const PutPrekey& op);
  void apply(const PutContact& op);
  void apply(const PutInvite& op);
  void apply(const DropInvite& op);
  void apply(const PutKeyPackage& op);
  void apply(const DropKeyPackages& op);
  void apply(const PutConversation& op);
  void apply(const PutChainHead& op);
  void apply(const PutId& op);
  void apply(const PutItem& op);
  void apply(const PutEntry& op);
  void apply(const DropEntries& op);
  void apply(const Bury& op);
  void apply(const ForgetIds& op);
  void apply(const Probe&) {}
  MailboxEntry entry_of(AgentNumber owner, const PutEntry& entry) const;
  /// Fails when reads are told to fail.
  Result<> readable() const;

  mutable std::mutex mutex_;
  std::optional<Errc> commit_error_;
  std::optional<Errc> read_error_;
  std::size_t commits_ = 0;

  BrokerIncarnation incarnation_;
  ItemNumber last_item_ = 0;
  std::map<AgentNumber, AgentRecord> agents_;
  std::map<std::pair<AgentNumber, AgentId>, Contact> contacts_;
  std::map<InviteKey, InviteRecord> invites_;
  std::map<std::pair<AgentNumber, std::uint64_t>, Bytes> key_packages_;
  std::unordered_map<ConversationId, ConversationRecord> conversations_;
  std::map<std::pair<ConversationId, AgentNumber>, ChainHead> chain_heads_;
  std::map<std::pair<AgentNumber, EnvelopeId>, IdRecord> ids_;
  std::unordered_map<ItemNumber, Item> items_;
  std::map<std::pair<AgentNumber, std::uint64_t>, PutEntry> entries_;
};

}  // namespace sealwire::broker

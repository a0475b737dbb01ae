// Applies a batch of StoreOps in one transaction.
#pragma once

#include <unordered_map>

#include "broker/store/sqlite/database.h"
#include "broker/store/store.h"

namespace sealwire::broker::sqlite {

/// Owned by the committer's thread.
class Writer {
 public:
  /// `database` outlives it.
  static Result<std::unique_ptr<Writer>> make(Database& database);
  [[nodiscard]] Result<> commit(std::span<const StoreOp> ops);

 private:
  /// The entries that a batch gives to one of its items.
  struct Entries {
    std::uint64_t count = 0;
    AgentNumber owner = 0;
    std::uint64_t sequence = 0;
  };
  explicit Writer(Database& database) : database_(database) {}
  Result<> prepare();
  Result<> transaction(std::span<const StoreOp> ops);
  void count_entries(std::span<const StoreOp> ops);
  Result<> drop_item(ItemNumber item, bool shared);

  Result<> apply(const PutAgent& op);
  Result<> apply(const PutAgentState& op);
  Result<> apply(const PutPrekey& op);
  Result<> apply(const PutContact& op);
  Result<> apply(const PutInvite& op);
  Result<> apply(const DropInvite& op);
  Result<> apply(const PutKeyPackage& op);
  Result<> apply(const DropKeyPackages& op);
  Result<> apply(const PutConversation& op);
  Result<> apply(const PutChainHead& op);
  Result<> apply(const PutId& op);
  Result<> apply(const PutItem& op);
  Result<> apply(const PutEntry& op);
  Result<> apply(const DropEntries& op);
  Result<> apply(const Bury& op);
  Result<> apply(const ForgetIds& op);
  Result<> apply(const Probe& op);

  Database& database_;
  std::unordered_map<ItemNumber, Entries> entries_of_;  // of the batch under way
  ItemNumber last_item_ = 0;                            // of the batch under way; 0: none

  Statement begin_, commit_, put_meta_, put_agent_, put_agent_state_, put_prekey_, put_contact_,
      drop_contact_, put_invite_, drop_invite_, put_key_package_, drop_key_packages_,
      put_conversation_, put_chain_head_, put_id_, put_item_, put_entry_, find_entries_,
      drop_entries_, drop_item_, release_item_, bury_, forget_ids_, probe_;
};

}  // namespace sealwire::broker::sqlite

// The store on disk: SQLite with a write-ahead log and an fsync a commit. One connection writes,
// one reads, one checkpoints.
#pragma once

#include <filesystem>

#include "broker/store/store.h"
#include "protocol/random.h"

namespace sealwire::broker {

struct SqliteOptions {
  std::filesystem::path path;  // beside it lie path-wal, path-shm and path.lock
  std::uint64_t bytes_max =
      0;  // of the database; beyond it commits fail with store_full. 0: the disk
};

class SqliteStore final : public Store {
 public:
  /// Creates the file, or checks and migrates it. Fails with state_locked (another broker has it),
  /// state_corrupt (not a store, damaged, or of a later version), file_failed, store_failed.
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options, Random& random);
  ~SqliteStore() override;

  /// For a store that was restored from a backup: it gets a new incarnation, so that clients do not
  /// take what it has forgotten for a fork. Fails like `open`.
  [[nodiscard]] static Result<BrokerIncarnation> renew(const SqliteOptions& options,
                                                       Random& random);

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
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::broker

// Reads for the router, each in a transaction of its own that ends with the call.
#pragma once

#include "broker/store/sqlite/database.h"
#include "broker/store/store.h"

namespace sealwire::broker::sqlite {

/// Owned by the router's thread. The functions are `Store`'s.
class Reader {
 public:
  /// `database` outlives it.
  static Result<std::unique_ptr<Reader>> make(Database& database);

  Result<StoredState> load();
  Result<std::optional<AgentRecord>> agent(AgentNumber number);
  Result<std::vector<ContactRecord>> contacts(AgentNumber owner);
  Result<std::optional<InviteRecord>> invite(const InviteKey& key);
  Result<std::optional<ConversationRecord>> conversation(const ConversationId& id);
  Result<std::optional<ChainHead>> chain_head(const ConversationId& id, AgentNumber sender);
  Result<std::optional<IdRecord>> id(AgentNumber sender, const EnvelopeId& id);
  Result<std::optional<EnvelopeId>> highest_id(AgentNumber sender);
  Result<std::vector<MailboxEntry>> mailbox(AgentNumber owner, std::uint64_t after,
                                            std::size_t entries_max, std::size_t bytes_max);
  Result<std::optional<MailboxEntry>> entry(AgentNumber owner, std::uint64_t sequence);
  Result<std::optional<Bytes>> key_package(AgentNumber agent, std::uint64_t number);
  Result<std::vector<MailboxEntry>> expired(UnixMillis now, std::size_t items_max);

 private:
  explicit Reader(Database& database) : database_(database) {}
  Result<> prepare();

  Database& database_;
  Statement agent_, contacts_, invite_, conversation_, chain_head_, id_, highest_id_, mailbox_,
      entry_, shared_entry_, key_package_, expired_;
};

}  // namespace sealwire::broker::sqlite

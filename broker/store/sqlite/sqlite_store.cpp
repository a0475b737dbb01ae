#include "broker/store/sqlite/sqlite_store.h"

#include <sys/stat.h>

#include "broker/store/sqlite/checkpointer.h"
#include "broker/store/sqlite/lock.h"
#include "broker/store/sqlite/reader.h"
#include "broker/store/sqlite/schema.h"
#include "broker/store/sqlite/writer.h"

namespace sealwire::broker {
namespace {

// Of 8 KiB each. From the first on the checkpointer is asked; at the second, which it only lets
// come while it cannot keep up, the committer helps, so that the log ends somewhere.
constexpr int kWalPagesWanted = 1024;
constexpr int kWalPagesMax = 8 * kWalPagesWanted;

}  // namespace

// In this order: whatever uses a connection goes before it, the lock last.
struct SqliteStore::Impl {
  explicit Impl(sqlite::StoreLock held) : lock(std::move(held)) {}

  sqlite::StoreLock lock;
  std::optional<sqlite::Database> write_database;
  std::optional<sqlite::Database> read_database;
  std::unique_ptr<sqlite::Writer> writer;
  std::unique_ptr<sqlite::Reader> reader;
  std::unique_ptr<sqlite::Checkpointer> checkpointer;
  int wal_pages = 0;  // the committer's

  static int on_commit(void* self, sqlite3*, const char*, int wal_pages) {
    static_cast<Impl*>(self)->wal_pages = wal_pages;
    return SQLITE_OK;
  }
  void checkpoint() {
    sqlite3_wal_checkpoint_v2(write_database->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                              nullptr);
  }
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options,
                                                       Random& random) {
  const std::filesystem::path& path = options.path;
  SW_TRY(sqlite::StoreLock lock, sqlite::StoreLock::take(path.string() + ".lock"));
  auto impl = std::make_unique<Impl>(std::move(lock));
  const auto in_file = [&path](Result<> result) -> Result<> {
    if (!result) return fail(result.error().code, path.string() + ": " + result.error().detail);
    return result;
  };

  // Who talks to whom, and when, is the owner's alone: SQLite gives its other files the same mode.
  const mode_t before = ::umask(0077);
  auto write_database = sqlite::Database::open(path);
  ::umask(before);
  SW_TRY(impl->write_database, std::move(write_database));
  SW_CHECK(in_file(sqlite::prepare_file(*impl->write_database, random)));
  if (options.bytes_max != 0) {
    SW_TRY(const std::string page_size, impl->write_database->ask("PRAGMA page_size"));
    const std::uint64_t pages =
        std::max<std::uint64_t>(1, options.bytes_max / std::stoul(page_size));
    SW_CHECK(impl->write_database->run("PRAGMA max_page_count=" + std::to_string(pages)));
  }
  SW_TRY(impl->writer, sqlite::Writer::make(*impl->write_database));
  sqlite3_wal_hook(impl->write_database->handle(), &Impl::on_commit, impl.get());

  SW_TRY(impl->read_database, sqlite::Database::open(path));
  SW_CHECK(in_file(sqlite::configure(*impl->read_database)));
  SW_CHECK(impl->read_database->run("PRAGMA query_only=1"));
  SW_TRY(impl->reader, sqlite::Reader::make(*impl->read_database));

  SW_TRY(sqlite::Database checkpoints, sqlite::Database::open(path));
  SW_CHECK(in_file(sqlite::configure(checkpoints)));
  impl->checkpointer = std::make_unique<sqlite::Checkpointer>(std::move(checkpoints));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteStore::~SqliteStore() {
  // In the order that leaves no connection without its users; the last to close folds the log in.
  impl_->checkpointer.reset();
  impl_->reader.reset();
  impl_->read_database.reset();
  impl_->writer.reset();
  impl_->write_database.reset();
}

Result<BrokerIncarnation> SqliteStore::renew(const SqliteOptions& options, Random& random) {
  SW_TRY(const auto store, open(options, random));
  const auto incarnation = random.make<BrokerIncarnation>();
  SW_TRY(auto update, sqlite::Statement::prepare(*store->impl_->write_database,
                                                 "UPDATE meta SET incarnation = ?"));
  SW_CHECK(update.bind(incarnation.span()).run());
  return incarnation;
}

Result<> SqliteStore::commit(std::span<const StoreOp> ops) {
  auto done = impl_->writer->commit(ops);
  if (!done) {
    // Folding the log in lets it begin anew where it lies: room on a full disk.
    if (done.error().code == Errc::store_full) impl_->checkpoint();
    return done;
  }
  if (impl_->wal_pages >= kWalPagesMax)
    impl_->checkpoint();
  else if (impl_->wal_pages >= kWalPagesWanted)
    impl_->checkpointer->wake();
  return {};
}

Result<StoredState> SqliteStore::load() {
  return impl_->reader->load();
}
Result<std::optional<AgentRecord>> SqliteStore::read_agent(AgentNumber number) {
  return impl_->reader->agent(number);
}
Result<std::vector<ContactRecord>> SqliteStore::read_contacts(AgentNumber owner) {
  return impl_->reader->contacts(owner);
}
Result<std::optional<InviteRecord>> SqliteStore::read_invite(const InviteKey& key) {
  return impl_->reader->invite(key);
}
Result<std::optional<ConversationRecord>> SqliteStore::read_conversation(const ConversationId& id) {
  return impl_->reader->conversation(id);
}
Result<std::optional<ChainHead>> SqliteStore::read_chain_head(const ConversationId& id,
                                                              AgentNumber sender) {
  return impl_->reader->chain_head(id, sender);
}
Result<std::optional<IdRecord>> SqliteStore::find_id(AgentNumber sender, const EnvelopeId& id) {
  return impl_->reader->id(sender, id);
}
Result<std::optional<EnvelopeId>> SqliteStore::highest_id(AgentNumber sender) {
  return impl_->reader->highest_id(sender);
}
Result<std::vector<MailboxEntry>> SqliteStore::read_mailbox(AgentNumber owner, std::uint64_t after,
                                                            std::size_t entries_max,
                                                            std::size_t bytes_max) {
  return impl_->reader->mailbox(owner, after, entries_max, bytes_max);
}
Result<std::optional<MailboxEntry>> SqliteStore::read_entry(AgentNumber owner,
                                                            std::uint64_t sequence) {
  return impl_->reader->entry(owner, sequence);
}
Result<std::optional<Bytes>> SqliteStore::read_key_package(AgentNumber agent,
                                                           std::uint64_t number) {
  return impl_->reader->key_package(agent, number);
}
Result<std::vector<MailboxEntry>> SqliteStore::read_expired(UnixMillis now, std::size_t items_max) {
  return impl_->reader->expired(now, items_max);
}

}  // namespace sealwire::broker

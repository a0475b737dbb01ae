#include "broker/store/sqlite/schema.h"

#include <array>

#include "protocol/identity/did_key.h"

namespace sealwire::broker::sqlite {
namespace {

constexpr std::string_view kApplicationId = "1398231892";  // "SWST"

/// One step a version: element n brings a file from user_version n to n + 1. A step that has been
/// released is never edited.
constexpr std::array kMigrations{
    R"(
CREATE TABLE meta(
  only INTEGER PRIMARY KEY CHECK(only = 1),
  incarnation BLOB NOT NULL,
  last_item INTEGER NOT NULL);
CREATE TABLE agents(
  number INTEGER PRIMARY KEY, agent BLOB NOT NULL, instance BLOB NOT NULL,
  created_ms INTEGER NOT NULL, statement BLOB NOT NULL, signature BLOB NOT NULL,
  prekey_statement BLOB, prekey_signature BLOB);
CREATE TABLE agent_states(
  number INTEGER PRIMARY KEY, last INTEGER NOT NULL, acked INTEGER NOT NULL,
  bytes_last INTEGER NOT NULL, bytes_acked INTEGER NOT NULL, pool_first INTEGER NOT NULL,
  pool_next INTEGER NOT NULL, pool_last_resort INTEGER NOT NULL);
CREATE TABLE contacts(
  owner INTEGER NOT NULL, other BLOB NOT NULL, contact INTEGER NOT NULL,
  PRIMARY KEY(owner, other)) WITHOUT ROWID;
CREATE TABLE invites(
  key BLOB PRIMARY KEY NOT NULL, inviter INTEGER NOT NULL, expires_ms INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE key_packages(
  agent INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY(agent, number)) WITHOUT ROWID;
CREATE TABLE conversations(
  id BLOB PRIMARY KEY NOT NULL, incarnation INTEGER NOT NULL, epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL, members BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE chain_heads(
  conversation BLOB NOT NULL, sender INTEGER NOT NULL, incarnation INTEGER NOT NULL,
  epoch INTEGER NOT NULL, sender_seq INTEGER NOT NULL, link BLOB NOT NULL, header BLOB NOT NULL,
  body_hash BLOB NOT NULL, signature BLOB NOT NULL,
  PRIMARY KEY(conversation, sender)) WITHOUT ROWID;
CREATE TABLE ids(
  sender INTEGER NOT NULL, id BLOB NOT NULL, digest BLOB NOT NULL, sequence INTEGER NOT NULL,
  keep_until_ms INTEGER NOT NULL, PRIMARY KEY(sender, id)) WITHOUT ROWID;
CREATE INDEX ids_by_age ON ids(keep_until_ms);
-- A rowid table: rows of a kilobyte are appended, not sorted in. `owner` and `sequence` are those of
-- its only entry, the usual case, and 0 where it was put with several (then they are `shared`).
CREATE TABLE items(
  number INTEGER PRIMARY KEY, type INTEGER NOT NULL, sender INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL, refs INTEGER NOT NULL, owner INTEGER NOT NULL,
  sequence INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX items_by_expiry ON items(expires_ms) WHERE type = 1 AND expires_ms > 0;
CREATE TABLE entries(
  owner INTEGER NOT NULL, sequence INTEGER NOT NULL, conversation_sequence INTEGER NOT NULL,
  bytes_total INTEGER NOT NULL, item INTEGER NOT NULL, shared INTEGER NOT NULL,
  PRIMARY KEY(owner, sequence)) WITHOUT ROWID;
CREATE INDEX entries_of_shared ON entries(item) WHERE shared = 1;
)",
};

Result<> set_and_read_back(Database& database, const std::string& pragma, const std::string& value,
                           const std::string& expected) {
  SW_CHECK(database.run("PRAGMA " + pragma + "=" + value));
  SW_TRY(const std::string is, database.ask("PRAGMA " + pragma));
  if (is != expected)
    return fail(Errc::store_failed, "SQLite: " + pragma + " is " + is + ", not " + expected);
  return {};
}

Result<> check_owner(Database& database) {
  SW_TRY(const std::string application, database.ask("PRAGMA application_id"));
  SW_TRY(const std::string tables, database.ask("SELECT count(*) FROM sqlite_schema"));
  if (application != kApplicationId && std::stoull(tables) != 0)
    return fail(Errc::state_corrupt, "a database of something else than Sealwire");
  return {};
}

Result<> check_integrity(Database& database) {
  SW_TRY(const std::string verdict, database.ask("PRAGMA quick_check(1)"));
  if (verdict != "ok") return fail(Errc::state_corrupt, "damaged: " + verdict);
  return {};
}

Result<> migrate(Database& database, Random& random) {
  SW_TRY(const std::string text, database.ask("PRAGMA user_version"));
  const std::size_t version = std::stoul(text);
  if (version > kMigrations.size())
    return fail(Errc::state_corrupt, "made by a later version of sealwired (schema " + text +
                                         ", this one knows " + std::to_string(kMigrations.size()) +
                                         ")");
  for (std::size_t step = version; step < kMigrations.size(); ++step) {
    std::string sql = "BEGIN IMMEDIATE;" + std::string(kMigrations[step]);
    if (step == 0)
      sql += "INSERT INTO meta VALUES(1, x'" + hex(random.make<Opaque<struct IdTag, 16>>()) +
             "', 0); PRAGMA application_id=" + std::string(kApplicationId) + ";";
    sql += "PRAGMA user_version=" + std::to_string(step + 1) + "; COMMIT;";
    if (auto done = database.run(sql); !done) {
      database.roll_back();
      return done;
    }
  }
  return {};
}

/// The log that an earlier process left may look whole and yet not be on disk: after an fsync that
/// failed, the kernel keeps showing pages that it will never write. Copied into the database and
/// synced, what it holds is as safe as it looks; only then may anything be promised on top of it.
Result<> fold_in_log(Database& database) {
  SW_TRY(const std::string busy, database.ask("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (busy != "0") return fail(Errc::store_failed, "the log cannot be folded in");
  return {};
}

/// What SQLite says of a file that is not a database is about the file, not about the machine.
Result<> about_file(Database& database, Result<> result) {
  const int code = sqlite3_errcode(database.handle());
  if (!result && (code == SQLITE_NOTADB || code == SQLITE_CORRUPT))
    return fail(Errc::state_corrupt, result.error().detail);
  return result;
}

}  // namespace

Result<> configure(Database& database) {
  SW_CHECK(set_and_read_back(database, "synchronous", "FULL", "2"));
  // FAST: freed cells are zeroed, freed pages are not written for that alone.
  SW_CHECK(database.run("PRAGMA secure_delete=FAST"));
  SW_CHECK(database.run("PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY"));
  // The checkpointer does it, off the committer's thread.
  return set_and_read_back(database, "wal_autocheckpoint", "0", "0");
}

Result<> prepare_file(Database& database, Random& random) {
  SW_CHECK(about_file(database, check_owner(database)));
  // Takes effect on a new file only. 8 KiB holds six envelopes of a kilobyte without overflow
  // pages.
  SW_CHECK(database.run("PRAGMA page_size=8192"));
  SW_CHECK(about_file(database, set_and_read_back(database, "journal_mode", "WAL", "wal")));
  SW_CHECK(configure(database));
  SW_CHECK(about_file(database, check_integrity(database)));
  SW_CHECK(fold_in_log(database));
  return migrate(database, random);
}

}  // namespace sealwire::broker::sqlite

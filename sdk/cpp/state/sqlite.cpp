#include "sdk/cpp/state/sqlite.h"

namespace sealwire::sdk {

Error sqlite_error(sqlite3* database) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(database);
  const std::string words = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {Errc::store_full, words};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::state_corrupt, words};
    default:
      return {Errc::store_failed, words + " (" + std::to_string(code) + ")"};
  }
}

Result<Statement> Statement::prepare(sqlite3* database, std::string_view sql, bool persistent) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                         persistent ? SQLITE_PREPARE_PERSISTENT : 0, &raw, &rest) != SQLITE_OK)
    return fail(sqlite_error(database));
  Statement statement;
  statement.handle_.reset(raw);
  if (raw == nullptr) return fail(Errc::store_failed, "an empty SQL statement");
  const std::string_view tail = sql.substr(static_cast<std::size_t>(rest - sql.data()));
  if (tail.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return fail(Errc::store_failed, "more than one SQL statement");
  return statement;
}

Statement& Statement::bind(int index, std::uint64_t value) {
  sqlite3_bind_int64(handle_.get(), index, static_cast<sqlite3_int64>(value));
  return *this;
}
Statement& Statement::bind(int index, ByteSpan value) {
  // A null pointer would bind NULL.
  sqlite3_bind_blob64(handle_.get(), index,
                      value.empty() ? "" : static_cast<const void*>(value.data()), value.size(),
                      SQLITE_STATIC);
  return *this;
}
Statement& Statement::bind(int index, std::string_view value) {
  sqlite3_bind_text64(handle_.get(), index, value.empty() ? "" : value.data(), value.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    reset();
    return false;
  }
  const Error error = sqlite_error(sqlite3_db_handle(handle_.get()));
  reset();
  return fail(error);
}

Result<> Statement::run() {
  SW_TRY(const bool row, step());
  if (row) reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
}

ByteSpan Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}
std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(handle_.get(), column));
}
std::optional<std::string> Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (data == nullptr) return std::nullopt;
  return std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)));
}

Result<Database> Database::open(const std::filesystem::path& path) {
  sqlite3* raw = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.handle_.reset(raw);
  if (result != SQLITE_OK)
    return fail(Errc::file_failed, path.string() + ": " + sqlite_error(raw).detail);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 5000);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  SW_CHECK(database.execute("PRAGMA journal_mode=WAL"));
  SW_CHECK(database.execute("PRAGMA synchronous=FULL"));
  SW_CHECK(database.execute("PRAGMA secure_delete=ON"));
  SW_CHECK(database.execute("PRAGMA foreign_keys=ON"));
  SW_TRY(const std::uint64_t synchronous, database.number("PRAGMA synchronous"));
  if (synchronous != 2) return fail(Errc::store_failed, "SQLite does not take synchronous=FULL");
  // The log that an earlier process left may look whole and yet not be on disk: after an fsync that
  // failed, the kernel keeps showing pages that it will never write. Copied into the database and
  // synced, it is as safe as it looks.
  SW_TRY(const std::uint64_t busy, database.number("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (busy != 0) return fail(Errc::store_failed, "the log cannot be folded in");
  return database;
}

Result<> Database::execute(const char* sql) {
  if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(sqlite_error(handle()));
  return {};
}

Result<std::uint64_t> Database::number(const char* sql) {
  SW_TRY(Statement statement, Statement::prepare(handle(), sql, false));
  SW_TRY(const bool row, statement.step());
  return row ? statement.number(0) : 0;
}

}  // namespace sealwire::sdk

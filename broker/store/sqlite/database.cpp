#include "broker/store/sqlite/database.h"

#include <cerrno>

namespace sealwire::broker::sqlite {

Result<Database> Database::open(const std::filesystem::path& path) {
  sqlite3* handle = nullptr;
  // NOMUTEX: each connection belongs to one thread.
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database;
  database.handle_.reset(handle);
  if (handle == nullptr) return fail(Errc::store_failed, "out of memory");
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) return database.failure("open " + path.string());
  // The checkpointer may hold a lock for a moment; never seen beyond milliseconds.
  sqlite3_busy_timeout(handle, 5000);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

Result<> Database::run(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure(sql.substr(0, 60));
  return {};
}

Result<std::string> Database::ask(const std::string& sql) {
  SW_TRY(Statement statement, Statement::prepare(*this, sql));
  SW_TRY(const bool row, statement.step());
  if (!row) return fail(Errc::store_failed, sql + ": no answer");
  return std::string(as_text(statement.blob(0)));
}

void Database::roll_back() {
  if (sqlite3_get_autocommit(handle_.get()) == 0)
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

tl::unexpected<Error> Database::failure(std::string_view doing) const {
  const int code = sqlite3_extended_errcode(handle_.get());
  // A COMMIT that fails leaves the first at 0; the failed system call is then still in errno.
  int system = sqlite3_system_errno(handle_.get());
  if (system == 0) system = errno;
  const bool io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  const bool full = (code & 0xff) == SQLITE_FULL ||
                    (io && (system == ENOSPC || system == EDQUOT || system == EFBIG));
  std::string detail = "SQLite: " + std::string(doing) + ": " + sqlite3_errmsg(handle_.get()) +
                       " (" + std::to_string(code) + ")";
  if (io && system != 0) detail += ": " + std::generic_category().message(system);
  return fail(full ? Errc::store_full : Errc::store_failed, std::move(detail));
}

Result<Statement> Statement::prepare(Database& database, std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK)
    return database.failure(sql);
  Statement statement;
  statement.handle_.reset(handle);
  statement.database_ = &database;
  return statement;
}

Result<bool> Statement::step() {
  errno = 0;
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = database_->failure(sqlite3_sql(handle_.get()));
  reset();
  return error;
}

Result<> Statement::run() {
  SW_TRY(const bool row, step());
  if (row) reset();
  return {};
}

ByteSpan Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

}  // namespace sealwire::broker::sqlite

// SQLite with our errors: a database handle and prepared statements, nothing else.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>

#include "protocol/bytes.h"
#include "protocol/error.h"

namespace sealwire::sdk {

/// store_full, state_corrupt or store_failed, with SQLite's own words.
Error sqlite_error(sqlite3* database);

/// A prepared statement, used again and again. Bound blobs must live until step() has returned.
class Statement {
 public:
  Statement() = default;
  static Result<Statement> prepare(sqlite3* database, std::string_view sql, bool persistent = true);
  Statement& bind(int index, std::uint64_t value);
  Statement& bind(int index, ByteSpan value);
  Statement& bind(int index, std::string_view value);
  /// True: a row is there. False: done, and reset for the next use.
  Result<bool> step();
  /// For statements without rows.
  Result<> run();
  void reset();
  ByteSpan blob(int column) const;
  std::uint64_t number(int column) const;
  std::optional<std::string> text(int column) const;
  int columns() const { return sqlite3_column_count(handle_.get()); }
  int parameters() const { return sqlite3_bind_parameter_count(handle_.get()); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Database {
 public:
  /// Opens for one thread at a time, with WAL and synchronous=FULL set and read back.
  static Result<Database> open(const std::filesystem::path& path);
  Result<> execute(const char* sql);
  Result<std::uint64_t> number(const char* sql);
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace sealwire::sdk

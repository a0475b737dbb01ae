// SQLite's C interface as two owning types. Errors become Results; the caller's thread is the only
// one that uses a Database.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>

#include "protocol/bytes.h"
#include "protocol/error.h"

namespace sealwire::broker::sqlite {

/// One connection.
class Database {
 public:
  static Result<Database> open(const std::filesystem::path& path);

  /// Runs statements that return nothing of interest.
  [[nodiscard]] Result<> run(const std::string& sql);
  /// The single value of a query such as a PRAGMA.
  [[nodiscard]] Result<std::string> ask(const std::string& sql);
  /// Ends a transaction that did not commit, if one is open.
  void roll_back();

  /// What the last call failed with: store_full where there was no room, else store_failed.
  tl::unexpected<Error> failure(std::string_view doing) const;
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement. `Database` outlives it. Bound spans outlive the `step`s.
class Statement {
 public:
  Statement() = default;
  static Result<Statement> prepare(Database& database, std::string_view sql);

  /// Binds all parameters, from the first; whatever was bound before is gone.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int at = 0;
    (put(++at, values), ...);
    return *this;
  }
  /// True: there is a row. False: that was the last; the statement is reset.
  [[nodiscard]] Result<bool> step();
  /// For statements without rows: one step, then reset.
  [[nodiscard]] Result<> run();
  /// Ends the read transaction that a pending row holds open.
  void reset() { sqlite3_reset(handle_.get()); }

  std::uint64_t integer(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(handle_.get(), column));
  }
  /// Valid until the next step or reset.
  ByteSpan blob(int column) const;
  /// Empty if the column is not exactly that long.
  template <class OpaqueType>
  OpaqueType value(int column) const {
    return OpaqueType::from(blob(column)).value_or(OpaqueType{});
  }
  bool is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  void put(int at, std::uint64_t value) {
    sqlite3_bind_int64(handle_.get(), at, static_cast<sqlite3_int64>(value));
  }
  void put(int at, ByteSpan bytes) {
    // A null pointer would bind NULL.
    sqlite3_bind_blob64(handle_.get(), at,
                        bytes.empty() ? "" : static_cast<const void*>(bytes.data()), bytes.size(),
                        SQLITE_STATIC);
  }
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  Database* database_ = nullptr;
};

/// Resets on leaving: no read transaction outlives a function that returns early.
class ResetOnExit {
 public:
  explicit ResetOnExit(Statement& statement) : statement_(statement) {}
  ResetOnExit(const ResetOnExit&) = delete;
  ResetOnExit& operator=(const ResetOnExit&) = delete;
  ~ResetOnExit() { statement_.reset(); }

 private:
  Statement& statement_;
};

}  // namespace sealwire::broker::sqlite

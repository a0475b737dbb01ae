#include "sdk/cpp/state/sqlite_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "sdk/cpp/state/column_cipher.h"
#include "sdk/cpp/state/lock_file.h"
#include "sdk/cpp/state/sqlite.h"

namespace sealwire::sdk {
namespace {

constexpr std::uint64_t kSchemaVersion = 1;
constexpr std::uint64_t kApplicationId = 0x53575354;  // "SWST"

struct TableName {
  Table table;
  const char* name;
  bool numbered;
};
constexpr std::array kTables = {
    TableName{Table::meta, "meta", false},
    TableName{Table::peers, "peers", false},
    TableName{Table::conversations, "conversations", false},
    TableName{Table::groups, "groups", false},
    TableName{Table::ratchets, "ratchets", false},
    TableName{Table::openings, "openings", false},
    TableName{Table::outbox, "outbox", true},
    TableName{Table::inbox, "inbox", true},
    TableName{Table::held, "held", true},
    TableName{Table::ids, "ids", false},
    TableName{Table::key_packages, "key_packages", false},
    TableName{Table::prekeys, "prekeys", false},
    TableName{Table::invites, "invites", false},
    TableName{Table::nacks, "nacks", true},
    TableName{Table::application, "application", false},
};
constexpr std::size_t index_of(Table table) {
  return static_cast<std::size_t>(table) - 1;
}

// The application sees its own tables only: `app_…`, and the schema as far as making them needs it.
int authorize(void* active, int action, const char* first, const char* second, const char*,
              const char*) {
  if (!*static_cast<const bool*>(active)) return SQLITE_OK;
  const auto own = [](const char* table) {
    const std::string_view name = table == nullptr ? "" : table;
    return name.starts_with("app_");
  };
  const auto schema = [](const char* table) {
    const std::string_view name = table == nullptr ? "" : table;
    return name == "sqlite_master" || name == "sqlite_schema" || name == "sqlite_sequence";
  };
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
    case SQLITE_REINDEX:
      return SQLITE_OK;
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      return own(first) || schema(first) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_TABLE:
    case SQLITE_DROP_TABLE:
      return own(first) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_ALTER_TABLE:
      return own(second) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

class SqliteState final : public State, StateTransaction {
 public:
  SqliteState(Database database, std::optional<LockFile> lock, Random& random)
      : lock_(std::move(lock)), database_(std::move(database)), random_(random) {}

  Result<> prepare(const crypto::SigningKey& key) {
    SW_CHECK(migrate(key));
    for (const TableName& table : kTables) {
      const std::string name = table.name;
      Prepared& into = statements_[index_of(table.table)];
      const auto make = [this](const std::string& sql) {
        return Statement::prepare(database_.handle(), sql);
      };
      SW_TRY(into.put, make("INSERT OR REPLACE INTO " + name + "(key, value) VALUES(?1, ?2)"));
      SW_TRY(into.erase, make("DELETE FROM " + name + " WHERE key = ?1"));
      SW_TRY(into.read, make("SELECT value FROM " + name + " WHERE key = ?1"));
      SW_TRY(into.scan, make("SELECT key, value FROM " + name + " ORDER BY key"));
    }
    const auto plain = [this](const char* sql) {
      return Statement::prepare(database_.handle(), sql);
    };
    SW_TRY(begin_, plain("BEGIN IMMEDIATE"));
    SW_TRY(commit_, plain("COMMIT"));
    SW_TRY(rollback_, plain("ROLLBACK"));
    SW_TRY(fence_, plain("SELECT value FROM fence"));
    sqlite3_set_authorizer(database_.handle(), &authorize, &restricted_);
    // Opening one sealed row shows whether this is our state; `meta` has one from the start.
    return scan(Table::meta, [](ByteSpan, SecretBytes) { return Result<>(); });
  }

  // --- State
  Result<> commit(std::span<const Op> ops) override {
    if (ops.empty()) return {};
    return transact([&](StateTransaction& transaction) -> Result<> {
      for (const Op& op : ops)
        SW_CHECK(transaction.apply(op));
      return {};
    });
  }

  Result<> transact(const std::function<Result<>(StateTransaction&)>& body) override {
    const std::scoped_lock held(mutex_);
    SW_CHECK(begin_.run());
    Result<> result = check_fence();
    if (result) result = body(*this);
    if (result) result = commit_.run();
    if (!result && sqlite3_get_autocommit(database_.handle()) == 0) {
      // SQLite rolls back by itself after some errors; this is for the others.
      if (auto undone = rollback_.run(); !undone) return undone;
    }
    return result;
  }

  Result<std::optional<SecretBytes>> read(Table table, const RowKey& key) override {
    const std::scoped_lock held(mutex_);
    return fetch(table, key);
  }

  Result<> scan(Table table, const std::function<Result<>(ByteSpan, SecretBytes)>& row) override {
    const std::scoped_lock held(mutex_);
    Statement& statement = statements_[index_of(table)].scan;
    while (true) {
      SW_TRY(const bool more, statement.step());
      if (!more) return {};
      const RowKey key =
          is_numbered(table) ? RowKey(statement.number(0)) : RowKey(statement.blob(0));
      auto value = cipher_->open(static_cast<std::uint8_t>(table), key, statement.blob(1));
      Result<> done = value ? row(key, std::move(*value)) : fail(value.error());
      if (!done) {
        statement.reset();
        return done;
      }
    }
  }

 private:
  struct Prepared {
    Statement put, erase, read, scan;
  };

  // --- StateTransaction: within transact() only, mutex_ held
  Result<> apply(const Op& op) override {
    Prepared& statements = statements_[index_of(op.table)];
    if (!op.value) {
      bind_key(statements.erase, op.table, op.key);
      return statements.erase.run();
    }
    const Bytes sealed =
        cipher_->seal(static_cast<std::uint8_t>(op.table), op.key, op.value->span(), random_);
    bind_key(statements.put, op.table, op.key);
    return statements.put.bind(2, ByteSpan(sealed)).run();
  }

  Result<std::optional<SecretBytes>> fetch(Table table, const RowKey& key) override {
    Statement& statement = statements_[index_of(table)].read;
    bind_key(statement, table, key);
    SW_TRY(const bool found, statement.step());
    if (!found) return std::optional<SecretBytes>();
    auto value = cipher_->open(static_cast<std::uint8_t>(table), key, statement.blob(0));
    statement.reset();
    if (!value) return fail(value.error());
    return std::optional<SecretBytes>(std::move(*value));
  }

  Result<> execute(
      std::string_view sql, std::span<const std::string> parameters,
      const std::function<void(const std::vector<std::optional<std::string>>&)>& row) override {
    restricted_ = true;
    Result<> result = execute_restricted(sql, parameters, row);
    restricted_ = false;
    return result;
  }

  Result<> execute_restricted(
      std::string_view sql, std::span<const std::string> parameters,
      const std::function<void(const std::vector<std::optional<std::string>>&)>& row) {
    SW_TRY(Statement statement, Statement::prepare(database_.handle(), sql, false));
    if (static_cast<std::size_t>(statement.parameters()) != parameters.size())
      return fail(Errc::store_failed,
                  "the statement has " + std::to_string(statement.parameters()) + " parameters");
    for (std::size_t i = 0; i < parameters.size(); ++i)
      statement.bind(static_cast<int>(i) + 1, std::string_view(parameters[i]));
    while (true) {
      SW_TRY(const bool more, statement.step());
      if (!more) return {};
      std::vector<std::optional<std::string>> columns;
      columns.reserve(static_cast<std::size_t>(statement.columns()));
      for (int i = 0; i < statement.columns(); ++i)
        columns.push_back(statement.text(i));
      if (row) row(columns);
    }
  }

  Result<> nested(const std::function<Result<>()>& body) override {
    SW_CHECK(database_.execute("SAVEPOINT nested"));
    Result<> result = body();
    if (!result && sqlite3_get_autocommit(database_.handle()) == 0)
      SW_CHECK(database_.execute("ROLLBACK TO nested"));
    if (sqlite3_get_autocommit(database_.handle()) == 0)
      SW_CHECK(database_.execute("RELEASE nested"));
    return result;
  }

  static void bind_key(Statement& statement, Table table, const RowKey& key) {
    if (is_numbered(table))
      statement.bind(1, key.number());
    else
      statement.bind(1, key.span());
  }

  // A second writer that got past the lock file (another host, a deleted lock) has raised the
  // token.
  Result<> check_fence() {
    SW_TRY(const bool row, fence_.step());
    const std::uint64_t token = row ? fence_.number(0) : 0;
    fence_.reset();
    if (token != token_)
      return fail(Errc::state_locked, "another process has taken this state over");
    return {};
  }

  Result<> migrate(const crypto::SigningKey& key) {
    SW_TRY(const std::uint64_t version, database_.number("PRAGMA user_version"));
    SW_TRY(const std::uint64_t application, database_.number("PRAGMA application_id"));
    if (version > kSchemaVersion)
      return fail(Errc::state_corrupt, "the state is of a newer version of this program");
    if (version != 0 && application != kApplicationId)
      return fail(Errc::state_corrupt, "this file is not the state of an agent");
    SW_CHECK(database_.execute("BEGIN IMMEDIATE"));
    if (version == 0) SW_CHECK(create());
    SW_CHECK(database_.execute("UPDATE fence SET value = value + 1"));
    SW_CHECK(database_.execute("COMMIT"));
    SW_TRY(token_, database_.number("SELECT value FROM fence"));
    SW_TRY(Statement salt, Statement::prepare(database_.handle(), "SELECT value FROM salt", false));
    SW_TRY(const bool row, salt.step());
    if (!row) return fail(Errc::state_corrupt, "no salt");
    cipher_.emplace(key, salt.blob(0));
    salt.reset();
    if (version == 0) {
      const Op made{Table::meta, RowKey(as_bytes("made")), SecretBytes(Bytes{1})};
      Statement put;
      SW_TRY(put, Statement::prepare(database_.handle(),
                                     "INSERT INTO meta(key, value) VALUES(?1, ?2)", false));
      const Bytes sealed = cipher_->seal(static_cast<std::uint8_t>(made.table), made.key,
                                         made.value->span(), random_);
      SW_CHECK(put.bind(1, made.key.span()).bind(2, ByteSpan(sealed)).run());
    }
    return {};
  }

  Result<> create() {
    for (const TableName& table : kTables)
      SW_CHECK(database_.execute((std::string("CREATE TABLE ") + table.name + "(key " +
                                  (table.numbered ? "INTEGER" : "BLOB") +
                                  " PRIMARY KEY, value BLOB NOT NULL)")
                                     .c_str()));
    SW_CHECK(database_.execute("CREATE TABLE fence(value INTEGER NOT NULL)"));
    SW_CHECK(database_.execute("INSERT INTO fence VALUES(0)"));
    SW_CHECK(database_.execute("CREATE TABLE salt(value BLOB NOT NULL)"));
    std::array<std::uint8_t, 32> salt{};
    random_.fill(salt);
    SW_TRY(Statement put,
           Statement::prepare(database_.handle(), "INSERT INTO salt VALUES(?1)", false));
    SW_CHECK(put.bind(1, ByteSpan(salt)).run());
    SW_CHECK(
        database_.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str()));
    return database_.execute(("PRAGMA user_version = " + std::to_string(kSchemaVersion)).c_str());
  }

  std::mutex mutex_;
  std::optional<LockFile> lock_;  // goes after the database
  Database database_;
  Random& random_;
  std::optional<ColumnCipher> cipher_;
  std::array<Prepared, kTables.size()> statements_;
  Statement begin_, commit_, rollback_, fence_;
  std::uint64_t token_ = 0;
  bool restricted_ = false;
};

}  // namespace

RowKey::RowKey(ByteSpan bytes) : size_(std::min(bytes.size(), bytes_.size())) {
  std::copy_n(bytes.begin(), size_, bytes_.begin());
}
RowKey::RowKey(std::uint64_t number) : size_(8) {
  for (std::size_t i = 0; i < 8; ++i)
    bytes_[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
}
std::uint64_t RowKey::number() const {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number = number << 8 | bytes_[i];
  return number;
}

bool is_numbered(Table table) {
  return kTables[index_of(table)].numbered;
}

Result<std::unique_ptr<State>> open_sqlite_state(const std::filesystem::path& path,
                                                 const crypto::SigningKey& key, Random& random) {
  std::optional<LockFile> lock;
  if (path != ":memory:") {
    SW_TRY(lock, LockFile::take(path.string() + ".lock"));
    // SQLite gives its journals the mode of the file that it finds.
    const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (made < 0) return fail(Errc::file_failed, path.string() + ": " + std::strerror(errno));
    ::close(made);
  }
  SW_TRY(Database database, Database::open(path));
  auto state = std::make_unique<SqliteState>(std::move(database), std::move(lock), random);
  SW_CHECK(state->prepare(key));
  return state;
}

}  // namespace sealwire::sdk

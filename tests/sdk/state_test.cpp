// The state on disk: sealed, locked, all or nothing.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <fstream>

#include "sdk/cpp/state/sqlite_state.h"
#include "tests/sdk/net.h"

namespace sealwire::sdk {
namespace {

class StateTest : public ::testing::Test {
 protected:
  StateTest() { crypto::initialise(); }
  std::unique_ptr<State> open() { return *open_sqlite_state(path, key, random); }
  std::string file() const {
    std::string all;
    for (const char* suffix : {"", "-wal"}) {
      std::ifstream in(path.string() + suffix, std::ios::binary);
      all.append(std::istreambuf_iterator<char>(in), {});
    }
    return all;
  }
  test::TemporaryDirectory directory;
  std::filesystem::path path = directory.path / "state.db";
  crypto::SystemRandom random;
  crypto::SigningKey key = crypto::SigningKey::generate(random);
};

Op put(std::string_view name, std::string_view value) {
  return {Table::application, RowKey(as_bytes(name)), SecretBytes(as_bytes(value))};
}
std::string get(State& state, std::string_view name) {
  const auto value = state.read(Table::application, RowKey(as_bytes(name)));
  return value && *value ? std::string(as_text((*value)->span())) : "";
}

TEST_F(StateTest, KeepsWhatWasCommittedAndShowsNoneOfIt) {
  {
    auto state = open();
    const std::array ops{put("key", "a secret that must not show")};
    ASSERT_TRUE(state->commit(ops));
    EXPECT_EQ(file().find("a secret that"), std::string::npos);
  }
  EXPECT_EQ(file().find("a secret that"), std::string::npos);
  EXPECT_EQ(get(*open(), "key"), "a secret that must not show");
}

TEST_F(StateTest, IsReadableForItsOwnerOnly) {
  auto state = open();
  for (const char* suffix : {"", "-wal", ".lock"})
    EXPECT_EQ(std::filesystem::status(path.string() + suffix).permissions() &
                  std::filesystem::perms::mask,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << suffix;
}

TEST_F(StateTest, RefusesASecondProcessByName) {
  auto state = open();
  const auto second = open_sqlite_state(path, key, random);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::state_locked);
  EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
}

TEST_F(StateTest, AWriterThatWasOvertakenWritesNoMore) {
  auto first = open();
  std::filesystem::remove(path.string() + ".lock");  // as a careless person would
  auto second = open();
  const std::array ops{put("key", "old")};
  const auto written = first->commit(ops);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::state_locked);
}

TEST_F(StateTest, RefusesAnotherAgentsState) {
  open().reset();
  const auto other = crypto::SigningKey::generate(random);
  const auto opened = open_sqlite_state(path, other, random);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::state_corrupt);
}

TEST_F(StateTest, ARowMovedToAnotherPlaceDoesNotOpen) {
  {
    auto state = open();
    const std::array ops{put("one", "1"), put("two", "2")};
    ASSERT_TRUE(state->commit(ops));
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw,
                         "UPDATE application SET value = (SELECT value FROM application "
                         "WHERE key = CAST('one' AS BLOB)) WHERE key = CAST('two' AS BLOB)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(raw);
  auto state = open();
  EXPECT_EQ(get(*state, "one"), "1");
  const auto moved = state->read(Table::application, RowKey(as_bytes("two")));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, Errc::state_corrupt);
}

TEST_F(StateTest, AFailedTransactionLeavesNothing) {
  auto state = open();
  const auto failed = state->transact([](StateTransaction& transaction) -> Result<> {
    SW_CHECK(transaction.apply(put("key", "value")));
    return fail(Errc::cancelled);
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(get(*state, "key"), "");
}

TEST_F(StateTest, ANestedFailureUndoesOnlyItself) {
  auto state = open();
  ASSERT_TRUE(state->transact([](StateTransaction& transaction) -> Result<> {
    SW_CHECK(transaction.apply(put("kept", "1")));
    EXPECT_FALSE(transaction.nested([&]() -> Result<> {
      SW_CHECK(transaction.apply(put("undone", "1")));
      return fail(Errc::cancelled);
    }));
    return {};
  }));
  EXPECT_EQ(get(*state, "kept"), "1");
  EXPECT_EQ(get(*state, "undone"), "");
}

TEST_F(StateTest, ApplicationsHaveTheirOwnTablesAndNoOthers) {
  auto state = open();
  std::vector<std::string> rows;
  ASSERT_TRUE(state->transact([&](StateTransaction& transaction) -> Result<> {
    SW_CHECK(transaction.execute("CREATE TABLE app_log(n INTEGER PRIMARY KEY, text TEXT)", {}, {}));
    const std::array parameters{std::string("7"), std::string("seven")};
    SW_CHECK(transaction.execute("INSERT INTO app_log VALUES(?, ?)", parameters, {}));
    return transaction.execute("SELECT text FROM app_log WHERE n = 7", {},
                               [&](const auto& row) { rows.push_back(*row[0]); });
  }));
  EXPECT_EQ(rows, std::vector<std::string>{"seven"});
  for (const char* statement :
       {"SELECT * FROM meta", "DELETE FROM outbox", "PRAGMA synchronous=OFF", "COMMIT",
        "ATTACH 'x' AS x", "DROP TABLE inbox", "CREATE TABLE other(x)"}) {
    const auto refused = state->transact(
        [&](StateTransaction& transaction) { return transaction.execute(statement, {}, {}); });
    EXPECT_FALSE(refused) << statement;
  }
}

}  // namespace
}  // namespace sealwire::sdk

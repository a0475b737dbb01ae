// The store on disk: the suite of every store, and what is particular to this one.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "broker/store/sqlite/sqlite_store.h"
#include "protocol/crypto/crypto.h"
#include "tests/broker/store_suite.h"

namespace sealwire::broker {
namespace {

class SqliteUnderTest final : public StoreUnderTest {
 public:
  SqliteUnderTest() {
    crypto::initialise();
    std::string pattern = (std::filesystem::temp_directory_path() / "sealwire-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    reopen();
  }
  ~SqliteUnderTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    auto opened = SqliteStore::open({folder_ / "store.db"}, random_);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

 private:
  crypto::SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<SqliteStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite, ::testing::Values(MakeStore([] {
                           return std::make_unique<SqliteUnderTest>();
                         })));

class Sqlite : public ::testing::Test {
 protected:
  Sqlite() {
    crypto::initialise();
    std::string pattern = (std::filesystem::temp_directory_path() / "sealwire-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "store.db";
  }
  ~Sqlite() override { std::filesystem::remove_all(folder_); }

  Result<std::unique_ptr<SqliteStore>> open(std::uint64_t bytes_max = 0) {
    return SqliteStore::open({path_, bytes_max}, random_);
  }
  void edit(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    sqlite3_close(db);
  }

  /// An agent, then batches of `kEntries` entries for it.
  static constexpr std::uint64_t kEntries = 16;
  static std::vector<StoreOp> agent_ops() {
    PutAgent agent{1, {}};
    agent.identity.agent.bytes[0] = 1;
    return {agent};
  }
  static std::vector<StoreOp> batch_ops(std::uint64_t batch, std::size_t bytes = 3000) {
    const auto body = std::make_shared<const Bytes>(bytes, std::uint8_t(batch));
    std::vector<StoreOp> ops;
    for (std::uint64_t i = 1; i <= kEntries; ++i) {
      const std::uint64_t number = batch * kEntries + i;
      ops.emplace_back(PutItem{number, ItemType::envelope, 1, UnixMillis{number}, body});
      ops.emplace_back(PutEntry{1, number, number, number * bytes, number});
    }
    const std::uint64_t last = (batch + 1) * kEntries;
    ops.emplace_back(PutAgentState{1, {{last, 0, last * bytes, 0}, {}}});
    return ops;
  }

  crypto::SystemRandom random_;
  std::filesystem::path folder_, path_;
};

TEST_F(Sqlite, ItsFilesAreTheirOwnersOnly) {
  const auto store = open();
  ASSERT_TRUE(store) << store.error().detail;
  ASSERT_TRUE((*store)->commit(agent_ops()));
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    EXPECT_EQ(file.status().permissions() &
                  (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
              std::filesystem::perms::none)
        << file.path();
}

TEST_F(Sqlite, ASecondOpenIsRefusedNamingTheHolder) {
  auto first = open();
  ASSERT_TRUE(first);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::state_locked);
  EXPECT_NE(second.error().detail.find("process " + std::to_string(::getpid())), std::string::npos);
  first->reset();
  EXPECT_TRUE(open());
}

TEST_F(Sqlite, TheIncarnationIsMadeOnce) {
  const auto first = (*open())->load()->incarnation;
  EXPECT_FALSE(first.is_zero());
  EXPECT_EQ((*open())->load()->incarnation, first);
}

TEST_F(Sqlite, ARenewedStoreKeepsEverythingButItsIncarnation) {
  const auto first = (*open())->load()->incarnation;
  ASSERT_TRUE((*open())->commit(agent_ops()));
  const auto renewed = SqliteStore::renew({path_}, random_);
  ASSERT_TRUE(renewed);
  EXPECT_NE(*renewed, first);
  const auto state = (*open())->load();
  EXPECT_EQ(state->incarnation, *renewed);
  EXPECT_EQ(state->agents.size(), 1U);
}

TEST_F(Sqlite, AnotherProgramsDatabaseIsLeftAlone) {
  edit("CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::state_corrupt);
  edit("UPDATE theirs SET x = 2");
}

TEST_F(Sqlite, WhatIsNoDatabaseIsRefused) {
  std::ofstream(path_) << std::string(8192, 'x');
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::state_corrupt);
}

TEST_F(Sqlite, ALaterVersionsStoreIsRefused) {
  ASSERT_TRUE(open());
  edit("PRAGMA user_version=99");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::state_corrupt);
  EXPECT_NE(store.error().detail.find("later version"), std::string::npos);
}

TEST_F(Sqlite, DamageIsFoundAtTheStart) {
  {
    auto store = open();
    ASSERT_TRUE((*store)->commit(agent_ops()));
    for (std::uint64_t batch = 0; batch < 20; ++batch)
      ASSERT_TRUE((*store)->commit(batch_ops(batch)));
  }
  const auto size = std::filesystem::file_size(path_);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (std::uint64_t page = 2; page * 8192 < size; ++page) {
    file.seekp(static_cast<std::streamoff>(page * 8192));
    file << std::string(16, '\xff');
  }
  file.close();
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::state_corrupt);
}

TEST_F(Sqlite, AFullStoreRefusesWholeBatchesAndGoesOnWhenThereIsRoom) {
  auto store = open(1024 * 1024);
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->commit(agent_ops()));
  std::uint64_t batch = 0;
  Result<> done;
  while ((done = (*store)->commit(batch_ops(batch)))) {
    ++batch;
    ASSERT_LT(batch, 100U);
  }
  EXPECT_EQ(done.error().code, Errc::store_full) << done.error().detail;
  EXPECT_EQ((*store)->read_agent(1)->value().state.mailbox.last, batch * kEntries);
  EXPECT_EQ((*store)->read_mailbox(1, 0, 10'000, SIZE_MAX)->size(), batch * kEntries);

  const std::vector<StoreOp> drop{DropEntries{1, batch * kEntries}};
  ASSERT_TRUE((*store)->commit(drop));
  EXPECT_TRUE((*store)->commit(batch_ops(batch)));
}

TEST_F(Sqlite, ADiskWithoutRoomRefusesAndServiceGoesOnWhenThereIsSome) {
  // A limit on the size of files stands for the disk or a quota: the same write fails.
  auto store = open();
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->commit(agent_ops()));
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{2 * 1024 * 1024, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::uint64_t batch = 0;
  Result<> done;
  while (batch < 100 && (done = (*store)->commit(batch_ops(batch))))
    ++batch;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::store_full) << done.error().detail;
  EXPECT_EQ((*store)->read_agent(1)->value().state.mailbox.last, batch * kEntries);

  ASSERT_TRUE((*store)->commit(batch_ops(batch)));
  store->reset();
  store = open();
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_EQ((*store)->read_mailbox(1, 0, 100'000, SIZE_MAX)->size(), (batch + 1) * kEntries);
}

TEST_F(Sqlite, AProbeFailsWhereThereIsNoRoomAndPassesWhereThereIs) {
  auto store = open();
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->commit(agent_ops()));
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit none{4096, before.rlim_max};
  const std::vector<StoreOp> probe{Probe{}};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  const auto refused = (*store)->commit(probe);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(refused) << "a commit that writes nothing finds nothing out";
  EXPECT_EQ(refused.error().code, Errc::store_full) << refused.error().detail;
  EXPECT_TRUE((*store)->commit(probe));
}

TEST_F(Sqlite, TheLogIsFoldedInWhileCommitsGoOn) {
  auto store = open();
  ASSERT_TRUE((*store)->commit(agent_ops()));
  for (std::uint64_t batch = 0; batch < 400; ++batch) {
    ASSERT_TRUE((*store)->commit(batch_ops(batch, 4000)));
    ASSERT_EQ((*store)->read_agent(1)->value().state.mailbox.last, (batch + 1) * kEntries);
    const std::vector<StoreOp> drop{DropEntries{1, (batch + 1) * kEntries}};
    ASSERT_TRUE((*store)->commit(drop));
  }
  // 25 MB went through; the log stays below its bound and a batch.
  EXPECT_LT(std::filesystem::file_size(path_.string() + "-wal"), 80U * 1024 * 1024);
  EXPECT_LT(std::filesystem::file_size(path_), 8U * 1024 * 1024);
}

TEST_F(Sqlite, KilledAtAnyMomentItKeepsWhatItCommittedAndNothingHalf) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 engine(seed);
  std::uint64_t before = 0;
  ASSERT_TRUE((*open())->commit(agent_ops()));
  for (int round = 0; round < 8; ++round) {
    int reports[2];
    ASSERT_EQ(::pipe(reports), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(reports[0]);
      auto store = open();
      for (std::uint64_t batch = before; store && (*store)->commit(batch_ops(batch)); ++batch)
        if (::write(reports[1], &batch, sizeof batch) != sizeof batch) break;
      ::_exit(1);
    }
    ::close(reports[1]);
    std::uint64_t committed = before;
    std::uint64_t batch = 0;
    const std::uint64_t kill_after = before + 1 + engine() % 40;
    while (::read(reports[0], &batch, sizeof batch) == sizeof batch) {
      committed = batch + 1;
      if (committed == kill_after) ::kill(child, SIGKILL);
    }
    ::close(reports[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));

    auto store = open();
    ASSERT_TRUE(store) << store.error().detail;
    const auto mailbox = (*store)->read_agent(1)->value().state.mailbox;
    EXPECT_EQ(mailbox.last % kEntries, 0U);
    EXPECT_GE(mailbox.last, committed * kEntries);
    const auto entries = (*store)->read_mailbox(1, 0, 100'000, SIZE_MAX);
    ASSERT_TRUE(entries);
    EXPECT_EQ(entries->size(), mailbox.last);
    EXPECT_EQ((*store)->load()->last_item, mailbox.last);
    before = mailbox.last / kEntries;
  }
}

}  // namespace
}  // namespace sealwire::broker

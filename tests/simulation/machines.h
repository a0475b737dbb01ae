// The two kinds of machine: one that runs an agent (the SDK's core on its state, an application
// behind it) and the one that runs the broker (router and stages on their store). Each has a disk
// and a clock of its own; nothing else of them survives a crash.
#pragma once

#include <deque>

#include "broker/router.h"
#include "broker/stages.h"
#include "broker/store/sqlite/sqlite_store.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/ledger.h"
#include "tests/support/seeded_random.h"

namespace sealwire::test {

class AgentMachine {
 public:
  AgentMachine(std::size_t number, const std::filesystem::path& folder, const KeyFile& key,
               BrokerKey broker);

  /// False, and down, if the disk died meanwhile. Anything else that fails is a violation.
  bool start(UnixMillis now, Ledger& ledger);
  void crash(Disk::Crash how);
  bool up() const { return core != nullptr; }
  /// The application takes up to `most` messages in one transaction.
  void work(std::size_t most, Ledger& ledger);
  /// What its application has in its table.
  std::set<std::uint64_t> received(Ledger& ledger) const;
  bool idle() const;
  std::string why_busy() const;

  const std::size_t number;
  const KeyFile& key;
  Disk disk;
  std::int64_t clock_ms = 0;  // ahead of the true time
  std::unique_ptr<SeededRandom> random;
  std::unique_ptr<sdk::State> state;
  std::unique_ptr<sdk::Core> core;
  broker::ConnectionId connection = 0;
  std::deque<sdk::Received> inbox;  // the application's, not yet worked on

 private:
  Result<> take(sdk::StateTransaction& transaction, const sdk::Received& message, Ledger& ledger);
  sdk::Config config_;
};

class BrokerMachine {
 public:
  BrokerMachine(const std::filesystem::path& folder, const crypto::SigningKey& key);

  bool start(UnixMillis now, Ledger& ledger);
  void crash(Disk::Crash how);
  bool up() const { return router != nullptr; }
  /// One step of the committer: takes a batch to the disk, or comes back from it. False if the disk
  /// died: what was done is not known to anybody.
  bool commit_step(UnixMillis now);
  /// What agents know to be accepted, the store must have.
  void check_against(const AgentMachine& agent, Ledger& ledger);
  /// As `check_against`, once everything is at rest.
  void check_epochs(const AgentMachine& agent, Ledger& ledger);

  const crypto::SigningKey& key;
  Disk disk;
  std::int64_t clock_ms = 0;
  std::unique_ptr<SeededRandom> random;
  broker::RouterConfig config;
  broker::Metrics metrics;
  broker::NullLog log;
  std::unique_ptr<broker::SqliteStore> store;
  std::unique_ptr<broker::Router> router;
  std::optional<broker::Batch> batch;  // at the disk
  UnixMillis next_tick;
  std::optional<BrokerIncarnation> incarnation;
  /// Tooth: says Accepted of a batch one batch before it is on disk.
  bool accepts_early = false;

 private:
  std::vector<broker::StoreOp> early_;
};

}  // namespace sealwire::test

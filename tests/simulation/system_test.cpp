// The simulation itself: it is deterministic, it does what it is for, and it has teeth.
#include "tests/simulation/system.h"

#include <gtest/gtest.h>

#include "tests/simulation/temporary_folder.h"

namespace sealwire::test {
namespace {

class SystemTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    prepared_ = new Prepared(Prepared::make(folder_->path));
  }
  static void TearDownTestSuite() {
    delete prepared_;
    delete folder_;
  }
  static RunResult run_seed(std::uint64_t seed, Tooth tooth = {}) {
    Schedule schedule;
    schedule.seed = seed;
    schedule.tooth = tooth;
    return run(*prepared_, schedule);
  }
  /// The first of fifty seeds that shows what is wrong; 0 if none does.
  static std::uint64_t caught_by(Tooth tooth) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed)
      if (run_seed(seed, tooth).violation) return seed;
    return 0;
  }

  inline static TemporaryFolder* folder_ = nullptr;
  inline static Prepared* prepared_ = nullptr;
};

TEST_F(SystemTest, The_same_seed_gives_the_same_run_bit_for_bit_and_another_seed_another) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RunResult once = run_seed(seed);
    const RunResult again = run_seed(seed);
    EXPECT_EQ(once.trace, again.trace) << "seed " << seed;
    EXPECT_EQ(once.disk_steps, again.disk_steps) << "seed " << seed;
    EXPECT_NE(once.trace, run_seed(seed + 1).trace);
  }
}

TEST_F(SystemTest, Every_fault_happens_and_none_breaks_a_promise) {
  std::map<std::string, std::size_t> faults;
  Ledger::Counts sum;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const RunResult result = run_seed(seed);
    ASSERT_FALSE(result.violation) << "seed " << seed << ": " << *result.violation;
    for (const auto& [what, times] : result.faults)
      faults[what] += times;
    sum.accepted += result.messages.accepted;
    sum.received += result.messages.received;
  }
  for (const char* what :
       {"broker killed", "broker's power cut", "broker's disk fails once", "agent killed",
        "agent's power cut", "agent's disk fails once", "connection reset", "partition",
        "frame dropped", "frame doubled", "clock jumps", "clock jumps far", "time passes"})
    EXPECT_GT(faults[what], 0u) << what;
  EXPECT_GT(sum.accepted, 500u);
  EXPECT_GT(sum.received, 500u);
}

// Teeth: with each of these the broker breaks its word, and that is found out.
TEST_F(SystemTest, A_disk_that_syncs_nothing_is_caught) {
  EXPECT_NE(caught_by({Disk::Lie::all_syncs, false}), 0u);
}
TEST_F(SystemTest, A_log_that_is_not_synced_with_every_commit_is_caught) {
  EXPECT_NE(caught_by({Disk::Lie::log_syncs, false}), 0u);
}
TEST_F(SystemTest, A_broker_that_accepts_before_it_commits_is_caught) {
  EXPECT_NE(caught_by({Disk::Lie::none, true}), 0u);
}

TEST_F(SystemTest, A_failing_schedule_shrinks_and_still_fails) {
  Schedule failing;
  failing.tooth = {Disk::Lie::none, true};
  while (!run(*prepared_, failing).violation)
    ++failing.seed;
  const Schedule small = shrink(*prepared_, failing, 300);
  EXPECT_TRUE(run(*prepared_, small).violation);
  EXPECT_LT(small.steps - small.left_out.size(), failing.steps / 2);
}

}  // namespace
}  // namespace sealwire::test

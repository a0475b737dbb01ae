// The whole system in one thread: real agents (core and state), the real broker (handshake, stages,
// router, store), their disks, clocks and network simulated, under a seeded schedule of faults.
// The same seed gives the same run, bit for bit.
#pragma once

#include "tests/simulation/machines.h"

namespace sealwire::test {

/// Agents that know each other and a broker that knows them, as images of their disks: every run
/// begins here, so that no run pays for making it.
struct Prepared {
  static constexpr std::size_t kAgents = 3;
  /// `folder` has to exist as long as runs go on. One at a time.
  static Prepared make(const std::filesystem::path& folder);

  std::filesystem::path folder;
  crypto::SigningKey broker_key;
  std::vector<KeyFile> keys;
  Disk::Image broker_disk;
  std::vector<Disk::Image> agent_disks;
};

struct Tooth {
  Disk::Lie lie = Disk::Lie::none;  // of the broker's disk
  bool accepts_early = false;
};

struct Schedule {
  std::uint64_t seed = 1;
  std::size_t steps = 400;
  std::set<std::size_t> left_out;  // steps that do not happen: for shrinking
  Tooth tooth;
  bool told = false;  // every step is printed
};

struct RunResult {
  std::optional<std::string> violation;
  std::size_t violated_at = 0;  // step
  Digest trace;
  Ledger::Counts messages;
  std::map<std::string, std::size_t> faults;  // by what happened
  std::uint64_t disk_steps = 0;
};

RunResult run(const Prepared& prepared, const Schedule& schedule);

/// Leaves out of a failing schedule whatever its failure does not need, for at most `runs` runs.
Schedule shrink(const Prepared& prepared, Schedule failing, std::size_t runs);

}  // namespace sealwire::test

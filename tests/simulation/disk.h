// A disk as SQLite sees one, in memory and under a seed. What was written and not synced may be
// lost, torn or kept out of order when the power goes; any step may fail once or be the last.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "protocol/bytes.h"

namespace sealwire::test {

/// Every SQLite database below `folder` lies on this disk while it lives; the folder itself only
/// has to exist. Any thread.
class Disk {
 public:
  enum class Crash : std::uint8_t {
    process,  // what was written stays, synced or not
    power,    // what was synced stays
  };
  /// Where SQLite's promise ends: what the disk, or whoever stands before it, does wrong.
  enum class Lie : std::uint8_t { none, all_syncs, log_syncs };
  using Image = std::map<std::string, Bytes>;  // by file name

  explicit Disk(std::filesystem::path folder);
  ~Disk();
  Disk(const Disk&) = delete;

  /// Empty of everything but `image`; faults are as at the beginning.
  void reset(Image image, std::uint64_t seed);
  Image image() const;
  const std::filesystem::path& folder() const;

  /// Changes so far: writes, syncs, truncations, deletions.
  std::uint64_t steps() const;
  /// The n-th change from now (from 1) is done in part or not at all; nothing works after it.
  void die_at(std::uint64_t nth);
  /// The n-th change from now fails with this SQLite code; what a failed sync had to write never
  /// gets to the disk.
  void fail_at(std::uint64_t nth, int code);
  void fail_never();
  void lie(Lie lie);
  bool dead() const;
  /// The end of the machine, or of the process, and its restart: handles of before are dead.
  void restart(Crash how);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace sealwire::test

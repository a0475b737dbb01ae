// Which files a process may touch, and whether it may dial: Landlock (Linux 5.13 and later).
#pragma once

#include <cstdint>
#include <filesystem>

#include "protocol/error.h"

namespace sealwire::cage {

/// The version of Landlock that this kernel enforces; 0: none.
int landlock_abi();

enum class Access : std::uint8_t {
  read,     // files, and the names in folders
  execute,  // and read
  keep,     // read; make, change and remove files
};

/// Everything that this kernel can forbid is forbidden, but what is granted.
class Ruleset {
 public:
  /// `dials`: outgoing TCP stays possible; else it is forbidden from ABI 4 on. Fails with
  /// cage_incomplete.
  static Result<Ruleset> make(int abi, bool dials);
  Ruleset(Ruleset&& other) noexcept;
  Ruleset& operator=(Ruleset&& other) noexcept;
  Ruleset(const Ruleset&) = delete;
  Ruleset& operator=(const Ruleset&) = delete;
  ~Ruleset();

  /// Of `path` and all below it; a link is followed. A path that is not there is no failure: what
  /// is made there later stays forbidden. Fails with cage_incomplete.
  Result<> grant(const std::filesystem::path& path, Access access);

  /// For the calling thread and those that it will start, for good; async-signal-safe. Files that
  /// are open stay so. Wants no_new_privs to be set. False, with errno, where the kernel refused.
  bool enter() const;

 private:
  Ruleset(int file, std::uint64_t handled) : file_(file), handled_(handled) {}
  int file_ = -1;
  std::uint64_t handled_ = 0;
};

}  // namespace sealwire::cage

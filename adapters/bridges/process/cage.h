// What a bridge's process may not do, enforced by the kernel: no new privileges, no network of its
// own, no files but the interpreter's and the bridge's, and a list of system calls.
#pragma once

#include <string>
#include <vector>

#include "adapters/cage/filter.h"
#include "adapters/cage/landlock.h"

namespace sealwire::bridge {

class Cage {
 public:
  /// Readable inside: the system's programs and libraries, and each file or folder that `command`
  /// names (the folder of a file). With `tunnels` it may use TCP, in a network namespace where
  /// there is nothing but them. Fails with cage_incomplete where seccomp or Landlock is missing, or
  /// the namespace that tunnels want.
  [[nodiscard]] static Result<Cage> build(const std::vector<std::string>& command,
                                          bool tunnels = false);

  /// For the calling process, for good; async-signal-safe. False, with errno, where a layer failed.
  /// `alone`: it has a network namespace of its own already.
  bool enter(bool alone = false) const;

 private:
  Cage(cage::Ruleset ruleset, cage::Filter filter)
      : ruleset_(std::move(ruleset)), filter_(std::move(filter)) {}
  cage::Ruleset ruleset_;
  cage::Filter filter_;
};

}  // namespace sealwire::bridge

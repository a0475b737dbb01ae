// What a bridge's process may not do, enforced by the kernel: no new privileges, no network of its
// own, no files but the interpreter's and the bridge's, and a list of system calls.
#pragma once

#include <string>
#include <vector>

#include "protocol/error.h"

namespace sealwire::bridge {

/// What this machine offers.
struct CageSupport {
  bool seccomp = false;
  int landlock = 0;  // its ABI version
  bool network_namespace = false;
};
CageSupport cage_support();

class Cage {
 public:
  /// Readable inside: the system's programs and libraries, and each file or folder that `command`
  /// names (the folder of a file). With `tunnels` it may use TCP, in a network namespace where
  /// there is nothing but them. Fails with transport_insecure where seccomp or Landlock is missing,
  /// or the namespace that tunnels want.
  [[nodiscard]] static Result<Cage> build(const std::vector<std::string>& command,
                                          bool tunnels = false);
  Cage(Cage&& other) noexcept;
  Cage& operator=(Cage&& other) noexcept;
  Cage(const Cage&) = delete;
  Cage& operator=(const Cage&) = delete;
  ~Cage();

  /// For the calling process, for good; async-signal-safe. False, with errno, where a layer failed.
  /// `alone`: it has a network namespace of its own already.
  bool enter(bool alone = false) const;

 private:
  Cage() = default;
  int ruleset_ = -1;
  std::vector<unsigned char> filter_;  // a compiled BPF program
};

}  // namespace sealwire::bridge

// The cage that sealwired puts around itself: what it will never need is taken from it before its
// first thread, and what only its start needed once its listeners stand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/cage/support.h"
#include "broker/config.h"
#include "protocol/error.h"

namespace sealwire::broker {

/// What an entered cage consists of, in words for the log.
struct CageReport {
  std::vector<std::string> layers;
  std::vector<std::string> missing;  // each with its reason
};

/// Built with a sanitizer: its runtime forks, traces and reads what a cage forbids.
bool built_without_cage();

/// Becomes `[process] user`, if there is one. Before files are opened, since it opens them. Fails
/// with cage_incomplete.
Result<> become_configured_user(const Config& config);

/// For this thread and all that it starts, for good: no new privileges, capabilities or core
/// dumps; files by Landlock (those that `config` and `config_file` name, the store's folder, the
/// system's libraries); system calls by seccomp. `support` says what the kernel has. Fails with
/// cage_incomplete, which names the layer, where `[process] cage` is "required" and one is missing
/// or refused.
Result<CageReport> enter_cage(const Config& config, const std::filesystem::path& config_file,
                              const cage::Support& support);

/// For every thread, once it listens: no more ports, no changes to the cage, and, unless a channel
/// of `config` listens by dialling, no sockets and no dialling. Fails with cage_incomplete.
Result<> close_cage(const Config& config, const CageReport& entered);

/// One line: "cage: …; missing: …".
std::string describe(const CageReport& report);

}  // namespace sealwire::broker

// What the kernel says of a sealwired that runs: what is, not what was intended.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "sdk/cli/doctor/finding.h"

namespace sealwire::cli {

/// Of every thread of `pid`. `proc`: /proc, or what a test puts in its place.
Findings examine_process(pid_t pid, const std::filesystem::path& proc = "/proc");

/// Who holds the lock of the store at `store`; nobody where none runs. The number in the file alone
/// would be a guess, so the lock is tried.
std::optional<pid_t> process_of_store(const std::filesystem::path& store);

}  // namespace sealwire::cli

// A bridge that is a process of its own: the contract over its standard input and output, an empty
// environment, resource limits, and the cage around it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/bridges/bridge.h"
#include "adapters/bridges/process/tunnel.h"

namespace sealwire::bridge {

struct ProcessOptions {
  std::vector<std::string> command;             // the first is an absolute path
  std::function<void(const std::string&)> log;  // a line of its standard error, made printable
  bool caged = true;                            // false only where the operator said so
  std::vector<Tunnel> tunnels = {};             // only for a caged one
};

/// Fails with file_failed (it cannot be executed), or cage_incomplete where a layer of the cage is
/// missing here. A bridge that the kernel ended for a system call that no bridge makes has ended
/// with `denied`.
[[nodiscard]] Result<std::unique_ptr<Bridge>> start_process(const ProcessOptions& options,
                                                            Bridge::OnSaid said,
                                                            Bridge::OnEnd ended);

}  // namespace sealwire::bridge

// Where bridges are found: the shipped ones by name, any other by path.
#pragma once

#include <string>
#include <vector>

#include "sdk/cli/failure.h"

namespace sealwire::cli {

/// SEALWIRE_BRIDGES, else `share/sealwire/bridges` beside the folder of our own program.
std::string bridges_directory();
/// Names of the shipped bridges, sorted.
std::vector<std::string> shipped_bridges();
/// The command that runs `what`: a shipped name, or the path of a program, .py or .mjs file.
Outcome<std::vector<std::string>> bridge_command(const std::string& what);

}  // namespace sealwire::cli

// Where a program of ours lies that this one starts.
#pragma once

#include <string>

#include "sdk/cli/failure.h"

namespace sealwire::cli {

/// Beside this program, as they are built and installed; else along PATH. `next`: what to try.
Outcome<std::string> find_program(const std::string& name, const std::string& next);

}  // namespace sealwire::cli

// What a configuration comes to, for tools: `sealwired --check --json`.
#pragma once

#include <string>

#include "broker/config.h"

namespace sealwire::broker {

/// One line: problems, and (where there is a configuration) the files that it names, its listeners
/// and its cage. `config` may be null.
std::string config_json(const Config* config, const ConfigProblems& problems);

}  // namespace sealwire::broker

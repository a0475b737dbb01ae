// `sealwire adapter`: everything about bridges on the command line lives in this folder.
#pragma once

#include "sdk/cli/commands/commands.h"

namespace sealwire::cli {

void add_adapter(CLI::App& app, Context& context);

}  // namespace sealwire::cli

// One run of the command line, from its arguments to its exit status.
#pragma once

#include "sdk/cli/context.h"
#include "sdk/cli/exit_code.h"

namespace sealwire::cli {

ExitCode run(Context& context, int argc, const char* const* argv);

}  // namespace sealwire::cli

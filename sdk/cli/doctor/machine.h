// What this machine can do for a broker and for bridges.
#pragma once

#include "adapters/cage/support.h"
#include "sdk/cli/doctor/finding.h"

namespace sealwire::cli {

/// `cage`: what the kernel has; a parameter for tests.
Findings examine_machine(const cage::Support& cage);

}  // namespace sealwire::cli

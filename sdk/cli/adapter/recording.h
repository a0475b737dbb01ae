// What a bridge and its host said to each other, kept in a file and played again: one JSON object a
// line, {"said":…} or {"told":…}, in the order of the host.
#pragma once

#include <string>
#include <vector>

#include "adapters/bridges/bridge.h"
#include "sdk/cli/adapter/check.h"
#include "sdk/cli/failure.h"

namespace sealwire::cli {

/// Makes `file`, for its owner only (people's words are in it; secrets are not, a bridge has none),
/// and records there every bridge that is launched. Fails where there is a file already.
Outcome<bridge::Launch> record(bridge::Launch launch, const std::string& file);

/// Tells a bridge what a recorded one was told, and wants the same said; what a bridge said between
/// two things that it was told may come in any order.
Outcome<std::vector<Check>> replay(const bridge::Launch& launch, const std::string& file);

}  // namespace sealwire::cli

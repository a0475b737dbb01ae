// A bridge that is a shared library in our own process (sealwire_bridge.h): as fast as it can be,
// and in no cage.
#pragma once

#include <string>

#include "adapters/bridges/bridge.h"

namespace sealwire::bridge {

/// Fails with file_failed (no such library, or not a bridge), or version_unsupported (another ABI).
/// A line that is not of the contract ends the bridge.
[[nodiscard]] Result<std::unique_ptr<Bridge>> start_library(const std::string& path,
                                                            Bridge::OnSaid said,
                                                            Bridge::OnEnd ended);

}  // namespace sealwire::bridge

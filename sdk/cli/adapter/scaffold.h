// `sealwire adapter new`: a folder with the smallest bridge that works.
#pragma once

#include <string>
#include <vector>

#include "sdk/cli/context.h"
#include "sdk/cli/failure.h"

namespace sealwire::cli {

/// What `language` of `new_bridge` may be.
std::vector<std::string> languages();

/// Copies the shipped bridge `hello` of that language into `folder`, over nothing that is there.
Outcome<> new_bridge(Context& context, const std::string& folder, const std::string& language);

}  // namespace sealwire::cli

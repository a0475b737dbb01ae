// What has to hold of a configuration's text before the TOML parser may see it.
#pragma once

#include <optional>
#include <string_view>

namespace sealwire::broker {

/// The line (from 1) of the first character beyond ASCII outside strings and comments, where TOML
/// allows none. toml++ 3.3 has undefined behaviour there instead of an error.
std::optional<unsigned> line_of_stray_character(std::string_view text);

}  // namespace sealwire::broker

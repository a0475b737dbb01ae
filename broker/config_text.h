// What has to hold of a configuration's text before the TOML parser may see it.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace sealwire::broker {

/// `text` in ASCII alone, line for line: what a comment holds beyond ASCII becomes `?`. Elsewhere
/// it is refused, with its line (from 1): toml++ 3.3 has undefined behaviour, not an error, where
/// such a character stands in the wrong place.
tl::expected<std::string, unsigned> in_ascii(std::string_view text);

}  // namespace sealwire::broker

// Text for people: what was probably meant, and what a peer or a file says without its control
// characters.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace sealwire::broker {

/// The candidate at most two edits away from `word`, the nearest first; empty if there is none.
std::string closest(std::string_view word, const std::set<std::string, std::less<>>& candidates);

/// `text` with everything but printable ASCII and well-formed UTF-8 beyond it written as \xNN, so
/// that it can neither begin a line of its own nor steer a terminal. At most `bytes_max` of it.
std::string printable(std::string_view text, std::size_t bytes_max = 512);

}  // namespace sealwire::broker

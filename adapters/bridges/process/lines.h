// The contract as JSON lines (adapters/bridges/CONTRACT.md): one object a line, parsed strictly.
#pragma once

#include <string>

#include "adapters/bridges/bridge.h"

namespace sealwire::bridge {

inline constexpr std::size_t kLineBytes = 2 * 1024 * 1024;

/// Fails with config_invalid and what is wrong with the line.
[[nodiscard]] Result<Said> parse_said(std::string_view line);
/// With its newline.
std::string write_told(const Told& told);

/// The other side's, for recordings and tests.
[[nodiscard]] Result<Told> parse_told(std::string_view line);
std::string write_said(const Said& said);

}  // namespace sealwire::bridge

// What the process's exit status says. docs/cli.md shows this table, and a test compares the two.
#pragma once

#include <span>
#include <string_view>

#include "protocol/error.h"

namespace sealwire::cli {

enum class ExitCode : int {
  ok = 0,
  failed = 1,
  usage = 2,
  denied = 3,
  unreachable = 4,
  timeout = 5,
  untrusted = 6,
  state = 7,
  busy = 8,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
};

std::span<const ExitCodeRow> exit_codes();

/// The status of a command that ended with `code`.
ExitCode exit_code(Errc code);

}  // namespace sealwire::cli

// How every command of `sealwire` fails: a code, a cause, and what to type next.
#pragma once

#include <string>

#include "protocol/error.h"

namespace sealwire::cli {

struct Failure {
  Error error;
  std::string next;  // the next command to try; empty takes the code's own

  Failure(Error from, std::string next_command = {})  // NOLINT(google-explicit-constructor)
      : error(std::move(from)), next(std::move(next_command)) {}
};

template <class T = void>
using Outcome = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> failure(Errc code, std::string cause,
                                                     std::string next = {}) {
  return tl::unexpected<Failure>(Failure(Error{code, std::move(cause)}, std::move(next)));
}
[[nodiscard]] inline tl::unexpected<Failure> failure(Error error, std::string next = {}) {
  return tl::unexpected<Failure>(Failure(std::move(error), std::move(next)));
}

/// What to try after `code` where the command knows nothing better; "" where nothing would help.
std::string_view next_command(Errc code);

/// Two lines for a person, or one JSON line.
std::string describe(const Failure& failure, bool json);

}  // namespace sealwire::cli

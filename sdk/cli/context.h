// What every command shares: the options given before its name, the streams, and the action that
// parsing the command line leaves to be done.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "sdk/cli/failure.h"

namespace sealwire::cli {

/// One run of `sealwire`. `out` is for data, `err` for the rest.
struct Context {
  Context(std::ostream& data, std::ostream& rest) : out(data), err(rest) {}

  std::ostream& out;
  std::ostream& err;
  std::string program;  // argv[0]
  std::string home;     // --home, else SEALWIRE_HOME, else the SDK's default
  std::string name;     // -c, else SEALWIRE_CONTEXT, else the SDK's choice
  bool json = false;
  bool terminal = false;  // `out` is a terminal: what others wrote is made printable
  std::function<Outcome<>()> action;
};

}  // namespace sealwire::cli

// What a command says to a peer: words of the command line, a file, or standard input.
#pragma once

#include <string>
#include <vector>

#include "sdk/cli/failure.h"
#include "sealwire/payload.h"

namespace CLI {
class App;
}

namespace sealwire::cli {

struct ContentOptions {
  std::vector<std::string> words;
  std::string file;
  std::string media_type;
};

/// Adds the words as the command's last arguments, `--file` and `--type`.
void add_content_options(CLI::App& command, ContentOptions& options);

/// Standard input is read where neither words nor a file are given.
Outcome<Payload> read_content(const ContentOptions& options);

}  // namespace sealwire::cli

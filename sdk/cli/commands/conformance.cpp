// `sealwire conformance`: becomes sealwire-conformance, a program of its own that shares no code
// with this one.
#include <unistd.h>

#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/find_program.h"

namespace sealwire::cli {
namespace {

Outcome<> become(const std::vector<std::string>& arguments) {
  const auto program = find_program("sealwire-conformance", "ninja sealwire_conformance");
  if (!program) return tl::unexpected(program.error());
  std::vector<std::string> words{*program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program->c_str(), argv.data());
  return failure(Errc::file_failed, *program + " cannot be run");
}

}  // namespace

void add_conformance(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("conformance", "Check whether a broker keeps the protocol");
  // All that follows is that program's, its --help too.
  command->prefix_command()->allow_extras()->fallthrough(false)->set_help_flag();
  command->callback([&context, command] {
    context.action = [arguments = command->remaining()] { return become(arguments); };
  });
}

}  // namespace sealwire::cli

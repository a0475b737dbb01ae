#include "sdk/cli/run.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>

#include "sdk/cli/adapter/command.h"
#include "sdk/cli/commands/commands.h"

namespace sealwire::cli {
namespace {

void add_commands(CLI::App& app, Context& context) {
  add_up(app, context);
  add_key(app, context);
  add_whoami(app, context);
  add_invite(app, context);
  add_login(app, context);
  add_peer(app, context);
  add_send(app, context);
  add_recv(app, context);
  add_req(app, context);
  add_reply(app, context);
  add_conversation(app, context);
  add_inspect(app, context);
  add_status(app, context);
  add_doctor(app, context);
  add_pipe(app, context);
  add_adapter(app, context);
  add_conformance(app, context);
}

ExitCode usage_failure(Context& context, const CLI::App& app, const CLI::ParseError& error) {
  // The deepest command that was named knows its own options best.
  const CLI::App* named = &app;
  while (!named->get_subcommands().empty())
    named = named->get_subcommands().front();
  std::string command = named->get_name();
  for (const CLI::App* above = named->get_parent(); above != nullptr; above = above->get_parent())
    command.insert(0, above->get_name() + " ");
  // Of a command that does not exist the parser says only that one is missing.
  const std::vector<std::string> rest = app.remaining(true);
  const std::string cause =
      rest.empty() ? std::string(error.what())
                   : fmt::format("\"{}\" is no {} of {}", rest.front(),
                                 rest.front().starts_with('-') ? "option" : "command", command);
  context.err << describe(Failure({Errc::config_invalid, cause}, command + " --help"),
                          context.json);
  return ExitCode::usage;
}

}  // namespace

ExitCode run(Context& context, int argc, const char* const* argv) {
  CLI::App app("Secure messaging between agents: end-to-end encrypted, signed, stored until read.",
               "sealwire");
  context.program = argv[0];
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", std::string("sealwire ") + SEALWIRE_VERSION + " (sealwire/0)");
  app.add_option("-c,--context", context.name, "Which agent to be [the only one, or \"default\"]")
      ->envname("SEALWIRE_CONTEXT");
  app.add_option("--home", context.home, "Where contexts are kept [~/.config/sealwire]")
      ->envname("SEALWIRE_HOME");
  app.add_flag("--json", context.json, "Print JSON, one value a line");
  app.footer(
      "Exit status: 0 done, 1 failed, 2 usage, 3 denied, 4 unreachable, 5 timeout,\n"
      "6 untrusted, 7 state, 8 busy. Data goes to standard output, the rest to standard error.");
  add_commands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked, context.out, context.err);
    return ExitCode::ok;
  } catch (const CLI::ParseError& error) {
    return usage_failure(context, app, error);
  }

  const Outcome<> outcome = context.action();
  context.out.flush();
  if (!outcome) {
    context.err << describe(outcome.error(), context.json);
    return exit_code(outcome.error().error.code);
  }
  if (!context.out) {
    context.err << describe(Failure({Errc::file_failed, "standard output was closed"}),
                            context.json);
    return ExitCode::failed;
  }
  return ExitCode::ok;
}

}  // namespace sealwire::cli

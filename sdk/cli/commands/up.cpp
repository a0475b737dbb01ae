// `sealwire up`: a development broker and two agents to try everything with.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <cstdlib>
#include <thread>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/interrupt.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"
#include "sdk/cli/up/demo.h"

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;

struct UpOptions {
  bool demo = false;
  bool once = false;
  std::string directory;
};

fs::path state_directory(const UpOptions& options) {
  if (!options.directory.empty()) return fs::absolute(options.directory);
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base = state != nullptr && *state != '\0'
                            ? fs::path(state)
                            : fs::path(home != nullptr ? home : ".") / ".local/state";
  return fs::absolute(base / "sealwire/dev");
}

void print_broker(Context& context, const BrokerProcess& broker, const std::string& home) {
  if (context.json) {
    context.out << to_line(Json{{"event", "broker"},
                                {"broker_key", broker.key()},
                                {"endpoints", {broker.websocket(), broker.zeromq()}},
                                {"home", home}})
                << std::flush;
    return;
  }
  context.out << "broker   key " << broker.key() << "\n"
              << "alice    " << broker.websocket() << "      WebSocket, TLS\n"
              << "bob      " << broker.zeromq().substr(0, broker.zeromq().find('?'))
              << "       ZeroMQ, CURVE\n\n"
              << std::flush;
}

void print_next(Context& context, const std::string& home, bool bob_answers) {
  if (context.json) {
    context.out << to_line(Json{{"event", "up"}}) << std::flush;
    return;
  }
  context.out << "\nThe broker is up. In a second terminal, type:\n\n"
              << fmt::format("  cd {}\n", fs::current_path().string())
              << fmt::format("  export SEALWIRE_HOME={}\n", home)
              << fmt::format("  alias sealwire={}\n\n", fs::absolute(context.program).string());
  if (bob_answers)
    context.out << "  sealwire -c alice send bob 'Are you there?'\n"
                   "  sealwire -c alice recv\n"
                   "  sealwire -c alice req bob '{\"add\":[1,2,3]}'\n";
  else
    context.out << "  sealwire -c alice send bob 'Are you there?'\n"
                   "  sealwire -c bob recv\n"
                   "  sealwire -c bob recv -F              # in a third: follows\n";
  context.out << "  sealwire -c carol login --name alice \"$(sealwire -c alice invite)\"\n"
                 "  sealwire -c carol send alice 'I am new here'\n\n"
                 "Ctrl-C ends broker and agents; the next start goes on from here.\n"
              << std::flush;
}

Outcome<> stay(BrokerProcess& broker) {
  while (!interrupted()) {
    if (auto failed = broker.failed()) return tl::unexpected(*failed);
    std::this_thread::sleep_for(Millis(200));
  }
  return {};
}

// Ends the agent, and with it the lock on its state.
Outcome<> leave(Agent agent) {
  SW_CHECK(agent.drain(Millis(5000)));
  return {};
}

Outcome<> talk(Context& context, const UpOptions& options, BrokerProcess& broker,
               const std::string& home) {
  auto agents = open_demo_agents(home, broker);
  if (!agents) return tl::unexpected(agents.error());
  print_broker(context, broker, home);
  if (options.demo) {
    agents->bob.on_message(
        [](const Message& message) { (void)message.reply(bobs_answer(message)); });
    Transcript transcript(context.out, broker.log_file(), context.json);
    if (auto done = run_demo(*agents, transcript); !done) return done;
    if (!transcript.search(broker.folder()))
      return failure(Errc::crypto_failed, "plaintext was found on the broker's side");
  }
  // The terminal's turn: it wants to be alice, and bob too where he does not answer by himself.
  if (auto left = leave(std::move(agents->alice)); !left) return left;
  if (!options.demo)
    if (auto left = leave(std::move(agents->bob)); !left) return left;
  if (options.once) return {};
  print_next(context, home, options.demo);
  auto stayed = stay(broker);
  if (options.demo && stayed) return leave(std::move(agents->bob));
  return stayed;
}

Outcome<> up(Context& context, const UpOptions& options) {
  catch_interrupts();
  const fs::path directory = state_directory(options);
  std::error_code error;
  fs::create_directories(directory, error);
  fs::permissions(directory, fs::perms::owner_all, error);
  auto broker = BrokerProcess::start(directory / "broker");
  if (!broker) return tl::unexpected(broker.error());
  auto talked = talk(context, options, *broker, (directory / "agents").string());
  if (!context.json && interrupted()) context.err << "\nstopping…\n";
  broker->stop();
  return talked;
}

}  // namespace

void add_up(CLI::App& app, Context& context) {
  auto options = std::make_shared<UpOptions>();
  auto* command =
      app.add_subcommand("up", "Run a development broker here, with agents alice and bob to try");
  command->add_flag("--demo", options->demo,
                    "Let them talk, and show what the broker saw of it; "
                    "then bob stays and answers");
  command->add_flag("--once", options->once, "End after that, instead of staying up");
  command->add_option("--dir", options->directory,
                      "Where broker and agents keep their state "
                      "[~/.local/state/sealwire/dev]");
  command->callback([&context, options] {
    context.action = [&context, options] { return up(context, *options); };
  });
}

}  // namespace sealwire::cli

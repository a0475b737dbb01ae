// `sealwire adapter`: make, try and run bridges to worlds without keys.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "adapters/bridges/host/host.h"
#include "adapters/bridges/library/library.h"
#include "adapters/bridges/process/doors.h"
#include "adapters/bridges/process/process.h"
#include "adapters/cage/privileges.h"
#include "adapters/cage/support.h"
#include "adapters/files/private_file.h"
#include "sdk/cli/adapter/check.h"
#include "sdk/cli/adapter/command.h"
#include "sdk/cli/adapter/places.h"
#include "sdk/cli/adapter/recording.h"
#include "sdk/cli/adapter/scaffold.h"
#include "sdk/cli/adapter/world.h"
#include "sdk/cli/interrupt.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

struct AdapterOptions {
  std::string bridge;
  std::string language = "python";
  std::vector<std::string> options;
  std::vector<std::string> pairs;
  WorldOptions world;
  std::string chat = "test";
  std::string recording;
  std::uint64_t seed = 1;
  bool uncaged = false;
};

Outcome<bridge::Launch> launcher(const AdapterOptions& options, std::vector<bridge::Tunnel> tunnels,
                                 std::function<void(const std::string&)> log) {
  auto command = bridge_command(options.bridge);
  if (!command) return tl::unexpected(command.error());
  if (command->front().ends_with(".so")) {
    if (!options.uncaged)
      return failure(Errc::transport_insecure, "a library runs inside its host, in no cage",
                     "--uncaged, if you trust it as you trust sealwire");
    return [path = command->front()](bridge::Bridge::OnSaid said, bridge::Bridge::OnEnd ended) {
      return bridge::start_library(path, std::move(said), std::move(ended));
    };
  }
  return [process = bridge::ProcessOptions{std::move(*command), std::move(log), !options.uncaged,
                                           std::move(tunnels)}](bridge::Bridge::OnSaid said,
                                                                bridge::Bridge::OnEnd ended) {
    return bridge::start_process(process, std::move(said), std::move(ended));
  };
}

std::function<void(const std::string&)> log_to(Context& context) {
  auto mutex = std::make_shared<std::mutex>();
  return [&context, mutex](const std::string& line) {
    const std::lock_guard lock(*mutex);
    context.err << "bridge: " << line << std::endl;
  };
}

void print_counts(Context& context, const bridge::Counts& counts) {
  context.out << to_line(Json{{"received", counts.received},
                              {"duplicates", counts.duplicates},
                              {"refused", counts.refused},
                              {"delivered", counts.delivered},
                              {"retried", counts.retried},
                              {"given_up", counts.given_up},
                              {"fetches", counts.fetches},
                              {"hooks", counts.hooks},
                              {"hooks_forged", counts.hooks_forged},
                              {"restarts", counts.restarts},
                              {"attacks", counts.attacks}});
}

// Before anything is opened: what is missing here will be missing at every restart.
Outcome<> require_cage(const AdapterOptions& options) {
  if (options.uncaged) return {};
  const cage::Support support = cage::support();
  if (support.seccomp && support.landlock > 0) return {};
  return failure(
      Errc::cage_incomplete,
      fmt::format("no bridge starts here: {} is not offered by kernel, container or service",
                  support.seccomp ? "Landlock" : "seccomp"),
      "sealwire doctor      (or --uncaged, if you must)");
}

Outcome<> run_bridge(Context& context, const AdapterOptions& options) {
  // From here on this process has the bridge's secrets; a core would have them too.
  SW_CHECK(cage::no_core_dumps());
  auto settings = named(options.options, "--option");
  if (!settings) return tl::unexpected(settings.error());
  auto pairs = named(options.pairs, "--pair");
  if (!pairs) return tl::unexpected(pairs.error());
  auto egress = read_egress(options.world);
  if (!egress) return tl::unexpected(egress.error());
  auto tunnels = read_tunnels(options.world);
  if (!tunnels) return tl::unexpected(tunnels.error());
  for (std::size_t i = 0; i < tunnels->size(); ++i)
    (*settings)[(*tunnels)[i].name] = fmt::format("127.0.0.1:{}", bridge::kFirstDoor + i);
  auto hooks = read_hooks(options.world);
  if (!hooks) return tl::unexpected(hooks.error());
  if (auto cage = require_cage(options); !cage) return cage;
  catch_interrupts();
  auto agent = open_agent(context, Reach::background);
  if (!agent) return tl::unexpected(agent.error());

  bridge::HostOptions host_options;
  host_options.options = std::move(*settings);
  host_options.egress = std::move(*egress);
  host_options.hooks = std::move(*hooks);
  host_options.log = log_to(context);
  for (const auto& [chat, name] : *pairs) {
    SW_TRY(const Peer peer, agent->peer(name));
    host_options.pairings.push_back({chat, "*", peer.agent});
  }
  if (options.uncaged) host_options.log("runs without its cage, as --uncaged says");
  auto launch = launcher(options, std::move(*tunnels), host_options.log);
  if (!launch) return tl::unexpected(launch.error());
  if (!options.recording.empty()) {
    launch = record(std::move(*launch), options.recording);
    if (!launch) return tl::unexpected(launch.error());
  }
  bridge::Host host(std::move(*agent), std::move(*launch), std::move(host_options));
  const auto done = host.run(interrupted);
  print_counts(context, host.counts());
  if (!done) return failure(done.error());
  return {};
}

// Each check, and a grade: A is all kept, B all that must be, F not even that.
Outcome<> report(Context& context, const std::vector<Check>& checks) {
  constexpr std::array<std::string_view, 3> kWords{"ok", "BROKEN", "-"};
  std::size_t broken = 0;
  for (const Check& check : checks) {
    const auto word = kWords.at(static_cast<std::size_t>(check.verdict));
    const auto level = check.level == Check::Level::must ? "must" : "should";
    broken += check.verdict == Check::Verdict::broken ? 1 : 0;
    if (context.json)
      context.out << to_line(Json{
          {"check", check.name}, {"level", level}, {"verdict", word}, {"detail", check.detail}});
    else
      context.out << fmt::format("{:<7} {:<7} {}{}\n", word, level, printable(check.name),
                                 check.detail.empty() ? "" : ": " + printable(check.detail));
  }
  const char mark = grade(checks);
  if (context.json)
    context.out << to_line(Json{{"grade", std::string(1, mark)}, {"broken", broken}});
  else
    context.out << fmt::format("grade {}: {} of {} checks broken\n", mark, broken, checks.size());
  if (mark == 'F')
    return failure(Errc::config_invalid, "the bridge does not keep its contract",
                   "adapters/bridges/CONTRACT.md says what is wanted");
  return {};
}

Outcome<> test_bridge(Context& context, const AdapterOptions& options) {
  auto settings = named(options.options, "--option");
  if (!settings) return tl::unexpected(settings.error());
  const auto launch = launcher(options, {}, [](const std::string&) {});
  if (!launch) return tl::unexpected(launch.error());
  if (options.recording.empty())
    return report(context, check_bridge(*launch, *settings, options.chat, options.seed));
  const auto checks = replay(*launch, options.recording);
  if (!checks) return tl::unexpected(checks.error());
  return report(context, *checks);
}

Outcome<> list_bridges(Context& context) {
  for (const std::string& name : shipped_bridges())
    context.out << (context.json ? to_line(Json{{"name", name}}) : name + "\n");
  return {};
}

Outcome<> doctor(Context& context) {
  const cage::Support cage = cage::support();
  const bool namespaces = cage::network_namespace_available();
  if (context.json) {
    context.out << to_line(Json{{"seccomp", cage.seccomp},
                                {"landlock_abi", cage.landlock},
                                {"network_namespace", namespaces},
                                {"bridges", bridges_directory()}});
  } else {
    context.out << fmt::format("seccomp            {}\n", cage.seccomp ? "yes" : "MISSING");
    context.out << fmt::format(
        "landlock           {}\n",
        cage.landlock > 0 ? fmt::format("yes, ABI {}", cage.landlock) : "MISSING");
    context.out << fmt::format("network namespace  {}\n",
                               namespaces ? "yes" : "no (sockets are refused anyway)");
    context.out << fmt::format("bridges            {}\n", bridges_directory());
  }
  return require_cage({});
}

void add_common(CLI::App& command, AdapterOptions& options) {
  command.add_option("bridge", options.bridge, "A shipped bridge's name, or the path of a program")
      ->required();
  command.add_option("--option", options.options, "NAME=VALUE, told to the bridge at its start");
  command.add_flag("--uncaged", options.uncaged, "Without seccomp and Landlock");
}

}  // namespace

void add_adapter(CLI::App& app, Context& context) {
  auto options = std::make_shared<AdapterOptions>();
  auto* adapter = app.add_subcommand("adapter", "Make, try and run bridges to other messengers");
  adapter->require_subcommand(1);
  const auto add = [&](const char* name, const char* text, auto action) {
    auto* command = adapter->add_subcommand(name, text);
    command->callback([&context, options, action] {
      context.action = [&context, options, action] { return action(context, *options); };
    });
    return command;
  };
  auto* run = add("run", "Run a bridge for this context's agent, until interrupted", run_bridge);
  add_common(*run, *options);
  run->add_option("--pair", options->pairs, "CHAT=PEER: this chat talks to this agent");
  add_world_options(*run, options->world);
  run->add_option(
      "--record", options->recording,
      "Keep what is said in this file, for `adapter test --replay`; it holds what people "
      "and agents say");
  auto* test = add("test", "Put a bridge through the contract", test_bridge);
  add_common(*test, *options);
  test->add_option("--chat", options->chat, "The chat to deliver to")->capture_default_str();
  test->add_option("--replay", options->recording,
                   "Tell the bridge what a recorded one was told, and want the same said");
  test->add_option("--seed", options->seed, "Decides the faults")->capture_default_str();
  auto* fresh =
      add("new", "Make a folder with a small working bridge",
          [](Context& c, const AdapterOptions& o) { return new_bridge(c, o.bridge, o.language); });
  fresh->add_option("bridge", options->bridge, "The folder")->required();
  fresh->add_option("--lang", options->language, "The language it is in")
      ->check(CLI::IsMember(languages()))
      ->capture_default_str();
  add("ls", "List the shipped bridges",
      [](Context& c, const AdapterOptions&) { return list_bridges(c); });
  add("doctor", "Say which layers of the cage this machine has",
      [](Context& c, const AdapterOptions&) { return doctor(c); });
}

}  // namespace sealwire::cli

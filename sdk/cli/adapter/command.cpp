// `sealwire adapter`: make, try and run bridges to worlds without keys.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "adapters/bridges/host/host.h"
#include "adapters/bridges/process/process.h"
#include "adapters/cage/support.h"
#include "adapters/files/private_file.h"
#include "sdk/cli/adapter/check.h"
#include "sdk/cli/adapter/command.h"
#include "sdk/cli/adapter/places.h"
#include "sdk/cli/interrupt.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;

struct AdapterOptions {
  std::string bridge;
  std::string language = "python";
  std::vector<std::string> options;
  std::vector<std::string> pairs;
  std::vector<std::string> origins;
  std::vector<std::string> secrets;
  std::string chat = "test";
  bool uncaged = false;
};

using Pairs = std::map<std::string, std::string>;

Outcome<Pairs> named(const std::vector<std::string>& given, std::string_view option) {
  Pairs all;
  for (const std::string& each : given) {
    const auto sign = each.find('=');
    if (sign == 0 || sign == std::string::npos || sign + 1 == each.size())
      return failure(Errc::address_invalid, fmt::format("{} is NAME=VALUE, not {}", option, each));
    all[each.substr(0, sign)] = each.substr(sign + 1);
  }
  return all;
}

// NAME=FILE@ORIGIN: the secret goes to that origin and no other.
Outcome<bridge::Egress> read_egress(const AdapterOptions& options) {
  bridge::Egress egress;
  for (const std::string& url : options.origins) {
    SW_TRY(std::string origin, bridge::origin_of(url));
    egress.origins.insert(std::move(origin));
  }
  auto secrets = named(options.secrets, "--secret");
  if (!secrets) return tl::unexpected(secrets.error());
  for (const auto& [name, place] : *secrets) {
    const auto at = place.rfind('@');
    if (at == std::string::npos)
      return failure(Errc::address_invalid, "--secret is NAME=FILE@ORIGIN");
    SW_TRY(const SecretBytes file, files::read_private_file(place.substr(0, at)));
    SW_TRY(std::string origin, bridge::origin_of(place.substr(at + 1)));
    std::string_view value = as_text(file.span());
    while (value.ends_with('\n') || value.ends_with('\r'))
      value.remove_suffix(1);
    if (value.empty()) return failure(Errc::file_failed, "the secret's file is empty");
    egress.secrets.emplace(name, bridge::FetchSecret{SecretBytes(as_bytes(value)), origin});
    egress.origins.insert(std::move(origin));
  }
  return egress;
}

bridge::Launch launcher(std::vector<std::string> command, bool caged,
                        std::function<void(const std::string&)> log) {
  return [process = bridge::ProcessOptions{std::move(command), std::move(log), caged}](
             bridge::Bridge::OnSaid said, bridge::Bridge::OnEnd ended) {
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
  auto command = bridge_command(options.bridge);
  if (!command) return tl::unexpected(command.error());
  auto settings = named(options.options, "--option");
  if (!settings) return tl::unexpected(settings.error());
  auto pairs = named(options.pairs, "--pair");
  if (!pairs) return tl::unexpected(pairs.error());
  auto egress = read_egress(options);
  if (!egress) return tl::unexpected(egress.error());
  if (auto cage = require_cage(options); !cage) return cage;
  catch_interrupts();
  auto agent = open_agent(context, Reach::background);
  if (!agent) return tl::unexpected(agent.error());

  bridge::HostOptions host_options;
  host_options.options = std::move(*settings);
  host_options.egress = std::move(*egress);
  host_options.log = log_to(context);
  for (const auto& [chat, name] : *pairs) {
    SW_TRY(const Peer peer, agent->peer(name));
    host_options.pairings.push_back({chat, "*", peer.agent});
  }
  if (options.uncaged) host_options.log("runs without its cage, as --uncaged says");
  auto launch = launcher(*command, !options.uncaged, host_options.log);
  bridge::Host host(std::move(*agent), std::move(launch), std::move(host_options));
  const auto done = host.run(interrupted);
  print_counts(context, host.counts());
  if (!done) return failure(done.error());
  return {};
}

Outcome<> test_bridge(Context& context, const AdapterOptions& options) {
  auto command = bridge_command(options.bridge);
  if (!command) return tl::unexpected(command.error());
  auto settings = named(options.options, "--option");
  if (!settings) return tl::unexpected(settings.error());
  const auto checks = check_bridge(launcher(*command, !options.uncaged, [](const std::string&) {}),
                                   *settings, options.chat);
  constexpr std::array<std::string_view, 3> kWords{"ok", "BROKEN", "-"};
  std::size_t broken = 0;
  for (const Check& check : checks) {
    const auto word = kWords.at(static_cast<std::size_t>(check.verdict));
    broken += check.verdict == Check::Verdict::broken ? 1 : 0;
    if (context.json)
      context.out << to_line(
          Json{{"check", check.name}, {"verdict", word}, {"detail", check.detail}});
    else
      context.out << fmt::format("{:<7} {}{}\n", word, check.name,
                                 check.detail.empty() ? "" : ": " + printable(check.detail));
  }
  if (broken != 0)
    return failure(Errc::config_invalid,
                   fmt::format("{} of {} checks broken", broken, checks.size()),
                   "adapters/bridges/CONTRACT.md says what is wanted");
  return {};
}

Outcome<> new_bridge(Context& context, const AdapterOptions& options) {
  const std::string extension = options.language == "python" ? ".py" : ".mjs";
  const fs::path from = fs::path(bridges_directory()) / "hello" / ("bridge" + extension);
  const fs::path folder = options.bridge;
  const fs::path to = folder / ("bridge" + extension);
  SW_TRY(const std::string text, files::read_text_file(from));
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failure(Errc::file_failed, folder.string() + ": " + error.message());
  if (fs::exists(to)) return failure(Errc::file_failed, to.string() + " is there already");
  SW_CHECK(files::create_file(to, as_bytes(text), files::Access::everyone));
  context.out << to.string() << "\n";
  context.err << fmt::format("try: sealwire adapter test {}\n", to.string());
  return {};
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
  run->add_option("--allow", options->origins, "An origin that the bridge may fetch from");
  run->add_option("--secret", options->secrets,
                  "NAME=FILE@ORIGIN: what {secret:NAME} stands for in fetches from ORIGIN");
  auto* test = add("test", "Put a bridge through the contract", test_bridge);
  add_common(*test, *options);
  test->add_option("--chat", options->chat, "The chat to deliver to")->capture_default_str();
  auto* fresh = add("new", "Make a folder with a small working bridge", new_bridge);
  fresh->add_option("bridge", options->bridge, "The folder")->required();
  fresh->add_option("--lang", options->language, "python or javascript")
      ->check(CLI::IsMember({"python", "javascript"}))
      ->capture_default_str();
  add("ls", "List the shipped bridges",
      [](Context& c, const AdapterOptions&) { return list_bridges(c); });
  add("doctor", "Say which layers of the cage this machine has",
      [](Context& c, const AdapterOptions&) { return doctor(c); });
}

}  // namespace sealwire::cli

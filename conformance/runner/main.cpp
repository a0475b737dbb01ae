// sealwire-conformance: list | run | report | trace | vectors | codec | identity | verify.
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

#include "conformance/generate/vectors.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/report.h"
#include "conformance/runner/requirements.h"

namespace conformance {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Failure("cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw Failure("cannot write " + path);
}

// A file of 64 hexadecimal digits, made when it is not there.
Bytes seed_file(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    const mode_t before = umask(077);
    write_file(path, hex(random_bytes(32)) + "\n");
    umask(before);
  }
  std::string text = read_file(path);
  text.erase(text.find_last_not_of("\r\n ") + 1);
  const Bytes seed = unhex(text);
  if (seed.size() != 32) throw Failure(path + " does not hold 64 hexadecimal digits");
  return seed;
}

struct Options {
  std::vector<std::string> brokers;
  std::string broker_key, seed, expected_failures, junit, json, html, summary, sign_seed, file;
  Settings settings;
  Selection selection;
};

std::set<std::string> read_expected(const std::string& path) {
  std::set<std::string> names;
  if (path.empty()) return names;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find('#'));
    std::istringstream words(line);
    if (std::string name; words >> name) names.insert(name);
  }
  return names;
}

void tell(const Outcome& outcome, std::size_t done, std::size_t total) {
  std::cout << name_of(outcome.verdict) << "  " << outcome.name;
  if (!outcome.detail.empty()) std::cout << "  " << outcome.detail;
  std::cout << "\n" << std::flush;
  if (isatty(2)) std::cerr << "\r" << done << "/" << total << " " << std::flush;
}

int run(Options& options) {
  for (const std::string& text : options.brokers) {
    const Endpoint endpoint = Endpoint::parse(text);
    (endpoint.websocket() ? options.settings.websocket : options.settings.zeromq) = endpoint;
  }
  if (options.settings.agent_command.empty() && options.settings.adapter_command.empty()) {
    if (options.broker_key.empty() || options.seed.empty())
      throw Failure("--broker wants --broker-key and --seed");
    options.settings.broker_key = unhex(options.broker_key);
    if (options.settings.broker_key.size() != 32)
      throw Failure("--broker-key is not 64 hexadecimal digits");
    options.settings.seed = seed_file(options.seed);
  }
  options.selection.expected_failures = read_expected(options.expected_failures);

  const Campaign campaign = run_campaign(options.settings, options.selection, tell);
  const std::string report = json(campaign, options.settings);
  write_file(options.junit, junit(campaign));
  write_file(options.json, report);
  if (!options.html.empty()) write_file(options.html, html(report));
  if (!options.summary.empty())
    write_file(options.summary,
               signed_summary(campaign, options.settings, seed_file(options.sign_seed)));

  for (const std::string& name : campaign.pleasant_surprises())
    std::cout << "listed as failing, and does not fail: " << name << "\n";
  for (const Verdict verdict : {Verdict::pass, Verdict::fail, Verdict::non_strict,
                                Verdict::not_applicable, Verdict::not_run})
    std::cout << campaign.count(verdict) << " " << name_of(verdict) << ", ";
  std::cout << campaign.seconds << " s\n"
            << (campaign.good() ? "conforms" : "does not conform") << "\n";
  const auto bad =
      std::count_if(campaign.outcomes.begin(), campaign.outcomes.end(), [](const Outcome& o) {
        return !o.expected && (o.verdict == Verdict::fail || o.verdict == Verdict::not_run);
      });
  std::cout << campaign.count(Verdict::pass) + campaign.count(Verdict::non_strict) << " passed, "
            << static_cast<std::size_t>(bad) + campaign.pleasant_surprises().size() << " failed\n";
  return campaign.good() ? 0 : 1;
}

int list(const Selection& selection) {
  for (const Case& one : all_cases()) {
    if (!selection.takes(one)) continue;
    std::cout << one.id << "\t" << one.steps << "\t" << one.expects << "\n";
  }
  return 0;
}

int trace() {
  std::string problems;
  std::cout << traceability(problems);
  std::cerr << problems;
  return problems.empty() ? 0 : 1;
}

int main_of(int argc, char** argv) {
  CLI::App app("Checks whether an implementation keeps the Sealwire protocol (SPEC.md).",
               "sealwire-conformance");
  app.require_subcommand(1);
  app.set_version_flag("--version", "sealwire-conformance " CONFORMANCE_VERSION " (sealwire/0)");
  Options options;
  int (*action)(Options&) = nullptr;

  auto* run_command =
      app.add_subcommand("run", "Run cases against a broker, an agent or an adapter");
  auto* target = run_command->add_option_group("target", "What is tested");
  target->add_option("--broker", options.brokers, "wss://… or tcp://…; once for each channel");
  target->add_option("--agent-command", options.settings.agent_command,
                     "Starts an agent that redeems $SEALWIRE_INVITE and speaks JSON lines");
  target->add_option("--adapter-command", options.settings.adapter_command,
                     "Starts a bridge that keeps adapters/bridges/CONTRACT.md");
  target->require_option(1);
  run_command->add_option("--broker-key", options.broker_key, "The broker's public key, 64 digits");
  run_command->add_option("--seed", options.seed,
                          "File with the seed of the agent that the broker admits");
  run_command->add_option("--control", options.settings.control,
                          "Command that takes kill, drain or start: for the durable profile");
  run_command->add_option("--mailbox-entries", options.settings.mailbox_entries,
                          "The broker's quota of entries, if a case may fill it");
  run_command->add_option("--profile", options.selection.profiles,
                          "core, durable, websocket, bridged; all by default");
  run_command->add_option("--chat", options.settings.chat,
                          "The chat that an adapter is to deliver to");
  run_command->add_option("--expected-failures", options.expected_failures,
                          "File of cases that fail, one a line; it is wrong when one passes");
  run_command->add_option("--threads", options.selection.threads, "Cases at a time")
      ->check(CLI::Range(1, 64));
  run_command->add_option("--patience", patience_ms, "Milliseconds that an answer is waited for")
      ->check(CLI::Range(100, 600'000));
  run_command->add_option("--junit", options.junit, "Write JUnit here");
  run_command->add_option("--json", options.json, "Write JSON here");
  run_command->add_option("--html", options.html, "Write HTML with the traces of failures here");
  run_command->add_option("--summary", options.summary, "Write a signed summary here");
  run_command->add_option("--sign-seed", options.sign_seed,
                          "File with the seed of the tester's key");
  run_command->callback([&] { action = run; });

  auto* list_command = app.add_subcommand("list", "Show cases: id, steps, what must come");
  list_command->callback([&] { action = [](Options& o) { return list(o.selection); }; });
  for (auto* command : {run_command, list_command})
    command->add_option("--only", options.selection.only, "Ids of cases, or how they begin");

  auto* report_command = app.add_subcommand("report", "Write HTML from a JSON report");
  report_command->add_option("json", options.file)->required();
  report_command->callback([&] {
    action = [](Options& o) {
      std::cout << html(read_file(o.file));
      return 0;
    };
  });
  auto* trace_command =
      app.add_subcommand("trace", "The traceability table; fails where a requirement has no case");
  trace_command->callback([&] { action = [](Options&) { return trace(); }; });
  auto* identity_command = app.add_subcommand(
      "identity", "The agent id of a seed file, which is made if it is not there");
  identity_command->add_option("seed", options.file)->required();
  identity_command->callback([&] {
    action = [](Options& o) {
      std::cout << Agent(seed_file(o.file)).text() << "\n";
      return 0;
    };
  });
  auto* vectors_command = app.add_subcommand("vectors", "Write the vectors, one a file");
  vectors_command->add_option("folder", options.file)->required();
  vectors_command->callback([&] {
    action = [](Options& o) {
      write_vectors(o.file);
      return 0;
    };
  });
  auto* codec_command =
      app.add_subcommand("codec", "Ask a codec about every vector, over JSON lines");
  codec_command
      ->add_option("--command", options.file, "Reads a question a line, writes {\"code\": …}")
      ->required();
  codec_command->callback([&] { action = [](Options& o) { return run_codec(o.file) ? 0 : 1; }; });
  auto* verify_command = app.add_subcommand("verify", "Check the signature of a summary");
  verify_command->add_option("summary", options.file)->required();
  verify_command->callback([&] {
    action = [](Options& o) {
      const std::string problem = check_summary(read_file(o.file));
      std::cout << (problem.empty() ? "the signature holds" : problem) << "\n";
      return problem.empty() ? 0 : 1;
    };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return action(options);
  } catch (const std::exception& error) {
    std::cerr << "sealwire-conformance: " << error.what() << "\n";
    return 2;
  }
}

}  // namespace
}  // namespace conformance

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (sodium_init() < 0) return 2;
  return conformance::main_of(argc, argv);
}

// `sealwire doctor`: what of all that is promised holds on this machine, for the broker that runs
// here and for this context.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <ctime>

#include "adapters/channels/uri.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/doctor/certificate.h"
#include "sdk/cli/doctor/folder.h"
#include "sdk/cli/doctor/machine.h"
#include "sdk/cli/doctor/process.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

struct DoctorOptions {
  std::string broker;
  pid_t pid = 0;
  std::string wait = "3s";
};

using Sections = std::vector<std::pair<std::string, Findings>>;

void append(Findings& all, Findings more) {
  for (auto& each : more)
    all.push_back(std::move(each));
}

Findings examine_broker(const DoctorOptions& options) {
  Findings all;
  pid_t pid = options.pid;
  if (!options.broker.empty()) {
    BrokerFolder folder = examine_folder(options.broker);
    append(all, std::move(folder.findings));
    if (pid == 0 && folder.store) {
      const auto holder = process_of_store(*folder.store);
      if (!holder)
        all.push_back({"process", Health::bad, "no sealwired has this store open",
                       "start it: sealwired --config FILE"});
      pid = holder.value_or(0);
    }
  }
  if (pid != 0) append(all, examine_process(pid));
  return all;
}

Finding reached(const Context& context, Millis wait) {
  auto agent = open_agent(context, Reach::background);
  if (!agent) {
    const Error& error = agent.error().error;
    const bool in_use = error.code == Errc::state_locked;
    return {"broker", in_use ? Health::note : Health::bad,
            in_use ? "not tried: another process uses this context" : error.detail,
            agent.error().next};
  }
  const auto connected = agent->wait_connected(wait);
  return finding("broker", connected.has_value(),
                 connected
                     ? "answers, and is the one whose key is pinned"
                     : std::string(name(connected.error().code)) + ": " + connected.error().detail,
                 connected ? "" : std::string(next_command(connected.error().code)));
}

Findings examine_context(const Context& context, Millis wait) {
  const auto found = read_context(context);
  if (!found)
    return {{"context", Health::note, found.error().error.detail, "sealwire login INVITE"}};
  Findings all{{"context", Health::ok, found->name + ", " + found->directory, ""}};
  all.push_back(judge_private(found->key_file()));
  if (found->endpoints.empty()) {
    all.push_back({"broker", Health::note, "this context has none yet", "sealwire login INVITE"});
    return all;
  }
  all.push_back(reached(context, wait));
  for (const auto& endpoint : found->endpoints)
    if (const auto uri = channel::parse_uri(endpoint.uri); uri && uri->scheme == "wss")
      all.push_back(judge_certificate(endpoint.uri, served_certificate_end(uri->host, uri->port),
                                      static_cast<std::int64_t>(std::time(nullptr))));
  return all;
}

std::string_view word(Health health) {
  constexpr std::array<std::string_view, 4> kWords{"ok", "note", "warning", "BAD"};
  return kWords.at(static_cast<std::size_t>(health));
}

void show(Context& context, const Sections& sections) {
  for (const auto& [section, findings] : sections) {
    if (!context.json && !findings.empty()) context.out << section << "\n";
    for (const Finding& each : findings) {
      if (context.json) {
        Json line{{"of", section}, {"check", each.check}, {"health", word(each.health)}};
        line["detail"] = each.detail;
        if (!each.next.empty()) line["try"] = each.next;
        context.out << to_line(line);
        continue;
      }
      context.out << fmt::format("  {:<8} {}: {}\n", word(each.health), printable(each.check),
                                 printable(each.detail));
      if (!each.next.empty())
        context.out << fmt::format("           try: {}\n", printable(each.next));
    }
  }
}

Outcome<> doctor(Context& context, const DoctorOptions& options) {
  const auto wait = parse_wait(options.wait, "-W");
  if (!wait) return tl::unexpected(wait.error());
  const Sections sections{{"machine", examine_machine(cage::support())},
                          {"broker", examine_broker(options)},
                          {"context", examine_context(context, *wait)}};
  show(context, sections);
  std::size_t bad = 0, all = 0;
  for (const auto& [section, findings] : sections)
    for (const Finding& each : findings) {
      ++all;
      bad += each.health == Health::bad ? 1 : 0;
    }
  if (bad == 0) return {};
  return failure(Errc::config_invalid, fmt::format("{} of {} are not as promised", bad, all),
                 "what each line that is BAD says");
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto options = std::make_shared<DoctorOptions>();
  auto* command = app.add_subcommand(
      "doctor", "Say what of all that is promised holds here: machine, broker, context");
  command->add_option("--broker", options->broker,
                      "A broker of this machine: its sealwired.toml, or the folder that holds it");
  command->add_option("--pid", options->pid, "A sealwired that runs [the one with that store]");
  command->add_option("-W,--wait", options->wait, "How long to try to reach the context's broker")
      ->capture_default_str();
  command->callback([&context, options] {
    context.action = [&context, options] { return doctor(context, *options); };
  });
}

}  // namespace sealwire::cli

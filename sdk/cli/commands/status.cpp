// `sealwire status`: is the broker reached, and what waits.
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

struct StatusOptions {
  std::string wait = "3s";
};

Outcome<> status(Context& context, const StatusOptions& options) {
  const auto wait = parse_wait(options.wait, "-W");
  if (!wait) return tl::unexpected(wait.error());
  const auto found = read_context(context);
  if (!found) return tl::unexpected(found.error());
  auto agent = open_agent(context, Reach::background);
  if (!agent) return tl::unexpected(agent.error());
  const auto connected = agent->wait_connected(*wait);
  Status now = agent->status();
  const auto peers = agent->peers().size();
  const auto conversations = agent->conversations().size();
  // Who asks is connected at last: what waits for that is sent, and is not said to wait.
  if (now.connected && now.outbox_waiting + now.outbox_in_flight != 0 && agent->drain(*wait))
    now.outbox_waiting = now.outbox_in_flight = 0;
  Json json{{"context", found->name}, {"agent", now.agent}, {"instance", now.instance}};
  json["connected"] = now.connected;
  json["endpoint"] = now.endpoint.empty() ? found->endpoints.front().uri : now.endpoint;
  json["broker_key"] = now.broker_key.empty() ? found->broker_key : now.broker_key;
  json["outbox_waiting"] = now.outbox_waiting;
  json["outbox_in_flight"] = now.outbox_in_flight;
  json["inbox_waiting"] = now.inbox_waiting;
  json["peers"] = peers;
  json["conversations"] = conversations;
  if (now.connected) json["key_packages"] = now.key_packages;
  if (context.json) {
    context.out << to_line(json);
  } else {
    for (const auto& [key, value] : json.items())
      context.out << fmt::format(
          "{:<17} {}\n", key,
          value.is_string() ? printable(value.get<std::string>()) : value.dump());
  }
  if (!connected && connected.error().code == Errc::connect_failed)
    return failure(connected.error(),
                   "sealwire up      (starts a broker here, if this one is gone)");
  if (!connected) return failure(connected.error());
  return {};
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  auto options = std::make_shared<StatusOptions>();
  auto* command = app.add_subcommand("status", "Say whether the broker is reached, and what waits");
  command->add_option("-W,--wait", options->wait, "How long to try")->capture_default_str();
  command->callback([&context, options] {
    context.action = [&context, options] { return status(context, *options); };
  });
}

}  // namespace sealwire::cli

// `sealwire login`: gives a context its broker, and its key if it has none.
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "protocol/identity/did_key.h"
#include "protocol/limits.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/input.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

struct LoginOptions {
  std::string invite;
  std::vector<std::string> endpoints;
  std::string broker_key;
  bool trust_first_use = false;
  bool allow_insecure = false;
  std::string peer_name;
};

// One context has one broker for good: peers and mailbox belong to it.
Outcome<> set_broker(sealwire::Context& target, std::string key, const LoginOptions& options,
                     const std::vector<std::string>& endpoints) {
  if (!target.broker_key.empty() && !key.empty() && target.broker_key != key)
    return failure(Errc::broker_key_mismatch,
                   fmt::format("context \"{}\" belongs to the broker with key {}", target.name,
                               target.broker_key),
                   "sealwire -c ANOTHER_NAME login …");
  if (!key.empty()) target.broker_key = std::move(key);
  target.trust_first_use = options.trust_first_use && target.broker_key.empty();
  if (target.broker_key.empty() && !target.trust_first_use)
    return failure(
        Errc::address_invalid, "the broker's key is not known",
        "sealwire login --endpoint URI --broker-key KEY      (`sealwired init` printed it)");
  // What a channel was told here, the file with a bot's token say, holds for the same address.
  const auto before = std::exchange(target.endpoints, {});
  for (const std::string& uri : endpoints) {
    EndpointOptions endpoint{.uri = uri, .options = {}, .allow_insecure = options.allow_insecure};
    for (const EndpointOptions& known : before)
      if (known.uri == uri) endpoint.options = known.options;
    target.endpoints.push_back(std::move(endpoint));
  }
  return {};
}

Outcome<> not_redeemed(Agent& agent, const Error& error) {
  if (error.code == Errc::denied)
    return failure(error, std::string(next_command(Errc::invite_invalid)));
  const Status status = agent.status();
  if (error.code != Errc::timeout || status.connected) return failure(error);
  std::string cause = "the broker that the invite names was not reached";
  if (status.last_error) cause += " (" + status.last_error->detail + ")";
  return failure(Errc::connect_failed, std::move(cause), "the same command when the broker is up");
}

Outcome<> finish(Context& context, sealwire::Context target, const LoginOptions& options) {
  SW_TRY(target, write_context(home_of(context), target));
  SW_TRY(const std::string id, create_key(target, passphrase()));
  Context named(context.out, context.err);
  named.home = home_of(context);
  named.name = target.name;
  std::optional<Peer> inviter;
  {
    auto agent = open_agent(named, options.invite.empty() ? Reach::connected : Reach::background);
    if (!agent) return tl::unexpected(agent.error());
    if (!options.invite.empty()) {
      auto redeemed = agent->redeem(options.invite, options.peer_name, kConnectTimeout);
      if (!redeemed) return not_redeemed(*agent, redeemed.error());
      inviter = std::move(*redeemed);
    }
    SW_CHECK(agent->wait_connected(kConnectTimeout));
    target.broker_key = agent->status().broker_key;
  }
  if (target.trust_first_use) {  // from now on the key that was seen is the only one
    target.trust_first_use = false;
    SW_TRY(target, write_context(home_of(context), target));
    context.err << "trusted at first use: broker key " << target.broker_key
                << "; compare it with what its operator says\n";
  }
  if (context.json) {
    Json json{{"agent", id}, {"context", target.name}, {"broker_key", target.broker_key}};
    if (inviter) json["inviter"] = inviter->agent;
    context.out << to_line(json);
    return {};
  }
  context.out << id << "\n";
  context.err << fmt::format("logged in as context \"{}\"\n", target.name);
  if (inviter)
    context.err << fmt::format("try: sealwire -c {} send {} hello\n", target.name,
                               inviter->nickname.empty() ? inviter->agent : inviter->nickname);
  return {};
}

Outcome<> login(Context& context, LoginOptions options) {
  if (options.invite == "-") {
    SW_TRY(options.invite, read_input("-", limits::kStatementBytes * 2));
    options.invite.erase(options.invite.find_last_not_of(" \t\r\n") + 1);
  }
  auto target = read_or_new_context(context);
  if (!target) return tl::unexpected(target.error());
  const sealwire::Context before = *target;
  std::string key = options.broker_key;
  std::vector<std::string> endpoints = options.endpoints;
  if (!options.invite.empty()) {
    SW_TRY(const InviteSummary invite, read_invite(options.invite));
    key = invite.broker_key;
    if (endpoints.empty()) endpoints = invite.endpoints;
  }
  if (endpoints.empty())
    return failure(
        Errc::address_invalid, "an invite or an endpoint is wanted",
        "sealwire login INVITE      (or: sealwire login --endpoint URI --broker-key KEY)");
  if (!key.empty() && (key.size() != 2 * BrokerKey::kSize || !parse_hex(key)))
    return failure(Errc::address_invalid, "--broker-key is not 64 lower-case hex digits");
  if (auto set = set_broker(*target, key, options, endpoints); !set) return set;
  Outcome<> finished = finish(context, std::move(*target), options);
  // A broker that did not let us in is not the one that this context belongs to.
  if (!finished) SW_CHECK(write_context(home_of(context), before));
  return finished;
}

}  // namespace

void add_login(CLI::App& app, Context& context) {
  auto options = std::make_shared<LoginOptions>();
  auto* command = app.add_subcommand("login", "Join a broker; makes the context and its key");
  command->add_option(
      "invite", options->invite,
      "What the inviter's `sealwire invite` printed; - reads it from standard input, so "
      "that no list of processes shows it");
  command->add_option("--endpoint", options->endpoints,
                      "wss://HOST:PORT or tcp://HOST:PORT?curve=KEY; "
                      "several are tried in turn");
  command->add_option("--broker-key", options->broker_key, "The broker's key, 64 hex digits");
  command->add_option("--name", options->peer_name, "What to call the inviter");
  command->add_flag("--trust-first-use", options->trust_first_use,
                    "Without --broker-key: trust the first key seen, and pin it");
  command->add_flag("--allow-insecure", options->allow_insecure,
                    "Allow plain ws:// and tcp:// off loopback (frames are sealed all the same)");
  command->callback([&context, options] {
    context.action = [&context, options] { return login(context, *options); };
  });
}

}  // namespace sealwire::cli

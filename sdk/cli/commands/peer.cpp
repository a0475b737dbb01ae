// `sealwire peer`: whom this agent knows, and who may write to it.
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

constexpr Millis kTellBroker{5000};

struct PeerOptions {
  std::string peer;
  std::string nickname;
};

std::string_view contact_name(Peer::Contact contact) {
  switch (contact) {
    case Peer::Contact::none:
      return "none";
    case Peer::Contact::allowed:
      return "allowed";
    case Peer::Contact::blocked:
      return "blocked";
  }
  return "unknown";
}

void print_peer(Context& context, const Peer& peer) {
  if (context.json) {
    Json json{{"agent", peer.agent}};
    if (!peer.nickname.empty()) json["name"] = peer.nickname;
    if (!peer.instance.empty()) json["instance"] = peer.instance;
    json["contact"] = contact_name(peer.contact);
    json["verified"] = peer.verified;
    json["confirmed"] = peer.confirmed;
    context.out << to_line(json);
    return;
  }
  context.out << fmt::format("{:<16} {:<8} {}{}\n",
                             peer.nickname.empty() ? "-" : printable(peer.nickname),
                             contact_name(peer.contact), peer.agent,
                             peer.confirmed ? "" : "  (the broker has not been told yet)");
}

Outcome<> list(Context& context) {
  auto agent = open_agent(context, Reach::offline);
  if (!agent) return tl::unexpected(agent.error());
  const std::vector<Peer> peers = agent->peers();
  for (const Peer& peer : peers)
    print_peer(context, peer);
  if (peers.empty())
    context.err << "no peers yet; try: sealwire invite, or sealwire peer add AGENT_ID NAME\n";
  return {};
}

// A contact that the broker was not told of is kept and told later: no failure, but worth a line.
Outcome<> report(Context& context, Agent& agent, Result<Peer> changed, const std::string& who) {
  if (!changed && changed.error().code == Errc::timeout) {
    context.err << "remembered; the broker cannot be told now, and will be when it is reached\n";
    changed = agent.peer(who);
  }
  if (!changed) return failure(changed.error());
  print_peer(context, *changed);
  return {};
}

Outcome<> add(Context& context, const PeerOptions& options) {
  auto agent = open_agent(context, Reach::background);
  if (!agent) return tl::unexpected(agent.error());
  return report(context, *agent, agent->add_peer(options.peer, options.nickname, kTellBroker),
                options.peer);
}

Outcome<> block(Context& context, const PeerOptions& options) {
  auto agent = open_agent(context, Reach::background);
  if (!agent) return tl::unexpected(agent.error());
  return report(context, *agent, agent->block(options.peer, kTellBroker), options.peer);
}

}  // namespace

void add_peer(CLI::App& app, Context& context) {
  auto options = std::make_shared<PeerOptions>();
  auto* peer = app.add_subcommand("peer", "List, add or block peers");
  peer->require_subcommand(1);
  peer->add_subcommand("ls", "List peers: name, contact, agent id")->callback([&context] {
    context.action = [&context] { return list(context); };
  });
  auto* adding = peer->add_subcommand("add", "Allow an agent to write to you; unblocks it, too");
  adding->add_option("agent_id", options->peer, "agent:z…, as its `sealwire whoami` prints it")
      ->required();
  adding->add_option("name", options->nickname, "What you call it");
  adding->callback([&context, options] {
    context.action = [&context, options] { return add(context, *options); };
  });
  auto* blocking = peer->add_subcommand("block", "Refuse everything from a peer from now on");
  blocking->add_option("peer", options->peer, "Its name or agent id")->required();
  blocking->callback([&context, options] {
    context.action = [&context, options] { return block(context, *options); };
  });
}

}  // namespace sealwire::cli

#include "sdk/cli/up/demo.h"

#include <fmt/format.h>

#include <thread>

#include "sdk/cli/message_print.h"
#include "sdk/cli/pipe/line.h"
#include "sealwire/context.h"

namespace sealwire::cli {
namespace {

constexpr Millis kPatience{15'000};

Outcome<Agent> open(const std::string& home, const std::string& name, const std::string& uri,
                    const std::string& broker_key) {
  sealwire::Context context;
  context.name = name;
  context.endpoints = {{.uri = uri, .options = {}, .allow_insecure = false}};
  context.broker_key = broker_key;
  SW_TRY(context, write_context(home, context));
  SW_CHECK(create_key(context, ""));
  Options options;
  options.name = name;
  options.key_file = context.key_file();
  options.state_file = context.state_file();
  options.endpoints = context.endpoints;
  options.broker_key = broker_key;
  SW_TRY(Agent agent, Agent::open(std::move(options)));
  SW_CHECK(agent.wait_connected(kPatience));
  return agent;
}

bool knows(const Agent& agent, const std::string& nickname) {
  const auto peer = agent.peer(nickname);
  return peer && peer->contact == Peer::Contact::allowed;
}

// bob's redemption reaches alice through the broker: an agent learns of it a moment later.
Outcome<> wait_for_peer(Agent& agent, const std::string& id) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!agent.peer(id)) {
    if (std::chrono::steady_clock::now() > deadline)
      return failure(Errc::timeout, "the invite's redemption did not arrive");
    std::this_thread::sleep_for(Millis(5));
  }
  return {};
}

Outcome<> introduce(Agent& alice, Agent& bob) {
  SW_TRY(const std::string invite, alice.create_invite(std::chrono::minutes(5), kPatience));
  SW_CHECK(bob.redeem(invite, "alice", kPatience));
  if (auto arrived = wait_for_peer(alice, bob.id()); !arrived) return arrived;
  SW_CHECK(alice.set_nickname(bob.id(), "bob"));
  return {};
}

Outcome<std::string> read_answer(Agent& agent) {
  SW_TRY(const Message message, agent.receive(kPatience));
  SW_CHECK(agent.acknowledge(message));
  return std::string(message.text());
}

}  // namespace

Outcome<DemoAgents> open_demo_agents(const std::string& home, const BrokerProcess& broker) {
  auto alice = open(home, "alice", broker.websocket(), broker.key());
  if (!alice) return tl::unexpected(alice.error());
  auto bob = open(home, "bob", broker.zeromq(), broker.key());
  if (!bob) return tl::unexpected(bob.error());
  if (!knows(*alice, "bob") || !knows(*bob, "alice"))
    if (auto met = introduce(*alice, *bob); !met) return tl::unexpected(met.error());
  return DemoAgents{std::move(*alice), std::move(*bob)};
}

Payload bobs_answer(const Message& message) {
  const auto json = parse_json(message.text());
  if (message.kind == PayloadKind::request && json && json->is_object() && json->contains("add") &&
      (*json)["add"].is_array()) {
    double sum = 0;
    for (const auto& each : (*json)["add"])
      if (each.is_number()) sum += each.get<double>();
    return Payload::json(fmt::format("{{\"sum\":{}}}", sum));
  }
  return Payload(fmt::format("Bob here, I read: {}", message.text()));
}

Outcome<> run_demo(DemoAgents& agents, Transcript& transcript) {
  transcript.headings();
  const Transcript::Speaker alice{"alice", agents.alice.instance()};
  const Transcript::Speaker bob{"bob", agents.bob.instance()};
  // A first run opens the conversation: commit and Welcome go before the first text.
  const std::string hello = "Meet me at the old mill at noon.";
  SW_TRY(const Sending first, agents.alice.send("bob", hello));
  SW_CHECK(first.wait(kPatience));
  transcript.said(alice, "bob", hello);
  auto answer = read_answer(agents.alice);
  if (!answer) return tl::unexpected(answer.error());
  transcript.said(bob, "alice", *answer);

  const std::string question = "{\"add\":[19,23]}";
  SW_TRY(const Message sum, agents.alice.request("bob", Payload::json(question), kPatience));
  transcript.said(alice, "bob", question);
  transcript.said(bob, "alice", std::string(sum.text()));

  const std::string last = "The blue folder stays with you until then.";
  SW_TRY(const Sending second, agents.bob.send("alice", last));
  SW_CHECK(second.wait(kPatience));
  answer = read_answer(agents.alice);
  if (!answer) return tl::unexpected(answer.error());
  transcript.said(bob, "alice", *answer);
  return {};
}

}  // namespace sealwire::cli

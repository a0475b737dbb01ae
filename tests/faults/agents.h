// Two agents of the C++ SDK at one broker, each the other's peer.
#pragma once

#include <string>
#include <vector>

#include "sealwire/agent.h"
#include "sealwire/context.h"

namespace sealwire::test {

/// A sender and a receiver, who know each other by those names, connected; their contexts below
/// `home` have `prefix` before that.
inline Result<std::vector<Agent>> introduce(const std::string& home, const std::string& prefix,
                                            const std::string& endpoint, std::size_t window = 256) {
  constexpr auto kPatience = std::chrono::seconds(60);
  std::vector<Agent> agents;
  for (const char* role : {"sender", "receiver"}) {
    Context context;
    context.name = prefix + role;
    context.endpoints = {{endpoint, {}, false}};
    context.trust_first_use = true;
    SW_TRY(context, write_context(home, context));
    SW_CHECK(create_key(context, "").map([](const std::string&) {}));
    const char* arguments[] = {"", "--home", home.c_str(), "--context", context.name.c_str()};
    SW_TRY(Options options, Options::from_arguments(5, arguments));
    options.window = window;
    SW_TRY(Agent agent, Agent::open(std::move(options)));
    SW_CHECK(agent.wait_connected(kPatience));
    agents.push_back(std::move(agent));
  }
  SW_CHECK(agents[0].add_peer(agents[1].id(), "receiver", kPatience).map([](const Peer&) {}));
  SW_CHECK(agents[1].add_peer(agents[0].id(), "sender", kPatience).map([](const Peer&) {}));
  return agents;
}

}  // namespace sealwire::test

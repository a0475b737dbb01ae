// Two agents on two channels: who they are, and what they say to each other in the demonstration.
#pragma once

#include "sdk/cli/up/broker_process.h"
#include "sdk/cli/up/transcript.h"
#include "sealwire/agent.h"

namespace sealwire::cli {

struct DemoAgents {
  Agent alice;  // by WebSocket over TLS
  Agent bob;    // by ZeroMQ with CURVE
};

/// Makes the contexts `alice` and `bob` below `home` unless they are there, connects them to
/// `broker`, and has bob redeem an invite of alice's unless they know each other already.
Outcome<DemoAgents> open_demo_agents(const std::string& home, const BrokerProcess& broker);

/// What bob answers, in the demonstration and to whoever writes to him later: requests of the form
/// {"add":[…]} get their sum, anything else a confirmation.
Payload bobs_answer(const Message& message);

/// Messages both ways, a request and its reply. `bob` answers by `bobs_answer` already.
Outcome<> run_demo(DemoAgents& agents, Transcript& transcript);

}  // namespace sealwire::cli

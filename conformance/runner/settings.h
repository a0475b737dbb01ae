// What the suite is told of the target.
#pragma once

#include <optional>

#include "conformance/peer/handshake.h"

namespace conformance {

struct Settings {
  std::optional<Endpoint> websocket, zeromq;
  std::string agent_command;    // the target is an agent
  std::string adapter_command;  // or an adapter
  std::string chat = "test";    // to which an adapter is given something to deliver
  Bytes broker_key;
  Bytes seed;                         // of the agent that the target admits without an invite
  std::string control;                // a command that stops and starts the target
  std::uint64_t mailbox_entries = 0;  // of one agent, where it is small enough to be filled
};

}  // namespace conformance

// Sending from a command that lives for one message only.
#pragma once

#include "sdk/cli/context.h"
#include "sealwire/agent.h"

namespace sealwire::cli {

/// Sends and prints the message's id when the broker has accepted it. A message that was not in
/// time stays in the outbox, and the failure says so.
Outcome<> send_and_wait(Context& context, const std::string& peer, Payload payload,
                        const SendOptions& options, Millis wait);

}  // namespace sealwire::cli

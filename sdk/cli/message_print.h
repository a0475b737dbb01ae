// A received message as data: a JSON object, or its bytes.
#pragma once

#include "sdk/cli/context.h"
#include "sdk/cli/pipe/line.h"
#include "sealwire/message.h"

namespace sealwire::cli {

Payload to_payload(Typed content);
Json message_json(const Message& message);
std::string_view kind_name(PayloadKind kind);

/// With --json one line. Otherwise the message's bytes to `out`, followed by a newline where they
/// are text without one; who sent it goes to `err` before them.
void print_message(Context& context, const Message& message);

}  // namespace sealwire::cli

// From the options before the command's name to an agent: its context, its key, its connection.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "protocol/identity/key_file.h"
#include "sdk/cli/context.h"
#include "sealwire/agent.h"
#include "sealwire/context.h"

namespace sealwire::cli {

inline constexpr Millis kConnectTimeout{10'000};

/// --home, else the SDK's default.
std::string home_of(const Context& context);
/// -c, else the SDK's choice.
Outcome<std::string> name_of(const Context& context);

/// The named context as it is on disk; its absence is explained.
Outcome<sealwire::Context> read_context(const Context& context);
/// The same, or a new one that is not written yet.
Outcome<sealwire::Context> read_or_new_context(const Context& context);

/// The context's key file, opened. Works while another process uses the context.
Outcome<KeyFile> read_key(const Context& context);

/// SEALWIRE_PASSPHRASE, or "".
std::string passphrase();

enum class Reach : std::uint8_t {
  offline,     // local state only
  background,  // connects by itself, nothing waits for it
  connected,   // waits until connected, at most `timeout`
};
Outcome<Agent> open_agent(const Context& context, Reach reach, Millis timeout = kConnectTimeout);

/// A duration given on the command line.
Outcome<Millis> parse_wait(const std::string& text, std::string_view option);

}  // namespace sealwire::cli

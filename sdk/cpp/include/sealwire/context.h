// Contexts: the agents of this user, each a directory `HOME/contexts/NAME/` with `context.toml`
// (endpoints, broker key), `agent.key` (0600) and `state.db`. HOME is SEALWIRE_HOME, else
// $XDG_CONFIG_HOME/sealwire, else ~/.config/sealwire.
#pragma once

#include "sealwire/options.h"

namespace sealwire {

std::string default_home();

struct Context {
  std::string name;
  std::string directory;
  std::vector<EndpointOptions> endpoints;
  std::string broker_key;  ///< 64 hex digits; "" = not known (yet)
  bool trust_first_use = false;

  std::string key_file() const { return directory + "/agent.key"; }
  std::string state_file() const { return directory + "/state.db"; }
};

/// Names of all contexts, sorted. A home that does not exist has none.
[[nodiscard]] Result<std::vector<std::string>> list_contexts(const std::string& home);
/// Fails with `config_invalid` (and where), or `file_failed` when there is no such context.
[[nodiscard]] Result<Context> read_context(const std::string& home, const std::string& name);
/// Writes context.toml (atomically; the directory is made, 0700). Names are 1–64 of a–z A–Z 0–9
/// `_` `-` `.`, not beginning with a dot.
[[nodiscard]] Result<Context> write_context(const std::string& home, const Context& context);
/// Makes agent.key with a fresh key, unless there is one. Gives the agent id.
[[nodiscard]] Result<std::string> create_key(const Context& context, const std::string& passphrase);
/// Which context is meant when none is named: SEALWIRE_CONTEXT, else the chosen one, else the only
/// one, else "default".
[[nodiscard]] Result<std::string> current_context(const std::string& home);
[[nodiscard]] Result<> choose_context(const std::string& home, const std::string& name);

/// What an invite says, without redeeming it: for `login`.
struct InviteSummary {
  std::string inviter;  ///< agent id
  std::string broker_key;
  std::vector<std::string> endpoints;
  std::uint64_t expires_ms = 0;  ///< Unix time
};
[[nodiscard]] Result<InviteSummary> read_invite(const std::string& text);

}  // namespace sealwire

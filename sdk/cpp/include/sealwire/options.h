// Where an agent's identity, state and broker are found.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sealwire/error.h"

namespace sealwire {

/// One way to the broker: `wss://host:port`, `tcp://host:port?curve=HEX`, …, with the channel's own
/// options (the channel's header documents them).
struct EndpointOptions {
  std::string uri;
  std::map<std::string, std::string> options;
  bool allow_insecure =
      false;  ///< plaintext transports off loopback; frames are sealed all the same
};

struct Options {
  std::string name;                        ///< of the context, for messages to a person
  std::string key_file;                    ///< written by `sealwire key new` or create_context()
  std::string state_file;                  ///< SQLite; made when missing; one process at a time
  std::string passphrase;                  ///< of the key file; "" = none
  std::vector<EndpointOptions> endpoints;  ///< tried in turn
  std::string broker_key;                  ///< 64 hex digits
  bool trust_first_use = false;            ///< without a broker_key, trust the first one seen
  std::string invite;        ///< "sealwire-invite:…" to redeem once connected; "" = none
  bool offline = false;      ///< do not connect: only local state is looked at and changed
  std::size_t window = 256;  ///< envelopes in flight
  std::size_t inbox_messages_max =
      10'000;  ///< received and not acknowledged: then the broker waits

  /// SEALWIRE_HOME (default ~/.config/sealwire) and SEALWIRE_CONTEXT (default: the chosen context,
  /// see context.h). SEALWIRE_PASSPHRASE opens the key file.
  [[nodiscard]] static Result<Options> from_environment();
  [[nodiscard]] static Result<Options> from_context(const std::string& name);
  /// `--context NAME` and `--home DIR` override the environment; other arguments are refused with
  /// `config_invalid`.
  [[nodiscard]] static Result<Options> from_arguments(int argc, const char* const* argv);
};

}  // namespace sealwire

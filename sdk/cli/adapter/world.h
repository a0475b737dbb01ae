// What a bridge may reach, and by what it is reached: the options of `sealwire adapter run`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/bridges/host/host.h"
#include "adapters/bridges/process/tunnel.h"
#include "sdk/cli/failure.h"

namespace CLI {
class App;
}

namespace sealwire::cli {

struct WorldOptions {
  std::vector<std::string> origins;  // --allow
  std::vector<std::string> secrets;  // NAME=FILE@ORIGIN
  std::vector<std::string> signers;  // KEYID=FILE@ORIGIN
  std::string listen;
  std::string public_url;
  std::string hook_secret;             // HEADER=FILE
  std::vector<std::string> hook_keys;  // KEYID=FILE
  std::vector<std::string> tunnels;    // NAME=URI
};

void add_world_options(CLI::App& run, WorldOptions& options);

/// Each NAME=VALUE; fails with address_invalid, in `option`'s name.
Outcome<std::map<std::string, std::string>> named(const std::vector<std::string>& given,
                                                  std::string_view option);

/// Both read the files that the options name.
Outcome<bridge::Egress> read_egress(const WorldOptions& options);
Outcome<std::optional<bridge::HookOptions>> read_hooks(const WorldOptions& options);
Outcome<std::vector<bridge::Tunnel>> read_tunnels(const WorldOptions& options);

}  // namespace sealwire::cli

// A broker's configuration, files and disk.
#pragma once

#include <filesystem>
#include <optional>

#include "sdk/cli/doctor/finding.h"

namespace sealwire::cli {

struct BrokerFolder {
  Findings findings;
  std::optional<std::filesystem::path> store;  // where the configuration could be read
};

/// `config`: sealwired.toml, or the folder that holds it. Starts `sealwired --check`, so that one
/// program reads configurations; writes, syncs and removes a small file beside the store.
BrokerFolder examine_folder(const std::filesystem::path& config);

/// A file that only its owner may read or write.
Finding judge_private(const std::filesystem::path& file);

}  // namespace sealwire::cli

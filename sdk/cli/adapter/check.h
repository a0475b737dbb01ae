// `sealwire adapter test`: a fake host that puts a bridge through the contract and says what it
// keeps and what it does not.
#pragma once

#include <string>
#include <vector>

#include "adapters/bridges/bridge.h"
#include "sdk/cli/failure.h"

namespace sealwire::cli {

struct Check {
  enum class Verdict : std::uint8_t { kept, broken, not_applicable };
  enum class Level : std::uint8_t { must, should };
  std::string name;
  Verdict verdict = Verdict::broken;
  Level level = Level::must;
  std::string detail;
};

/// A: all kept; B: every must, and not every should; F: a must is broken.
char grade(const std::vector<Check>& checks);

/// Each check starts the bridge afresh. `chat` is what its deliveries are for; `options` are given
/// to it in Start. `seed` decides the faults.
std::vector<Check> check_bridge(const bridge::Launch& launch,
                                const std::map<std::string, std::string>& options,
                                const std::string& chat, std::uint64_t seed);

}  // namespace sealwire::cli

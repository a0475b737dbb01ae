// Any text as the broker's configuration: one valid struct, or problems that a person can act on.
#include "broker/config.h"
#include "protocol/bytes.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  const auto config = broker::parse_config(as_text({data, size}), "/etc/sealwire/fuzz.toml");
  if (config) {
    FUZZ_CLAIM(!config->listen.empty());
    return 0;
  }
  FUZZ_CLAIM(!config.error().empty());
  for (const auto& problem : config.error()) {
    FUZZ_CLAIM(!problem.what.empty());
    FUZZ_CLAIM(!broker::describe(problem).empty());
  }
  return 0;
}

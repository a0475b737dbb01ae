// Any text as an address of a channel: refused, or parts that say the same address again.
#include "adapters/channels/uri.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  const auto uri = channel::parse_uri(as_text({data, size}));
  if (!uri) return 0;
  FUZZ_CLAIM(!uri->scheme.empty() && !uri->host.empty());
  const auto again = channel::parse_uri(uri->scheme + "://" + channel::authority(*uri));
  FUZZ_CLAIM(again && again->host == uri->host && again->port == uri->port);
  return 0;
}

// Any bytes as the content inside the encryption: refused, or content that means the same after
// re-encoding.
#include "protocol/content/content.h"

#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  const auto content = decode_content({data, size});
  if (!content) return 0;
  FUZZ_CLAIM(!content->empty());
  const auto again = decode_content(encode_content(*content));
  FUZZ_CLAIM(again.has_value() && *again == *content);
  return 0;
}

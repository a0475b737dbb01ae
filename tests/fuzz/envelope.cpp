// Any bytes as an envelope: refused, or a header that means the same after re-encoding, and a
// signature that only the sample's key could have made.
#include "protocol/envelope/envelope.h"

#include "tests/fuzz/check.h"
#include "tests/fuzz/samples.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  crypto::initialise();
  static const InstanceKey known = fuzz::sample_key(1).public_key<InstanceKey>();

  // The header alone reaches its checks sooner than inside an envelope.
  (void)decode_header({data, size});

  auto envelope = Envelope::parse(to_bytes({data, size}));
  if (!envelope) return 0;
  const Header header = envelope->header();
  const auto again = decode_header(encode_header(header));
  FUZZ_CLAIM(again.has_value() && *again == header);
  FUZZ_CLAIM(envelope->link() == link_of(envelope->header_bytes(), envelope->body_hash()));
  FUZZ_CLAIM(ByteSpan(envelope->bytes()).size() == size);
  (void)check_times(header, fuzz::kNow);
  if (verify_signature(std::move(*envelope))) FUZZ_CLAIM(header.sender == known);
  return 0;
}

// Any bytes as a frame: refused, or safe to read whole, and read alike at any alignment.
#include "protocol/frame/frame.h"

#include "protocol/envelope/envelope.h"
#include "protocol/limits.h"
#include "tests/fuzz/check.h"

namespace sealwire {
namespace {

// Reads what the broker and the SDK read of the frames that carry envelopes.
void read(const Frame& frame) {
  if (const auto* send = frame.as<wire::Send>()) {
    for (const auto* bundle : *send->bundles())
      for (const auto* envelope : *bundle->envelopes())
        (void)Envelope::parse(to_bytes(span_of(envelope->bytes())));
  } else if (const auto* deliver = frame.as<wire::Deliver>()) {
    for (const auto* entry : *deliver->entries()) {
      FUZZ_CLAIM(entry->item() != nullptr);
      if (const auto* delivery = entry->item_as_Delivery())
        (void)Envelope::parse(to_bytes(span_of(delivery->envelope())));
    }
  } else if (const auto* hello = frame.as<wire::Hello>()) {
    FUZZ_CLAIM(hello->key()->size() == InstanceKey::kSize);
  } else if (const auto* call = frame.as<wire::Call>()) {
    FUZZ_CLAIM(call->request() != nullptr);
  }
}

}  // namespace
}  // namespace sealwire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  crypto::initialise();
  const auto frame = Frame::parse({data, size}, limits::kFrameBytes);
  if (frame) read(*frame);

  Bytes shifted(size + 1);
  std::copy_n(data, size, shifted.begin() + 1);
  const auto again = Frame::parse(ByteSpan(shifted).subspan(1), limits::kFrameBytes);
  FUZZ_CLAIM(frame.has_value() == again.has_value());
  if (frame) {
    FUZZ_CLAIM(frame->type() == again->type());
    read(*again);
  } else {
    FUZZ_CLAIM(frame.error().code == again.error().code);
  }
  return 0;
}

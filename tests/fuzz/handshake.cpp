// Messages to either end of a handshake, bound or not. The first byte chooses the end (bit 0) and
// the binding (bit 1); each message follows its length (u16, big-endian). Keys are fixed, so that
// real messages pass; nobody else can be proven.
#include "protocol/handshake/handshake.h"

#include "tests/fuzz/check.h"
#include "tests/fuzz/samples.h"

namespace sealwire {
namespace {

class Messages {
 public:
  explicit Messages(ByteSpan input) : rest_(input) {}
  ByteSpan next() {
    if (rest_.size() < 2) return {};
    const std::size_t size = std::min<std::size_t>(rest_[0] << 8 | rest_[1], rest_.size() - 2);
    const ByteSpan message = rest_.subspan(2, size);
    rest_ = rest_.subspan(2 + size);
    return message;
  }

 private:
  ByteSpan rest_;
};

void to_server(fuzz::Ends& ends, Messages messages) {
  const auto challenge = ends.server.on_hello(messages.next());
  const auto peer = ends.server.on_proof(messages.next());
  if (!peer) return;
  FUZZ_CLAIM(challenge.has_value());
  FUZZ_CLAIM(peer->identity.instance == ends.agent_key.public_key<InstanceKey>());
  auto protection = std::move(ends.server).protection();
  (void)protection.open(messages.next());
}

void to_client(fuzz::Ends& ends, Messages messages) {
  (void)ends.client.hello();
  if (!ends.client.on_challenge(messages.next())) return;
  const auto ready = ends.client.on_ready(messages.next());
  if (ready) FUZZ_CLAIM(ready->broker == ends.broker_key.public_key<BrokerKey>());
}

}  // namespace
}  // namespace sealwire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  crypto::initialise();
  if (size == 0) return 0;
  fuzz::Ends ends((data[0] & 2) != 0);
  const Messages messages(ByteSpan(data, size).subspan(1));
  if ((data[0] & 1) != 0) {
    to_server(ends, messages);
  } else {
    to_client(ends, messages);
  }
  return 0;
}

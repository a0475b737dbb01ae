// Seeds of the handshake target: what passes, to either end, bound and unbound.
#include "tests/fuzz/samples.h"

namespace {

using sealwire::Bytes;

void append(Bytes& input, const Bytes& message) {
  input.push_back(static_cast<std::uint8_t>(message.size() >> 8));
  input.push_back(static_cast<std::uint8_t>(message.size()));
  input.insert(input.end(), message.begin(), message.end());
}

}  // namespace

int main(int, char** argv) {
  using namespace sealwire;
  crypto::initialise();
  fuzz::Corpus corpus(argv[1]);
  for (const bool bound : {false, true}) {
    fuzz::Ends ends(bound);
    const std::uint8_t mode = bound ? 2 : 0;
    const Bytes hello = ends.client.hello();
    const Bytes challenge = ends.server.on_hello(hello).value();
    const Bytes proof = ends.client.on_challenge(challenge).value();
    if (!ends.server.on_proof(proof)) return 1;
    auto broker = std::move(ends.server).protection();
    auto agent = std::move(ends.client).protection();

    flatbuffers::FlatBufferBuilder ping_builder;
    const Bytes ping = finish_frame(ping_builder, wire::CreatePing(ping_builder, 1));
    Bytes to_server{static_cast<std::uint8_t>(mode | 1)};
    append(to_server, hello);
    append(to_server, proof);
    append(to_server, agent.seal(ping));
    corpus.add(to_server);

    flatbuffers::FlatBufferBuilder b;
    const Bytes id(16, 1);
    const Bytes ready = finish_frame(b, wire::CreateReady(b, put(b, id), put(b, id), 1, 2, 3, 4));
    Bytes to_client{mode};
    append(to_client, challenge);
    append(to_client, broker.seal(ready));
    corpus.add(to_client);
  }
  return 0;
}

// Frames with some bytes changed, by the thousand (SEALWIRE_MUTATED_FRAMES; a million in --long):
// nothing crashes, nothing of a stranger's is accepted, and an agent that comes afterwards is
// served.
#include <cstdlib>
#include <random>

#include "tests/security/attack.h"

namespace sealwire::broker {
namespace {

class MutatedFrames : public Attack {
 protected:
  void adjust(Config& config) override {
    config.router.handshakes = {1e6, 1e6};
    config.router.sends = {1e6, 1e6};
    config.router.calls = {1e6, 1e6};
  }

  static std::size_t count() {
    const char* set = std::getenv("SEALWIRE_MUTATED_FRAMES");
    return set != nullptr ? std::stoul(set) : 2'000;
  }

  std::vector<Bytes> samples(const RawAgent& who) {
    const auto envelope = [&](std::string_view body) {
      return test::envelope_bytes(test::application_header(who.key, random_, now()), who.key, body);
    };
    flatbuffers::FlatBufferBuilder lookup, claim, ping;
    const auto id = agent().identity.agent;
    return {test::send_frame({{envelope("a body of a few words")}}),
            test::send_frame({{envelope("one"), envelope("two")}, {envelope("three")}}),
            test::send_frame({{envelope(std::string(3000, 'x'))}}),
            test::set_contact_frame(7, id, wire::Contact::allowed),
            finish_frame(lookup, wire::CreateCall(
                                     lookup, 8, wire::Request::Lookup,
                                     wire::CreateLookup(lookup, put(lookup, id.bytes)).Union())),
            finish_frame(claim,
                         wire::CreateCall(claim, 9, wire::Request::Claim,
                                          wire::CreateClaim(claim, put(claim, id.bytes)).Union())),
            finish_frame(ping, wire::CreatePing(ping, 5)),
            test::credit_frame(5, 5000)};
  }

  /// One to four changes: a bit, a byte of an edge's value, a length, or the end.
  Bytes mutated(Bytes bytes) {
    for (auto changes = 1 + dice_() % 4; changes > 0 && !bytes.empty(); --changes) {
      const std::size_t at = dice_() % bytes.size();
      switch (dice_() % 16) {
        case 0:
          bytes.resize(at);
          break;
        case 1:
          bytes.resize(bytes.size() + dice_() % 32, static_cast<std::uint8_t>(dice_()));
          break;
        case 2:
        case 3:
          bytes[at] = std::array<std::uint8_t, 4>{0, 0x7f, 0x80, 0xff}[dice_() % 4];
          break;
        default:
          bytes[at] ^= static_cast<std::uint8_t>(1U << dice_() % 8);
      }
    }
    if (bytes.empty()) bytes.push_back(0);
    return bytes;
  }

  std::mt19937_64 dice_;
};
INSTANTIATE_TEST_SUITE_P(On, MutatedFrames, ::testing::ValuesIn(kTransports),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(MutatedFrames, Within_a_session_harm_nobody) {
  const std::uint64_t seed = std::random_device()();
  dice_.seed(seed);
  std::cout << "seed " << seed << '\n';
  const RawAgent who = agent();
  const std::vector<Bytes> whole = samples(who);
  flatbuffers::FlatBufferBuilder b;
  const Bytes ping = finish_frame(b, wire::CreatePing(b, 1));
  const auto& metrics = server_->metrics();
  const auto met = [&]() -> std::size_t { return metrics.frames_received; };
  std::unique_ptr<RawClient> client;
  std::size_t sessions = 0;
  while (met() < count()) {
    if (!client) {
      client = std::make_unique<RawClient>();
      const auto ready = client->connect(uri_, who, random_);
      ASSERT_TRUE(ready) << ready.error().detail << " after " << met() << " frames";
      ++sessions;
    }
    for (int i = 0; i < 8; ++i)
      (void)client->send(mutated(whole[dice_() % whole.size()]));
    // Where the session lives on, its answer to a Ping comes after all of them.
    (void)client->send(ping);
    if (!client->expect(wire::Body::Pong)) client.reset();
  }
  client.reset();
  std::cout << met() << " frames met, " << sessions << " sessions, " << metrics.frames_refused
            << " frames refused, " << metrics.envelopes_rejected << " envelopes rejected\n";
  EXPECT_GT(metrics.envelopes_rejected, count() / 100);
  EXPECT_EQ(metrics.envelopes_accepted, 0U) << "there is no conversation to write into";
  expect_served();
}

TEST_P(MutatedFrames, Before_Proof_harm_nobody) {
  const std::uint64_t seed = std::random_device()();
  dice_.seed(seed);
  std::cout << "seed " << seed << '\n';
  const Bytes whole = hello_of(agent());
  const std::size_t rounds = count() / 100;
  for (std::size_t round = 0; round < rounds; ++round) {
    RawClient client;
    ASSERT_TRUE(client.dial(uri_)) << round;
    ASSERT_TRUE(client.send_raw(mutated(whole)));
    EXPECT_TRUE(client.next_raw()) << "Challenge or Close";
    client.close();
  }
  EXPECT_EQ(server_->metrics().sessions_opened, 0U);
  expect_served();
}

}  // namespace
}  // namespace sealwire::broker

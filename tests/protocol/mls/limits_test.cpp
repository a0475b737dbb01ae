// The bounds of limits.h, each at its last allowed and its first refused value.
#include "protocol/mls/secret_tree.h"
#include "tests/protocol/mls/insider.h"

namespace sealwire::mls::test {
namespace {

TEST(Limits, a_ratchet_goes_forward_65536_generations_and_no_further) {
  Pair pair;
  must(pair.a.skip_own_generations(limits::kRatchetForward));
  const auto farthest = must(pair.a.seal(as_bytes("far"), {}, pair.alice.random));
  EXPECT_EQ(farthest.generation, limits::kRatchetForward);
  const auto beyond = must(pair.a.seal(as_bytes("too far"), {}, pair.alice.random));
  EXPECT_TRUE(refused(pair.b.open(beyond.message), Errc::mls_generation_too_far));
  EXPECT_EQ(must(pair.b.open(farthest.message)).plaintext, text("far"));
  EXPECT_EQ(must(pair.b.open(beyond.message)).plaintext, text("too far")) << "now it is the next";
}

TEST(Limits, a_huge_generation_is_refused_at_once) {
  Trio trio;
  Epoch inside = secrets_of(trio.m);
  for (const std::uint32_t generation : {65537u, 0x7fffffffu, 0xffffffffu}) {
    EXPECT_TRUE(refused(trio.b.open(application(inside, trio.m.own_leaf(), generation,
                                                trio.mallory.key, trio.mallory.random, "x")),
                        Errc::mls_generation_too_far));
  }
}

TEST(Limits, the_last_generation_is_usable_and_none_after_it) {
  Bytes state = encode(KdfSecret());
  for (const std::uint8_t byte : {0xff, 0xff, 0xff, 0xff, 0x00, 0x00})
    state.push_back(byte);
  Ratchet ratchet = must(decode<Ratchet>(state, "ratchet"));
  EXPECT_EQ(must(ratchet.next()).generation, 0xffffffffu);
  EXPECT_TRUE(refused(ratchet.next(), Errc::mls_limit));
  EXPECT_TRUE(refused(ratchet.find(0), Errc::mls_generation_used));
  EXPECT_FALSE(ratchet.skip_to(5));
}

TEST(Limits, of_the_skipped_keys_the_newest_256_are_kept) {
  Pair pair;
  std::vector<Bytes> messages;
  for (std::size_t i = 0; i < limits::kSkippedKeysPerSender + 3; ++i)
    messages.push_back(must(pair.a.seal(as_bytes("m"), {}, pair.alice.random)).message);
  must(pair.b.open(messages.back()));
  EXPECT_TRUE(refused(pair.b.open(messages[0]), Errc::mls_generation_used));
  EXPECT_TRUE(refused(pair.b.open(messages[1]), Errc::mls_generation_used));
  for (std::size_t i = 2; i + 1 < messages.size(); ++i)
    EXPECT_TRUE(pair.b.open(messages[i])) << i;

  // Skipped in two jumps: the bound is on all of them together.
  std::vector<Bytes> more;
  for (std::size_t i = 0; i < limits::kSkippedKeysPerSender + 3; ++i)
    more.push_back(must(pair.a.seal(as_bytes("m"), {}, pair.alice.random)).message);
  must(pair.b.open(more[200]));
  must(pair.b.open(more.back()));
  EXPECT_TRUE(pair.b.open(more[1]))
      << "200 skipped and 57 more are one too many, which was the oldest";
  EXPECT_TRUE(refused(pair.b.open(more[0]), Errc::mls_generation_used));
}

TEST(Limits, messages_of_four_past_epochs_open_and_older_ones_do_not) {
  Pair pair;
  std::vector<Bytes> messages;
  for (std::size_t i = 0; i <= limits::kPastEpochs + 1; ++i) {
    messages.push_back(must(pair.a.seal(as_bytes("m"), {}, pair.alice.random)).message);
    if (i > limits::kPastEpochs) break;
    must(pair.b.process(must(pair.a.commit({}, {}, pair.alice.random, kNow)).commit));
    must(pair.a.apply_pending());
  }
  EXPECT_TRUE(refused(pair.b.open(messages[0]), Errc::mls_epoch));
  pair.b.forget_past_epochs(3);
  EXPECT_TRUE(refused(pair.b.open(messages[1]), Errc::mls_epoch)) << "forgotten on purpose";
  for (std::size_t i = 2; i < messages.size(); ++i)
    EXPECT_TRUE(pair.b.open(messages[i])) << i;
}

TEST(Limits, proposals_are_cached_up_to_a_bound) {
  Pair pair;
  for (std::size_t i = 0; i < kCachedProposals; ++i)
    must(pair.b.process(
        must(pair.a.propose_remove(pair.b.own_leaf(), encode(static_cast<std::uint32_t>(i))))));
  EXPECT_TRUE(refused(pair.a.propose_remove(pair.b.own_leaf(), {}), Errc::mls_limit));
}

TEST(Limits, a_plaintext_that_no_receiver_could_take_is_not_sealed) {
  Pair pair;
  EXPECT_TRUE(
      refused(pair.a.seal(Bytes(limits::kMlsVectorBytes), {}, pair.alice.random), Errc::mls_limit));
  EXPECT_EQ(pair.a.own_generation(), 0u);
  const auto large =
      must(pair.a.seal(Bytes(limits::kMlsVectorBytes * 3 / 4), {}, pair.alice.random));
  EXPECT_TRUE(pair.b.open(large.message));
}

}  // namespace
}  // namespace sealwire::mls::test

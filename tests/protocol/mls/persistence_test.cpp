// A restart at any point goes on exactly where it was.
#include "tests/protocol/mls/agent.h"

namespace sealwire::mls::test {
namespace {

Group restart(const Group& group, const Agent& agent) {
  const auto stored = group.serialize();
  return must(Group::deserialize(stored.span(), std::nullopt, agent.key, strict_policy()));
}

TEST(Persistence, a_used_key_stays_used_and_a_skipped_one_stays_kept) {
  Pair pair;
  const auto first = must(pair.a.seal(as_bytes("first"), {}, pair.alice.random));
  const auto second = must(pair.a.seal(as_bytes("second"), {}, pair.alice.random));
  must(pair.b.open(second.message));
  Group b = restart(pair.b, pair.bob);
  EXPECT_TRUE(refused(b.open(second.message), Errc::mls_generation_used));
  EXPECT_EQ(must(b.open(first.message)).plaintext, text("first"));
  EXPECT_EQ(restart(pair.a, pair.alice).own_generation(), 2u);
}

TEST(Persistence, the_state_reads_back_to_the_same_bytes) {
  Pair pair;
  must(pair.b.process(must(pair.a.propose_update({}, pair.alice.random))));
  must(pair.b.commit({}, {}, pair.bob.random, kNow));
  must(pair.b.open(must(pair.a.seal(as_bytes("x"), {}, pair.alice.random)).message));
  for (const auto& [group, agent] :
       {std::pair{&pair.a, &pair.alice}, std::pair{&pair.b, &pair.bob}}) {
    const Bytes before = to_bytes(group->serialize().span());
    EXPECT_EQ(before, to_bytes(restart(*group, *agent).serialize().span()));
  }
}

TEST(Persistence, the_small_part_carries_all_that_messages_change) {
  Pair pair;
  const auto early = must(pair.a.seal(as_bytes("early"), {}, pair.alice.random));
  must(pair.b.process(must(pair.a.commit({}, {}, pair.alice.random, kNow)).commit));
  must(pair.a.apply_pending());
  const auto big = pair.b.serialize();
  const auto one = must(pair.a.seal(as_bytes("one"), {}, pair.alice.random));
  must(pair.b.open(early.message));
  must(pair.b.open(one.message));
  must(pair.b.seal(as_bytes("mine"), {}, pair.bob.random));
  const auto small = pair.b.serialize_ratchets();
  EXPECT_LT(small.size(), big.size() / 2);

  Group b = must(Group::deserialize(big.span(), small.span(), pair.bob.key, strict_policy()));
  EXPECT_EQ(to_bytes(b.serialize().span()), to_bytes(pair.b.serialize().span()));
  EXPECT_TRUE(refused(b.open(one.message), Errc::mls_generation_used));
  EXPECT_TRUE(refused(b.open(early.message), Errc::mls_generation_used));
  EXPECT_EQ(b.own_generation(), 1u);
}

TEST(Persistence, ratchets_of_another_epoch_or_group_are_not_taken) {
  Pair pair;
  const auto old_ratchets = pair.b.serialize_ratchets();
  must(pair.b.process(must(pair.a.commit({}, {}, pair.alice.random, kNow)).commit));
  const auto state = pair.b.serialize();
  const auto load = [&](ByteSpan ratchets) {
    return Group::deserialize(state.span(), ratchets, pair.bob.key, strict_policy());
  };
  EXPECT_TRUE(refused(load(old_ratchets.span()), Errc::state_corrupt));
  Agent other(9);
  const auto others = other.found("another").serialize_ratchets();
  EXPECT_TRUE(refused(load(others.span()), Errc::state_corrupt));
  EXPECT_TRUE(load(pair.b.serialize_ratchets().span()));
}

TEST(Persistence, a_state_that_was_cut_or_belongs_to_another_key_is_refused) {
  Pair pair;
  const auto state = pair.a.serialize();
  for (std::size_t size = 0; size < state.size(); size += 7) {
    EXPECT_TRUE(refused(
        Group::deserialize(state.span().first(size), std::nullopt, pair.alice.key, strict_policy()),
        Errc::state_corrupt));
  }
  EXPECT_TRUE(refused(Group::deserialize(state.span(), std::nullopt, pair.bob.key, strict_policy()),
                      Errc::state_corrupt));
}

TEST(Persistence, reserved_generations_are_skipped_after_a_crash) {
  Pair pair;
  must(pair.a.seal(as_bytes("0"), {}, pair.alice.random));
  const auto stored = pair.a.serialize();
  must(pair.a.seal(as_bytes("lost"), {}, pair.alice.random));
  Group a = must(Group::deserialize(stored.span(), std::nullopt, pair.alice.key, strict_policy()));
  must(a.skip_own_generations(256));
  const auto sealed = must(a.seal(as_bytes("after"), {}, pair.alice.random));
  EXPECT_EQ(sealed.generation, 256u);
  EXPECT_EQ(must(pair.b.open(sealed.message)).plaintext, text("after"));
  EXPECT_TRUE(refused(a.skip_own_generations(100), Errc::mls_generation_used));
}

}  // namespace
}  // namespace sealwire::mls::test

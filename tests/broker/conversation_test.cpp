// The Delivery Service: opening, compare-and-swap, chains, epochs, ids.
#include <gtest/gtest.h>

#include "tests/broker/world.h"
#include "tests/support/envelopes.h"

namespace sealwire::test {
namespace {

using namespace sealwire::broker;

class Conversation_ : public ::testing::Test {
 protected:
  World world;
  WorldAgent alice = world.agent();
  WorldAgent bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);

  wire::Code refused() const {
    return a.rejections.empty() ? wire::Code::ok : a.rejections.back().code;
  }
};

TEST_F(Conversation_, The_joiner_gets_the_welcome_and_not_the_commit_and_the_sender_gets_nothing) {
  const auto talk = world.introduce(a, b);
  ASSERT_EQ(b.entries.size(), 1u);
  EXPECT_EQ(b.entries[0].sequence, 1u);
  EXPECT_EQ(b.entries[0].conversation_sequence, 2u) << "the commit has 1";
  EXPECT_EQ(Envelope::parse(b.entries[0].envelope)->header().kind, Kind::welcome);
  EXPECT_TRUE(a.entries.empty());
  EXPECT_EQ(a.accepted.size(), 2u);
  b.submit(bob.application(talk, world.now));
  EXPECT_EQ(a.entries.size(), 1u);
}

TEST_F(Conversation_, Envelopes_arrive_byte_for_byte_in_the_order_in_which_they_were_accepted) {
  const auto talk = world.introduce(a, b);
  std::vector<Bytes> sent;
  for (int i = 0; i < 20; ++i) {
    sent.push_back(alice.application(talk, world.now, "message " + std::to_string(i)).bytes);
    a.send_bundles({{sent.back()}});
  }
  ASSERT_EQ(b.entries.size(), 21u);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(b.entries[i + 1].envelope, sent[i]);
    EXPECT_EQ(b.entries[i + 1].sequence, i + 2);
    EXPECT_EQ(b.entries[i + 1].conversation_sequence, i + 3);
  }
}

TEST_F(Conversation_, Of_two_commits_of_one_epoch_one_wins_and_the_loser_learns_the_epoch) {
  const auto talk = world.introduce(a, b);
  world.hold_commits = true;  // both are decided before either is on disk
  const auto winner = bob.update(talk, alice, world.now);
  const auto loser = alice.update(talk, bob, world.now);
  b.submit(winner);
  a.submit(loser);
  world.hold_commits = false;
  world.commit_one();
  world.run();
  EXPECT_TRUE(b.accepted.contains(winner.header.id));
  ASSERT_EQ(a.rejections.size(), 1u);
  EXPECT_EQ(a.rejections[0].id, loser.header.id);
  EXPECT_EQ(a.rejections[0].code, wire::Code::epoch_conflict);
  EXPECT_EQ(a.rejections[0].incarnation, 1u);
  EXPECT_EQ(a.rejections[0].epoch, 2u);
  EXPECT_EQ(a.entries.back().envelope, winner.bytes) << "the loser gets the winner by mailbox";
  // After it the loser commits again, in the new epoch.
  alice.next_epoch(talk);
  const auto again = alice.update(talk, bob, world.now);
  a.submit(again);
  EXPECT_TRUE(a.accepted.contains(again.header.id));
}

TEST_F(Conversation_, An_epoch_two_behind_is_accepted_and_three_behind_or_ahead_is_stale) {
  const auto talk = world.introduce(a, b);
  const auto commit_by_bob = [&] {
    const auto commit = bob.update(talk, alice, world.now);
    bob.committed(commit);
    b.submit(commit);
  };
  commit_by_bob();
  commit_by_bob();  // the epoch is 3, Alice is at 1
  const auto behind = alice.application(talk, world.now);
  a.submit(behind);
  EXPECT_TRUE(a.accepted.contains(behind.header.id));
  commit_by_bob();
  a.submit(alice.application(talk, world.now));
  EXPECT_EQ(refused(), wire::Code::stale_epoch);
  EXPECT_EQ(a.rejections.back().epoch, 4u);
  alice.chain(talk).epoch = 5;
  alice.chain(talk).sender_seq = 0;
  a.submit(alice.application(talk, world.now));
  EXPECT_EQ(a.rejections.size(), 2u);
  EXPECT_EQ(refused(), wire::Code::stale_epoch);
}

TEST_F(Conversation_,
       A_gap_a_repeat_and_a_fork_of_the_chain_are_refused_with_the_senders_own_last) {
  const auto talk = world.introduce(a, b);
  const auto first = alice.application(talk, world.now);
  a.submit(first);
  const ChainView good = alice.chain(talk);
  const auto expect_broken = [&](const char* what) {
    a.submit(alice.application(talk, world.now));
    ASSERT_EQ(refused(), wire::Code::chain_broken) << what;
    const auto& last = a.rejections.back().last;
    ASSERT_TRUE(last) << what;
    const auto header = decode_header(last->header);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->id, first.header.id);
    EXPECT_TRUE(verify_remains(*header, last->header, last->body_hash, last->signature));
    alice.chain(talk) = good;
  };
  alice.chain(talk).sender_seq += 1;
  expect_broken("gap");
  alice.chain(talk).sender_seq -= 1;
  expect_broken("repeated position");
  alice.chain(talk).previous = Digest{{1}};
  expect_broken("other previous");
  alice.chain(talk).epoch = 0;
  alice.chain(talk).sender_seq = 0;
  expect_broken("an epoch before the chain's");
  a.submit(alice.application(talk, world.now));
  EXPECT_EQ(a.accepted.size(), 4u) << "nothing of the refused ones was kept";
}

TEST_F(Conversation_, A_chain_runs_on_over_an_epoch_and_starts_its_sequence_again) {
  const auto talk = world.introduce(a, b);
  a.submit(alice.application(talk, world.now));
  const auto commit = alice.update(talk, bob, world.now);
  alice.committed(commit);
  a.submit(commit);
  const auto after = alice.application(talk, world.now);
  EXPECT_EQ(after.header.sender_seq, 0u);
  EXPECT_EQ(after.header.previous, commit.link);
  a.submit(after);
  EXPECT_TRUE(a.accepted.contains(after.header.id));
}

TEST_F(Conversation_, The_same_envelope_again_is_accepted_again_and_delivered_once) {
  const auto talk = world.introduce(a, b);
  const auto once = alice.application(talk, world.now);
  a.submit(once);
  const auto sequence = a.accepted[once.header.id];
  const auto delivered = b.entries.size();
  const auto receipts = a.receipts;
  a.submit(once);
  world.restart();
  Client& again = world.connect(alice);
  again.submit(once);
  EXPECT_EQ(a.receipts, receipts + 1);
  EXPECT_EQ(again.accepted.at(once.header.id), sequence) << "also after a restart";
  EXPECT_EQ(b.entries.size(), delivered);
  Client& b2 = world.connect(bob);
  EXPECT_EQ(b2.entries.size(), delivered) << "nothing was added to the mailbox";
}

TEST_F(Conversation_, DLV_005_The_same_envelope_again_after_its_expiry_is_still_accepted) {
  const auto talk = world.introduce(a, b);
  const auto once = alice.application(talk, world.now);
  a.submit(once);
  const auto sequence = a.accepted.at(once.header.id);
  world.now = once.header.expires + kSecondMs;
  Client& late = world.connect(alice);
  late.submit(once);
  ASSERT_TRUE(late.accepted.contains(once.header.id))
      << "whoever lost the first Accepted must learn";
  EXPECT_EQ(late.accepted.at(once.header.id), sequence);
}

TEST_F(Conversation_, The_same_envelope_again_while_the_first_is_on_its_way_to_disk_is_one) {
  const auto talk = world.introduce(a, b);
  world.hold_commits = true;
  const auto once = alice.application(talk, world.now);
  a.submit(once);
  a.submit(once);
  world.hold_commits = false;
  world.commit_one();
  world.run();
  EXPECT_TRUE(a.rejections.empty());
  EXPECT_EQ(a.accepted.size(), 3u);
  EXPECT_EQ(b.entries.size(), 2u);
}

TEST_F(Conversation_, An_id_with_other_bytes_is_a_conflict) {
  const auto talk = world.introduce(a, b);
  const auto once = alice.application(talk, world.now);
  a.submit(once);
  Header other = once.header;
  other.sender_seq = 1;
  other.previous = once.link;
  a.submit(alice.make(other, "other"));
  EXPECT_EQ(refused(), wire::Code::id_conflict);
}

TEST_F(Conversation_, A_conversation_is_re_opened_by_either_member_with_the_next_incarnation_only) {
  const auto talk = world.introduce(a, b);
  a.submit(alice.application(talk, world.now));
  b.submit(bob.opening(talk, alice, world.now, 2));
  alice.join(talk, 2);
  const auto fresh = alice.application(talk, world.now);
  a.submit(fresh);
  EXPECT_TRUE(a.accepted.contains(fresh.header.id)) << "chains start anew";
  a.submit(alice.opening(talk, bob, world.now, 2));
  EXPECT_EQ(refused(), wire::Code::epoch_conflict);
  EXPECT_EQ(a.rejections.back().incarnation, 2u);
  a.submit(alice.opening(talk, bob, world.now, 4));
  EXPECT_EQ(refused(), wire::Code::epoch_conflict);
}

TEST_F(Conversation_, An_envelope_of_a_retired_incarnation_is_stale) {
  const auto talk = world.introduce(a, b);
  b.submit(bob.opening(talk, alice, world.now, 2));
  a.submit(alice.application(talk, world.now));
  EXPECT_EQ(refused(), wire::Code::stale_epoch);
  EXPECT_EQ(a.rejections.back().incarnation, 2u);
}

TEST_F(Conversation_, Membership_cannot_be_changed) {
  auto carol = world.agent();
  Client& c = world.connect(carol);
  const auto talk = world.introduce(a, b);
  world.allow_each_other(a, c);
  a.submit(alice.opening(talk, carol, world.now, 2));
  EXPECT_EQ(refused(), wire::Code::denied);
  alice.chain(talk) = {1, 1, 0, alice.chain(talk).previous};
  a.submit(alice.update(talk, carol, world.now));
  EXPECT_EQ(refused(), wire::Code::denied);
}

TEST_F(Conversation_, An_outsider_cannot_tell_a_conversation_from_none) {
  const auto talk = world.introduce(a, b);
  auto carol = world.agent();
  Client& c = world.connect(carol);
  world.allow_each_other(a, c);
  carol.join(talk);
  c.submit(carol.application(talk, world.now));
  const auto nowhere = world.conversation_id();
  carol.join(nowhere);
  c.submit(carol.application(nowhere, world.now));
  c.submit(carol.opening(talk, alice, world.now, 2));
  ASSERT_EQ(c.rejections.size(), 3u);
  for (const auto& rejection : c.rejections) {
    EXPECT_EQ(rejection.code, wire::Code::denied);
    EXPECT_EQ(rejection.incarnation, 0u);
    EXPECT_EQ(rejection.epoch, 0u);
  }
}

TEST_F(Conversation_, A_bundle_of_another_shape_is_refused_whole) {
  world.allow_each_other(a, b);
  const auto talk = world.conversation_id();
  auto bundle = alice.opening(talk, bob, world.now);
  a.submit(bundle[1]);  // a welcome alone
  EXPECT_EQ(a.rejections.size(), 1u);
  a.send_bundles({{bundle[1].bytes, bundle[0].bytes}});  // in the wrong order
  EXPECT_EQ(a.rejections.size(), 2u);
  auto other = alice.opening(talk, bob, world.now);
  a.send_bundles({{bundle[0].bytes, other[1].bytes}});  // another commit's welcome
  EXPECT_EQ(a.rejections.size(), 3u);
  a.send_bundles({{bundle[0].bytes, bundle[0].bytes}});
  EXPECT_EQ(a.rejections.size(), 4u);
  for (const auto& rejection : a.rejections)
    EXPECT_EQ(rejection.code, wire::Code::malformed);
  EXPECT_TRUE(a.accepted.empty());
  a.submit(bundle);
  EXPECT_EQ(a.accepted.size(), 2u) << "the right one still opens it";
}

TEST_F(Conversation_, A_spoofed_sender_a_bad_signature_and_a_foreign_context_are_refused) {
  const auto talk = world.introduce(a, b);
  const auto delivered = b.entries.size();
  bob.join(talk);
  a.submit(bob.application(talk, world.now));  // Bob's envelope in Alice's session
  EXPECT_EQ(refused(), wire::Code::unauthenticated);
  auto made = alice.application(talk, world.now);
  Bytes tampered = made.bytes;
  const auto parsed = Envelope::parse(made.bytes);
  const ByteSpan body = parsed->body();
  const auto at = std::search(tampered.begin(), tampered.end(), body.begin(), body.end());
  *at ^= 1;
  a.send_bundles({{tampered}});
  EXPECT_EQ(refused(), wire::Code::unauthenticated);
  // A signature over the same bytes under another label.
  const Bytes header = encode_header(made.header);
  const Signature foreign = alice.key().sign(
      crypto::labelled(label::kRefusal, {header, crypto::blake2b(as_bytes("body"))}));
  flatbuffers::FlatBufferBuilder fb;
  const auto signature_at = put(fb, foreign.bytes);
  const auto header_at = put(fb, header);
  const auto body_at = put(fb, to_bytes(as_bytes("body")));
  a.send_bundles(
      {{finish_statement(fb, wire::CreateEnvelope(fb, header_at, body_at, signature_at), "SWEN")}});
  EXPECT_EQ(refused(), wire::Code::unauthenticated);
  EXPECT_EQ(a.rejections.size(), 3u);
  EXPECT_EQ(b.entries.size(), delivered);
}

TEST_F(Conversation_, Clocks_a_day_off_and_expired_envelopes_are_refused) {
  const auto talk = world.introduce(a, b);
  const ChainView good = alice.chain(talk);
  a.submit(alice.application(talk, {world.now.value + kDayMs}));
  EXPECT_EQ(refused(), wire::Code::malformed);
  alice.chain(talk) = good;
  a.submit(alice.application(talk, {world.now.value - kDayMs}));
  EXPECT_EQ(refused(), wire::Code::expired);
}

TEST_F(Conversation_, A_malformed_envelope_is_refused_and_the_session_goes_on) {
  const auto talk = world.introduce(a, b);
  a.send_bundles({{Bytes(64, 0xff)}});
  ASSERT_EQ(a.rejections.size(), 1u);
  EXPECT_EQ(a.rejections[0].code, wire::Code::malformed);
  EXPECT_TRUE(a.rejections[0].id.is_zero());
  Header unsupported = alice.application(talk, world.now).header;
  unsupported.critical = {7};
  const auto made = alice.make(unsupported);
  a.submit(made);
  ASSERT_EQ(a.rejections.size(), 2u);
  EXPECT_EQ(a.rejections[1].code, wire::Code::unsupported);
  EXPECT_EQ(a.rejections[1].id, made.header.id);
  EXPECT_FALSE(a.closed);
}

TEST_F(Conversation_, In_session_mode_the_signature_of_a_commit_is_checked_all_the_same) {
  world.config.verification = VerificationMode::session;
  world.restart();
  Client& s = world.connect(alice);
  Client& t = world.connect(bob);
  const auto talk = world.introduce(s, t);
  Header header = alice.update(talk, bob, world.now).header;
  const auto forger = world.agent();
  s.send_bundles({{seal_envelope(encode_header(header), as_bytes("x"), forger.key()).bytes}});
  ASSERT_EQ(s.rejections.size(), 1u);
  EXPECT_EQ(s.rejections[0].code, wire::Code::unauthenticated);
}

// --- transients
// -----------------------------------------------------------------------------------

TEST_F(Conversation_, A_transient_is_delivered_live_with_sequence_zero_and_is_not_stored) {
  const auto talk = world.introduce(a, b);
  const auto items = world.store.items();
  const auto passing = alice.transient(talk, world.now);
  a.submit(passing);
  ASSERT_EQ(b.entries.size(), 2u);
  EXPECT_EQ(b.entries[1].sequence, 0u);
  EXPECT_EQ(b.entries[1].envelope, passing.bytes);
  EXPECT_EQ(a.accepted.at(passing.header.id), 0u);
  EXPECT_EQ(world.store.items(), items);
}

TEST_F(Conversation_, A_transient_never_overtakes_and_is_dropped_where_it_would) {
  const auto talk = world.introduce(a, b);
  Client& slow = world.connect_mute(bob);  // no credit: the welcome waits again
  a.submit(alice.application(talk, world.now));
  a.submit(alice.transient(talk, world.now));
  slow.credit(100, 100'000);
  ASSERT_EQ(slow.entries.size(), 2u);
  EXPECT_NE(slow.entries[0].sequence, 0u);
  EXPECT_NE(slow.entries[1].sequence, 0u);
  a.submit(alice.transient(talk, world.now));
  EXPECT_EQ(slow.entries.size(), 3u) << "once nothing waits, it passes";
}

TEST_F(Conversation_, A_transient_that_does_not_follow_the_chain_is_refused) {
  const auto talk = world.introduce(a, b);
  a.submit(alice.application(talk, world.now));
  Header old = alice.transient(talk, world.now).header;
  old.sender_seq = 0;
  a.submit(alice.make(old));
  EXPECT_EQ(refused(), wire::Code::chain_broken);
}

}  // namespace
}  // namespace sealwire::test

// A disk that is full or fails: never Accepted, never delivered, and service goes on afterwards.
#include <gtest/gtest.h>

#include "tests/broker/world.h"

namespace sealwire::test {
namespace {

using namespace sealwire::broker;

class Failure : public ::testing::TestWithParam<Errc> {
 protected:
  World world;
  WorldAgent alice = world.agent();
  WorldAgent bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);
  const ConversationId talk = world.introduce(a, b);
};

TEST_P(Failure, A_failed_commit_is_refused_as_unavailable_and_the_same_bytes_pass_later) {
  const auto sent = alice.application(talk, world.now);
  world.store.fail_commits(GetParam());
  a.submit(sent);
  EXPECT_FALSE(a.accepted.contains(sent.header.id));
  ASSERT_EQ(a.rejections.size(), 1u);
  EXPECT_EQ(a.rejections[0].id, sent.header.id);
  EXPECT_EQ(a.rejections[0].code, wire::Code::unavailable);
  EXPECT_EQ(b.entries.size(), 1u);
  EXPECT_FALSE(world.router->healthy());
  world.store.fail_commits(std::nullopt);
  a.submit(sent);
  EXPECT_EQ(a.accepted.at(sent.header.id), 3u) << "no sequence was lost";
  ASSERT_EQ(b.entries.size(), 2u);
  EXPECT_EQ(b.entries[1].sequence, 2u);
  EXPECT_TRUE(world.router->healthy());
}

TEST_P(Failure, What_was_decided_on_top_of_a_failed_batch_is_refused_with_it) {
  world.hold_commits = true;
  const auto first = alice.application(talk, world.now);
  const auto second = alice.application(talk, world.now);
  a.submit(first);   // out to the disk
  a.submit(second);  // decided on top of it
  const auto reply = bob.application(talk, world.now);
  b.submit(reply);
  world.store.fail_commits(GetParam());
  world.commit_one();
  world.store.fail_commits(std::nullopt);
  world.hold_commits = false;
  world.run();
  EXPECT_EQ(a.rejections.size(), 2u);
  EXPECT_EQ(b.rejections.size(), 1u);
  EXPECT_EQ(a.accepted.size(), 2u) << "only the opening";
  EXPECT_TRUE(a.entries.empty());
  for (const auto* again : {&first, &second})
    a.submit(*again);
  b.submit(reply);
  EXPECT_EQ(a.accepted.size(), 4u);
  EXPECT_EQ(b.entries.size(), 3u);
  EXPECT_EQ(a.entries.size(), 1u);
}

TEST_P(Failure, A_loser_of_a_commit_that_never_was_is_told_to_come_again) {
  world.hold_commits = true;
  b.submit(bob.update(talk, alice, world.now));
  const auto loser = alice.update(talk, bob, world.now);
  a.submit(loser);
  world.store.fail_commits(GetParam());
  world.commit_one();
  world.store.fail_commits(std::nullopt);
  world.hold_commits = false;
  world.run();
  ASSERT_EQ(a.rejections.size(), 1u);
  EXPECT_EQ(a.rejections[0].code, wire::Code::unavailable);
  a.submit(loser);
  EXPECT_TRUE(a.accepted.contains(loser.header.id));
}

TEST_P(Failure, A_conversation_whose_opening_failed_does_not_exist) {
  const auto other = world.conversation_id();
  const auto bundle = alice.opening(other, bob, world.now);
  world.store.fail_commits(GetParam());
  a.submit(bundle);
  a.submit(alice.application(other, world.now));
  world.store.fail_commits(std::nullopt);
  EXPECT_EQ(a.rejections.size(), 2u);
  EXPECT_FALSE(*world.store.read_conversation(other));
  a.submit(bundle);
  EXPECT_TRUE(a.accepted.contains(bundle[1].header.id));
}

TEST_P(Failure, Calls_fail_and_change_nothing) {
  world.store.fail_commits(GetParam());
  auto carol = world.agent();
  EXPECT_EQ(a.set_contact(carol.id(), wire::Contact::allowed), wire::Code::unavailable);
  world.store.fail_commits(std::nullopt);
  Client& c = world.connect(carol);
  c.submit(carol.letter(alice, world.now));
  ASSERT_EQ(c.rejections.size(), 1u);
  EXPECT_EQ(c.rejections[0].code, wire::Code::denied);
}

TEST_P(Failure, A_new_agent_gets_no_Ready_and_can_come_again) {
  world.store.fail_commits(GetParam());
  auto carol = world.agent();
  Client& refused = world.connect(carol);
  EXPECT_FALSE(refused.ready);
  EXPECT_EQ(refused.closed, GetParam());
  world.store.fail_commits(std::nullopt);
  EXPECT_TRUE(world.connect(carol).ready);
}

TEST_P(Failure, An_Ack_that_did_not_reach_the_disk_is_made_good_by_the_next) {
  a.submit(alice.application(talk, world.now));
  world.store.fail_commits(GetParam());
  b.ack(1);
  world.store.fail_commits(std::nullopt);
  EXPECT_EQ(world.store.items(), 2u);
  b.ack(2);
  EXPECT_EQ(world.store.items(), 0u);
  EXPECT_FALSE(b.closed);
}

TEST_P(Failure, A_Nack_that_did_not_reach_the_disk_is_told_again_in_the_next_session) {
  const auto sent = alice.application(talk, world.now);
  a.submit(sent);
  const auto sequence = b.entries.back().sequence;
  world.store.fail_commits(GetParam());
  b.nack(sequence, sent.header.id, sent.digest);
  EXPECT_EQ(b.closed, GetParam()) << "a Nack has no answer that could be an error";
  world.store.fail_commits(std::nullopt);
  Client& again = world.connect(bob);
  again.nack(sequence, sent.header.id, sent.digest);
  EXPECT_FALSE(again.closed);
  EXPECT_EQ(a.entries.back().type, wire::Item::Refused);
}

TEST_P(Failure, While_even_reading_fails_everything_is_refused_and_then_it_goes_on) {
  const auto sent = alice.application(talk, world.now);
  world.hold_commits = true;
  a.submit(sent);
  world.store.fail_commits(GetParam());
  world.store.fail_reads(Errc::store_failed);
  world.hold_commits = false;
  world.commit_one();
  EXPECT_EQ(a.rejections.size(), 1u);
  b.submit(bob.application(talk, world.now));
  EXPECT_EQ(b.closed, Errc::store_failed);
  world.store.fail_commits(std::nullopt);
  world.store.fail_reads(std::nullopt);
  Client& b2 = world.connect(bob);
  a.submit(sent);
  EXPECT_TRUE(a.accepted.contains(sent.header.id));
  EXPECT_EQ(b2.entries.back().envelope, sent.bytes);
}

TEST_P(Failure, A_broker_that_nobody_uses_finds_out_that_there_is_room_again) {
  world.store.fail_commits(GetParam());
  a.submit(alice.application(talk, world.now));
  EXPECT_FALSE(world.router->healthy());
  world.store.fail_commits(std::nullopt);
  world.tick(6 * kSecondMs);
  EXPECT_TRUE(world.router->healthy());
}

INSTANTIATE_TEST_SUITE_P(Of, Failure, ::testing::Values(Errc::store_full, Errc::store_failed),
                         [](const auto& of) { return std::string(name(of.param)); });

TEST(Failure_, Nothing_is_told_before_its_commit) {
  World world;
  auto alice = world.agent();
  auto bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);
  const auto talk = world.introduce(a, b);
  world.hold_commits = true;
  const auto sent = alice.application(talk, world.now);
  a.submit(sent);
  EXPECT_FALSE(a.accepted.contains(sent.header.id));
  EXPECT_EQ(b.entries.size(), 1u);
  world.commit_one();
  EXPECT_TRUE(a.accepted.contains(sent.header.id));
  EXPECT_EQ(b.entries.size(), 2u);
}

}  // namespace
}  // namespace sealwire::test

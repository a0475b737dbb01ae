// Default deny: who may reach whom, before anything is stored and again when it is delivered.
#include <gtest/gtest.h>

#include "broker/item.h"
#include "tests/broker/world.h"

namespace sealwire::test {
namespace {

using namespace sealwire::broker;

class Policy : public ::testing::Test {
 protected:
  World world;
  WorldAgent alice = world.agent();
  WorldAgent bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);

  wire::Code code_of_refusal(const GotEntry& entry) {
    const auto refusal =
        verified_root<wire::Refusal>(entry.statements.at(0).statement, "SWNK", Errc::frame_field);
    EXPECT_TRUE(refusal);
    EXPECT_TRUE(
        verify_statement(world.broker_key.public_bytes(), label::kRefusal, entry.statements[0]));
    return refusal ? (*refusal)->code() : wire::Code::ok;
  }
};

TEST_F(Policy, Nobody_reaches_an_agent_that_has_not_allowed_it) {
  a.submit(alice.letter(bob, world.now));
  a.submit(alice.opening(world.conversation_id(), bob, world.now));
  EXPECT_EQ(a.set_contact(bob.id(), wire::Contact::allowed), wire::Code::ok);
  a.submit(alice.letter(bob, world.now));  // allowing Bob does not make Bob allow
  ASSERT_EQ(a.rejections.size(), 3u);
  for (const auto& rejection : a.rejections)
    EXPECT_EQ(rejection.code, wire::Code::denied);
  EXPECT_TRUE(b.entries.empty());
  EXPECT_EQ(world.store.items(), 0u);
}

TEST_F(Policy, An_unknown_agent_is_refused_exactly_as_one_that_does_not_allow) {
  const auto nobody = world.agent();
  a.submit(alice.letter(bob, world.now));
  a.submit(alice.letter(nobody, world.now));
  ASSERT_EQ(a.rejections.size(), 2u);
  EXPECT_EQ(a.rejections[0].code, a.rejections[1].code);
  for (const AgentId& id : {bob.id(), nobody.id()}) {
    flatbuffers::FlatBufferBuilder lookup, claim;
    EXPECT_EQ(a.reply_code(a.call(lookup, wire::CreateLookup(lookup, put(lookup, id.bytes)))),
              wire::Code::denied);
    EXPECT_EQ(a.reply_code(a.call(claim, wire::CreateClaim(claim, put(claim, id.bytes)))),
              wire::Code::denied);
    EXPECT_EQ(a.set_contact(id, wire::Contact::allowed), wire::Code::ok);
  }
}

TEST_F(Policy, A_letter_of_an_allowed_sender_arrives) {
  EXPECT_EQ(b.set_contact(alice.id(), wire::Contact::allowed), wire::Code::ok);
  const auto letter = alice.letter(bob, world.now);
  a.submit(letter);
  EXPECT_EQ(a.accepted.at(letter.header.id), 0u);
  ASSERT_EQ(b.entries.size(), 1u);
  EXPECT_EQ(b.entries[0].envelope, letter.bytes);
}

TEST_F(Policy, A_contact_may_be_allowed_before_it_was_ever_here) {
  auto carol = world.agent();
  EXPECT_EQ(a.set_contact(carol.id(), wire::Contact::allowed), wire::Code::ok);
  Client& c = world.connect(carol);
  c.submit(carol.letter(alice, world.now));
  EXPECT_EQ(a.entries.size(), 1u);
}

TEST_F(Policy, Blocking_takes_effect_at_once_in_a_conversation_that_runs) {
  const auto talk = world.introduce(a, b);
  a.submit(alice.application(talk, world.now));
  EXPECT_EQ(b.set_contact(alice.id(), wire::Contact::blocked), wire::Code::ok);
  const auto delivered = b.entries.size();
  a.submit(alice.application(talk, world.now));
  ASSERT_EQ(a.rejections.size(), 1u);
  EXPECT_EQ(a.rejections[0].code, wire::Code::denied);
  EXPECT_EQ(b.entries.size(), delivered);
}

TEST_F(Policy, What_waited_when_its_sender_was_blocked_is_withheld_and_the_sender_is_told) {
  const auto talk = world.introduce(a, b);
  b.ack(1);
  world.disconnect(b);
  const auto waiting = alice.application(talk, world.now, "secret plan");
  a.submit(waiting);
  Client& again = world.connect_mute(bob);
  EXPECT_EQ(again.set_contact(alice.id(), wire::Contact::blocked), wire::Code::ok);
  again.credit(100, 100'000);
  ASSERT_EQ(again.entries.size(), 1u);
  EXPECT_EQ(again.entries[0].type, wire::Item::Tombstone);
  EXPECT_EQ(link_of(again.entries[0].remains.header, again.entries[0].remains.body_hash),
            waiting.link)
      << "the chain still verifies";
  ASSERT_EQ(a.entries.size(), 1u);
  EXPECT_EQ(a.entries[0].type, wire::Item::Refused);
  EXPECT_EQ(code_of_refusal(a.entries[0]), wire::Code::denied);
}

TEST_F(Policy, What_was_decided_before_the_block_and_committed_after_it_is_withheld_too) {
  const auto talk = world.introduce(a, b);
  world.hold_commits = true;
  a.submit(alice.application(talk, world.now));  // out
  flatbuffers::FlatBufferBuilder fb;
  b.call(fb, wire::CreateSetContact(fb, put(fb, alice.id().bytes), wire::Contact::blocked));
  world.hold_commits = false;
  world.commit_one();
  world.run();
  ASSERT_EQ(b.entries.size(), 2u);
  EXPECT_EQ(b.entries[1].type, wire::Item::Tombstone);
}

TEST_F(Policy, The_broker_own_notices_reach_an_agent_that_allows_nobody) {
  const auto talk = world.introduce(a, b);
  const auto sent = alice.application(talk, world.now);
  a.submit(sent);
  EXPECT_EQ(a.set_contact(bob.id(), wire::Contact::blocked), wire::Code::ok);
  b.nack(2, sent.header.id, sent.digest);
  ASSERT_EQ(a.entries.size(), 1u);
  EXPECT_EQ(a.entries[0].type, wire::Item::Refused);
}

}  // namespace
}  // namespace sealwire::test

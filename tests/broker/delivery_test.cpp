// Mailboxes: credit, acknowledgement, resumption, expiry, quotas.
#include <gtest/gtest.h>

#include "broker/item.h"
#include "tests/broker/world.h"

namespace sealwire::test {
namespace {

using namespace sealwire::broker;

class Delivery_ : public ::testing::Test {
 protected:
  World world;
  WorldAgent alice = world.agent();
  WorldAgent bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);
  const ConversationId talk = world.introduce(a, b);  // Bob's entry 1 is the welcome

  void send(int count, std::string_view body = "body") {
    for (int i = 0; i < count; ++i)
      a.submit(alice.application(talk, world.now, body));
  }
  static std::vector<std::uint64_t> sequences(const Client& client) {
    std::vector<std::uint64_t> all;
    for (const GotEntry& entry : client.entries)
      all.push_back(entry.sequence);
    return all;
  }
};

using Sequences = std::vector<std::uint64_t>;

TEST_F(Delivery_, Nothing_is_delivered_without_credit_and_nothing_beyond_it) {
  world.disconnect(b);
  send(9);
  Client& slow = world.connect_mute(bob);
  EXPECT_TRUE(slow.entries.empty());
  slow.credit(3, 1'000'000);
  EXPECT_EQ(sequences(slow), (Sequences{1, 2, 3}));
  slow.credit(5, 1'000'000);
  EXPECT_EQ(sequences(slow), (Sequences{1, 2, 3, 4, 5}));
  slow.credit(5, 2'000'000);
  EXPECT_EQ(slow.entries.size(), 5u);
}

TEST_F(Delivery_, Byte_credit_counts_to_the_byte) {
  world.disconnect(b);
  send(2);
  Client& probe = world.connect(bob);
  const auto size = [&](std::size_t i) { return probe.entries.at(i).credit_bytes; };
  Client& slow = world.connect_mute(bob);
  slow.credit(100, size(0) + size(1) + size(2) - 1);
  EXPECT_EQ(slow.entries.size(), 2u);
  slow.credit(100, size(0) + size(1) + size(2));
  EXPECT_EQ(slow.entries.size(), 3u);
}

TEST_F(Delivery_, A_slow_consumer_slows_only_itself_and_gets_all_in_order_later) {
  auto carol = world.agent();
  Client& c = world.connect(carol);
  const auto other = world.introduce(a, c);
  Client& slow = world.connect_mute(bob);
  for (int i = 0; i < 50; ++i) {
    send(1);
    a.submit(alice.application(other, world.now));
  }
  EXPECT_EQ(c.entries.size(), 51u);
  EXPECT_TRUE(slow.entries.empty());
  slow.credit(1000, 1ull << 30);
  ASSERT_EQ(slow.entries.size(), 51u);
  for (std::size_t i = 0; i < 51; ++i)
    EXPECT_EQ(slow.entries[i].sequence, i + 1);
}

TEST_F(Delivery_, A_blocked_channel_is_given_nothing_until_it_takes_frames_again) {
  world.feed(FlowChanged{b.door.connection, true});
  send(3);
  EXPECT_EQ(b.entries.size(), 1u);
  world.feed(FlowChanged{b.door.connection, false});
  EXPECT_EQ(sequences(b), (Sequences{1, 2, 3, 4}));
}

TEST_F(Delivery_, What_was_acknowledged_does_not_come_again_and_what_was_not_does) {
  send(4);
  b.ack(3);
  Client& again = world.connect(bob);
  EXPECT_EQ(again.ready->mailbox_acked, 3u);
  EXPECT_EQ(again.ready->mailbox_last, 5u);
  EXPECT_EQ(sequences(again), (Sequences{4, 5}));
  again.ack(5);
  EXPECT_EQ(world.store.items(), 0u) << "the bodies are gone";
}

TEST_F(Delivery_, The_resume_cursor_acknowledges_for_this_incarnation_of_the_broker_only) {
  send(4);
  const auto incarnation = world.router->incarnation();
  Client& foreign = world.connect(bob, {.acked = 4, .incarnation = BrokerIncarnation{{9}}});
  EXPECT_EQ(sequences(foreign), (Sequences{1, 2, 3, 4, 5}));
  Client& resumed = world.connect(bob, {.acked = 4, .incarnation = incarnation});
  EXPECT_EQ(sequences(resumed), (Sequences{5}));
}

TEST_F(Delivery_, DLV_035_A_resume_cursor_beyond_the_end_is_refused_and_skips_nothing) {
  send(4);
  const auto incarnation = world.router->incarnation();
  Client& beyond = world.connect(bob, {.acked = 99, .incarnation = incarnation});
  EXPECT_FALSE(beyond.ready);
  EXPECT_EQ(beyond.closed, Errc::frame_unexpected);
  EXPECT_EQ(sequences(world.connect(bob)), (Sequences{1, 2, 3, 4, 5}));
}

TEST_F(Delivery_, An_Ack_of_what_was_never_delivered_ends_the_session) {
  Client& slow = world.connect_mute(bob);
  send(2);
  slow.ack(1);
  EXPECT_EQ(slow.closed, Errc::frame_unexpected);
}

TEST_F(Delivery_, A_restarted_broker_goes_on_exactly_where_it_was) {
  send(5);
  b.ack(2);
  world.restart();
  Client& a2 = world.connect(alice);
  Client& b2 = world.connect(bob);
  EXPECT_EQ(sequences(b2), (Sequences{3, 4, 5, 6}));
  const auto next = alice.application(talk, world.now);
  a2.submit(next);
  EXPECT_EQ(a2.accepted.at(next.header.id), 8u) << "the conversation's sequence goes on";
  EXPECT_EQ(b2.entries.back().sequence, 7u) << "and the mailbox's";
  EXPECT_TRUE(a2.rejections.empty()) << "and the chain";
}

TEST_F(Delivery_, An_expired_envelope_becomes_a_tombstone_and_its_sender_is_told_once) {
  world.disconnect(b);
  const auto doomed = alice.application(talk, world.now, "too late");
  a.submit(doomed);
  world.tick(2 * kHourMs);
  world.tick(10 * kSecondMs);
  ASSERT_TRUE(a.closed) << "idle for two hours";
  Client& a2 = world.connect(alice);
  ASSERT_EQ(a2.entries.size(), 1u);
  EXPECT_EQ(a2.entries[0].type, wire::Item::Refused);
  Client& b2 = world.connect(bob);
  ASSERT_EQ(b2.entries.size(), 2u);
  EXPECT_EQ(b2.entries[0].type, wire::Item::Delivery) << "a welcome does not expire";
  EXPECT_EQ(b2.entries[1].type, wire::Item::Tombstone);
  const auto header = decode_header(b2.entries[1].remains.header);
  ASSERT_TRUE(header);
  EXPECT_TRUE(verify_remains(*header, b2.entries[1].remains.header, b2.entries[1].remains.body_hash,
                             b2.entries[1].remains.signature));
}

TEST_F(Delivery_, Many_that_expire_at_once_are_buried_in_as_many_ticks_as_it_takes) {
  world.disconnect(b);
  send(600);
  world.tick(2 * kHourMs);
  EXPECT_LT(world.metrics.envelopes_expired.load(), 600u) << "some at a time";
  world.tick(100);
  world.tick(100);
  EXPECT_EQ(world.metrics.envelopes_expired.load(), 600u);
}

TEST_F(Delivery_, What_expires_between_two_sweeps_is_not_delivered_either) {
  Client& slow = world.connect_mute(bob);
  a.submit(alice.application(talk, world.now));
  world.now = world.now + 2 * kHourMs;
  slow.credit(100, 100'000);
  ASSERT_EQ(slow.entries.size(), 2u);
  EXPECT_EQ(slow.entries[1].type, wire::Item::Tombstone);
}

TEST_F(Delivery_, A_Nack_is_forwarded_and_counts_as_acknowledged_in_its_turn_only) {
  const auto first = alice.application(talk, world.now);
  const auto second = alice.application(talk, world.now);
  a.submit(first);
  a.submit(second);
  b.nack(3, second.header.id, second.digest);
  b.nack(3, second.header.id, second.digest);
  ASSERT_EQ(a.entries.size(), 1u) << "told once";
  EXPECT_EQ(a.entries[0].type, wire::Item::Refused);
  EXPECT_TRUE(verify_statement(bob.instance().bytes, label::kRefusal, a.entries[0].statements[0]));
  Client& again = world.connect(bob);
  EXPECT_EQ(again.ready->mailbox_acked, 0u) << "entries 1 and 2 were not acknowledged";
  again.nack(3, second.header.id, second.digest);
  again.ack(2);
  EXPECT_EQ(world.connect(bob).ready->mailbox_acked, 3u);
}

TEST_F(Delivery_, A_Nack_that_names_another_envelope_ends_the_session) {
  const auto sent = alice.application(talk, world.now);
  a.submit(sent);
  b.nack(1, sent.header.id, sent.digest);
  EXPECT_EQ(b.closed, Errc::frame_unexpected);
  EXPECT_TRUE(a.entries.empty());
}

TEST_F(Delivery_, A_full_mailbox_refuses_and_takes_again_when_there_is_room) {
  world.config.mailbox_entries_max = 3;
  world.restart();
  Client& a2 = world.connect(alice);
  Client& b2 = world.connect_mute(bob);
  a2.submit(alice.application(talk, world.now));
  a2.submit(alice.application(talk, world.now));
  const ChainView before = alice.chain(talk);
  a2.submit(alice.application(talk, world.now));
  ASSERT_EQ(a2.rejections.size(), 1u);
  EXPECT_EQ(a2.rejections[0].code, wire::Code::quota_exceeded);
  alice.chain(talk) = before;
  b2.credit(100, 100'000);
  b2.ack(2);
  const auto retried = alice.application(talk, world.now);
  a2.submit(retried);
  EXPECT_TRUE(a2.accepted.contains(retried.header.id));
}

TEST_F(Delivery_, A_mailbox_has_a_quota_of_bytes_that_acknowledging_frees) {
  world.config.mailbox_bytes_max = 4000;
  world.restart();
  Client& a2 = world.connect(alice);
  Client& b2 = world.connect(bob);
  const std::string body(1500, 'x');
  a2.submit(alice.application(talk, world.now, body));
  const ChainView before = alice.chain(talk);
  a2.submit(alice.application(talk, world.now, body));
  ASSERT_EQ(a2.rejections.size(), 1u);
  EXPECT_EQ(a2.rejections[0].code, wire::Code::quota_exceeded);
  alice.chain(talk) = before;
  b2.ack(2);
  a2.submit(alice.application(talk, world.now, body));
  EXPECT_EQ(a2.rejections.size(), 1u);
}

TEST_F(Delivery_, A_sender_beyond_its_rate_is_limited_and_recovers) {
  world.config.sends = {10, 10};
  world.restart();
  Client& a2 = world.connect(alice);
  ChainView before = alice.chain(talk);
  for (int i = 0; i < 11; ++i) {
    before = alice.chain(talk);
    a2.submit(alice.application(talk, world.now));
  }
  ASSERT_EQ(a2.rejections.size(), 1u);
  EXPECT_EQ(a2.rejections[0].code, wire::Code::rate_limited);
  alice.chain(talk) = before;
  world.now = world.now + kSecondMs;
  a2.submit(alice.application(talk, world.now));
  EXPECT_EQ(a2.rejections.size(), 1u);
}

TEST_F(Delivery_, Ids_are_forgotten_only_a_day_after_expiry) {
  const auto sent = alice.application(talk, world.now);
  a.submit(sent);
  const auto sender = world.store.load()->agents.at(0).number;
  const auto known = [&] { return world.store.find_id(sender, sent.header.id)->has_value(); };
  world.tick(kHourMs + limits::kIdRetentionMs - 1);
  EXPECT_TRUE(known());
  world.tick(kHourMs);
  EXPECT_FALSE(known());
}

}  // namespace
}  // namespace sealwire::test

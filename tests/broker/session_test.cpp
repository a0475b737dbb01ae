// Sessions: who gets one, how long it lasts, how it ends.
#include <gtest/gtest.h>

#include "broker/frames_out.h"
#include "tests/broker/world.h"
#include "tests/support/envelopes.h"

namespace sealwire::test {
namespace {

using namespace sealwire::broker;

TEST(Session, Ready_tells_the_state_of_mailbox_and_store) {
  World world;
  auto alice = world.agent();
  Client& a = world.connect(alice);
  ASSERT_TRUE(a.ready);
  EXPECT_EQ(a.ready->incarnation, world.router->incarnation());
  EXPECT_EQ(a.ready->broker, world.broker_key.public_key<BrokerKey>());
  EXPECT_EQ(a.ready->mailbox_last, 0u);
  EXPECT_EQ(a.ready->now, world.now);
}

TEST(Session, Every_frame_of_an_unbound_session_is_sealed_both_ways) {
  World world;
  auto alice = world.agent();
  Client& a = world.connect(alice, {.binding = wire::Binding::none});
  ASSERT_TRUE(a.ready);
  flatbuffers::FlatBufferBuilder b;
  a.send(finish_frame(b, wire::CreatePing(b, 7)));
  EXPECT_EQ(a.pongs, std::vector<std::uint64_t>{7});
  // The same frame in clear does not open.
  flatbuffers::FlatBufferBuilder c;
  const auto clear = ingress(a.door, finish_frame(c, wire::CreatePing(c, 8)), world.now);
  ASSERT_FALSE(clear);
  EXPECT_EQ(clear.error().code, Errc::frame_unsealed);
}

TEST(Session, An_operation_before_Proof_ends_the_connection_and_reaches_no_router) {
  World world;
  Doorway door(1, world.broker_key, {}, {}, world.random, VerificationMode::every_envelope);
  const auto early = ingress(door, send_frame({{Bytes(8)}}), world.now);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::frame_unexpected);
}

TEST(Session, A_frame_between_Proof_and_Ready_is_refused) {
  World world;
  world.hold_commits = true;
  auto alice = world.agent();
  Client& a = world.connect(alice);
  EXPECT_FALSE(a.ready);
  const auto early = ingress(a.door, send_frame({{Bytes(8)}}), world.now);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::frame_unexpected);
}

TEST(Session, A_frame_that_only_the_broker_sends_is_refused) {
  World world;
  auto alice = world.agent();
  Client& a = world.connect(alice);
  a.send(frames::done(1));
  EXPECT_EQ(a.closed, Errc::frame_unexpected);
}

TEST(Session, Before_Proof_a_frame_over_16_KiB_is_refused) {
  World world;
  Doorway door(1, world.broker_key, {}, {}, world.random, VerificationMode::every_envelope);
  const auto large = ingress(door, Bytes(limits::kFrameBytesBeforeProof + 1), world.now);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Errc::frame_too_large);
}

TEST(Session, A_newer_session_closes_the_older_as_replaced_when_it_is_ready) {
  World world;
  auto alice = world.agent();
  Client& old = world.connect(alice);
  world.hold_commits = true;
  Client& fresh = world.connect(alice);
  EXPECT_FALSE(old.closed) << "before the newer one is Ready";
  world.commit_one();
  EXPECT_TRUE(fresh.ready);
  EXPECT_EQ(old.closed, Errc::replaced);
}

TEST(Session, A_silent_peer_is_pinged_and_then_closed) {
  World world;
  auto alice = world.agent();
  Client& a = world.connect(alice);
  world.tick(limits::kPingIntervalMs);
  EXPECT_EQ(a.pings.size(), 1u);
  world.tick(limits::kIdleMs - limits::kPingIntervalMs);
  EXPECT_EQ(a.closed, Errc::idle_timeout);
}

TEST(Session, A_peer_that_says_something_stays) {
  World world;
  auto alice = world.agent();
  Client& a = world.connect(alice);
  for (int i = 0; i < 5; ++i) {
    world.tick(limits::kIdleMs - 1);
    flatbuffers::FlatBufferBuilder b;
    a.send(finish_frame(b, wire::CreatePong(b, 0)));
  }
  EXPECT_FALSE(a.closed);
}

TEST(Session, Without_an_invite_an_unknown_agent_is_not_admitted_and_leaves_no_trace) {
  World world;
  world.config.admission = Admission::invite;
  world.restart();
  auto stranger = world.agent();
  Client& s = world.connect(stranger);
  EXPECT_FALSE(s.ready);
  EXPECT_EQ(s.closed, Errc::not_admitted);
  EXPECT_TRUE(world.store.load()->agents.empty());
}

TEST(Session, Beyond_the_cap_of_agents_those_who_are_known_come_and_no_other) {
  World world;
  world.config.agents_max = 1;
  world.restart();
  auto alice = world.agent();
  auto bob = world.agent();
  EXPECT_TRUE(world.connect(alice).ready);
  EXPECT_EQ(world.connect(bob).closed, Errc::not_admitted);
  EXPECT_TRUE(world.connect(alice).ready);
  EXPECT_EQ(world.store.load()->agents.size(), 1u);
}

TEST(Session, A_listed_agent_is_admitted_and_known_ever_after) {
  World world;
  auto alice = world.agent();
  world.config.admission = Admission::invite;
  world.config.admitted = {alice.id()};
  world.restart();
  EXPECT_TRUE(world.connect(alice).ready);
  world.config.admitted.clear();
  world.restart();
  EXPECT_TRUE(world.connect(alice).ready);
}

TEST(Session, Draining_refuses_what_is_new_and_finishes_what_was_begun) {
  World world;
  auto alice = world.agent();
  auto bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);
  const auto talk = world.introduce(a, b);
  world.hold_commits = true;
  const auto begun = alice.application(talk, world.now);
  a.submit(begun);
  world.feed(DrainRequested{});
  const auto late = alice.application(talk, world.now);
  a.submit(late);
  EXPECT_FALSE(world.router->drained());
  world.hold_commits = false;
  world.commit_one();
  world.run();
  EXPECT_TRUE(a.accepted.contains(begun.header.id));
  EXPECT_EQ(b.entries.back().envelope, begun.bytes);
  ASSERT_EQ(a.rejections.size(), 1u);
  EXPECT_EQ(a.rejections[0].code, wire::Code::closing);
  EXPECT_TRUE(world.router->drained());
  EXPECT_EQ(a.closed, Errc::draining);
  EXPECT_EQ(b.closed, Errc::draining);
  auto carol = world.agent();
  EXPECT_EQ(world.connect(carol).closed, Errc::draining);
}

TEST(Session, What_the_older_session_acknowledges_while_the_newer_opens_is_not_looked_for) {
  World world;
  auto alice = world.agent();
  auto bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);
  const auto talk = world.introduce(a, b);
  a.submit(alice.application(talk, world.now));
  ASSERT_EQ(b.entries.size(), 2u);
  world.hold_commits = true;
  Client& fresh = world.connect_mute(bob);
  b.ack(2);  // decided after the newer session, before it is Ready
  world.commit_one();
  ASSERT_TRUE(fresh.ready);
  world.commit_one();
  world.hold_commits = false;
  fresh.credit(10, 1 << 20);
  EXPECT_FALSE(fresh.closed) << "for an entry that has gone";
  const auto next = alice.application(talk, world.now);
  a.submit(next);
  ASSERT_EQ(fresh.entries.size(), 1u);
  EXPECT_EQ(fresh.entries[0].envelope, next.bytes);
}

TEST(Session, Credit_that_is_taken_back_ends_the_session) {
  World world;
  auto alice = world.agent();
  Client& a = world.connect_mute(alice);
  a.credit(10, 100);
  a.credit(9, 100);
  EXPECT_EQ(a.closed, Errc::frame_field);
}

TEST(Session, What_a_router_is_told_of_unknown_connections_does_nothing) {
  World world;
  auto alice = world.agent();
  world.connect(alice);
  const auto commits = world.store.commits();
  std::vector<Event> events;
  events.push_back(Acknowledged{77, 1});
  events.push_back(CreditGranted{77, 1, 1});
  events.push_back(Pinged{77, 1});
  events.push_back(FlowChanged{77, true});
  world.router->on_events(events, world.now);
  EXPECT_FALSE(world.router->take_batch());
  EXPECT_TRUE(world.router->take_outputs().empty());
  EXPECT_EQ(world.store.commits(), commits);
}

}  // namespace
}  // namespace sealwire::test

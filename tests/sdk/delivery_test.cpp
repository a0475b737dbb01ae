// Two real cores and a real router: what is sent arrives, once, in order, whatever is cut or
// restarted in between.
#include <gtest/gtest.h>

#include "protocol/limits.h"
#include "tests/sdk/net.h"

namespace sealwire::test {
namespace {

std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i < to; ++i)
    all.push_back(std::to_string(i));
  return all;
}

TEST(SdkDelivery, FirstMessageOpensTheConversationAndArrives) {
  Net net;
  auto [alice, bob] = net.pair();
  const auto ticket = alice->send(*bob, "hello");
  net.run();
  ASSERT_EQ(bob->texts(), std::vector<std::string>{"hello"});
  EXPECT_EQ(bob->received[0].from, alice->id());
  const Outcome& outcome = alice->outcome(ticket);
  EXPECT_TRUE(outcome.stored);
  ASSERT_TRUE(outcome.done && *outcome.done);
  EXPECT_EQ(outcome.id, bob->received[0].id);
  EXPECT_EQ(**outcome.done, bob->received[0].sequence);
  EXPECT_EQ(alice->conversations(*bob).size(), 1u);
  EXPECT_EQ(bob->conversations(*alice).size(), 1u);
}

TEST(SdkDelivery, WorksOnASealedSessionToo) {
  Net net(2, wire::Binding::none);
  auto [alice, bob] = net.pair();
  alice->send(*bob, "over an unbound channel");
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"over an unbound channel"});
}

TEST(SdkDelivery, BothWaysManyInOrder) {
  Net net;
  auto [alice, bob] = net.pair();
  for (int i = 0; i < 300; ++i) {
    alice->send(*bob, std::to_string(i));
    if (i % 7 == 0) net.run();
    if (i % 3 == 0) bob->send(*alice, std::to_string(i));
  }
  net.run();
  EXPECT_EQ(bob->texts(), numbers(0, 300));
  EXPECT_EQ(alice->texts().size(), 100u);
}

TEST(SdkDelivery, BothSidesOpeningAtOnceAgreeOnOneConversation) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "from alice");
  bob->send(*alice, "from bob");
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"from alice"});
  EXPECT_EQ(alice->texts(), std::vector<std::string>{"from bob"});
  EXPECT_EQ(alice->conversations(*bob).size(), 2u) << "both did open one";
  alice->received.clear();
  bob->received.clear();
  alice->send(*bob, "again");
  bob->send(*alice, "again");
  net.run();
  ASSERT_EQ(alice->received.size(), 1u);
  ASSERT_EQ(bob->received.size(), 1u);
  EXPECT_EQ(alice->received[0].conversation, bob->received[0].conversation);
}

TEST(SdkDelivery, WhatWasSentOfflineLeavesAfterReconnect) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->reachable = false;
  alice->cut();
  for (int i = 0; i < 20; ++i)
    alice->send(*bob, std::to_string(i));
  net.run();
  EXPECT_TRUE(bob->received.empty());
  alice->restart();  // plaintext waited on disk
  net.run();
  alice->reachable = true;
  net.pass(kMinuteMs);
  EXPECT_EQ(bob->texts(), numbers(0, 20));
}

TEST(SdkDelivery, RestartAtAnyFrameLosesAndRepeatsNothing) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Net net(seed);
    auto [alice, bob] = net.pair();
    SeededRandom dice(seed * 7919);
    // Frames are lost with their connection, in either direction, and processes with them.
    const auto lossy = [&](NetAgent&, Bytes frame) -> std::optional<Bytes> {
      std::array<std::uint8_t, 1> draw{};
      dice.fill(draw);
      if (draw[0] < 12) return std::nullopt;
      return frame;
    };
    int sent = 0;
    std::vector<std::string> got;
    for (int round = 0; round < 12; ++round) {
      net.on_the_way_to_broker = net.on_the_way_to_agent = lossy;
      for (int i = 0; i < 10; ++i) {
        alice->send(*bob, std::to_string(sent++));
        bob->send(*alice, "x");
      }
      net.run();
      net.on_the_way_to_broker = net.on_the_way_to_agent = nullptr;
      const auto texts = bob->texts();
      got.insert(got.end(), texts.begin(), texts.end());
      bob->acknowledge_all();
      net.pass(kSecondMs);  // acknowledgements may wait a little for company on disk
      if (round % 2 == 0) {
        alice->restart();
        bob->cut();
      } else {
        bob->restart();
        alice->cut();
      }
      if (round % 4 == 3) net.restart_broker();
      net.pass(2 * kMinuteMs);
      ASSERT_FALSE(alice->fatal) << alice->fatal->detail;
      ASSERT_FALSE(bob->fatal) << bob->fatal->detail;
    }
    net.pass(3 * kMinuteMs);
    const auto texts = bob->texts();
    got.insert(got.end(), texts.begin(), texts.end());
    EXPECT_EQ(got, numbers(0, sent));
  }
}

TEST(SdkDelivery, UnacknowledgedMessagesComeAgainAfterARestartWithTheSameId) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  alice->send(*bob, "two");
  net.run();
  const MessageId second = bob->received[1].id;
  bob->core->acknowledge(bob->received[0].number, false);
  net.pass(kSecondMs);
  bob->restart();
  net.run();
  ASSERT_EQ(bob->texts(), std::vector<std::string>{"two"});
  EXPECT_EQ(bob->received[0].id, second);
}

TEST(SdkDelivery, CoalescesOnlyWhenBehind) {
  Net net;
  NetAgent& alice = net.add("alice", [] {
    sdk::Config config;
    config.window = 4;
    return config;
  }());
  NetAgent& bob = net.add("bob");
  net.run();
  alice.add(bob);
  bob.add(alice);
  net.run();
  for (int i = 0; i < 4; ++i)
    alice.send(bob, std::to_string(i));
  net.run();
  const auto envelopes = [&] {
    std::set<EnvelopeId> ids;
    for (const sdk::Received& message : bob.received)
      ids.insert(*EnvelopeId::from(message.id.span().first(16)));
    return ids.size();
  };
  EXPECT_EQ(envelopes(), 4u) << "not behind: each its own envelope";
  for (int i = 4; i < 200; ++i)
    alice.send(bob, std::to_string(i));
  net.run();
  EXPECT_EQ(bob.texts(), numbers(0, 200));
  EXPECT_LT(envelopes(), 20u);
  for (sdk::Ticket ticket = 1; ticket <= 200; ++ticket) {
    ASSERT_TRUE(alice.outcome(ticket).done && *alice.outcome(ticket).done) << ticket;
    EXPECT_EQ(alice.outcome(ticket).id, bob.received[ticket - 1].id);
  }
}

TEST(SdkDelivery, ASlowApplicationStopsTheBrokerNotTheSession) {
  Net net;
  NetAgent& alice = net.add("alice");
  NetAgent& bob = net.add("bob", [] {
    sdk::Config config;
    config.inbox_messages_max = 10;
    return config;
  }());
  net.run();
  alice.add(bob);
  bob.add(alice);
  net.run();
  for (int i = 0; i < 100; ++i)
    alice.send(bob, std::to_string(i));
  net.run();
  EXPECT_LE(bob.received.size(), 10u);
  std::vector<std::string> got;
  for (int round = 0; round < 200 && got.size() < 100; ++round) {
    for (const std::string& text : bob.texts())
      got.push_back(text);
    bob.acknowledge_all();
    net.run();
  }
  EXPECT_EQ(got, numbers(0, 100));
}

TEST(SdkDelivery, TransientsArriveOrAreDroppedNeverLate) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "first");
  net.run();
  sdk::SendRequest passing;
  passing.transient = true;
  alice->send(*bob, "now", passing);
  net.run();
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"first", "now"}));
  bob->reachable = false;
  bob->cut();
  alice->send(*bob, "nobody is there", passing);
  alice->send(*bob, "second");
  net.run();
  bob->reachable = true;
  net.pass(kMinuteMs);
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"first", "now", "second"}));
}

TEST(SdkDelivery, LettersArriveOnceWithoutAConversation) {
  Net net;
  auto [alice, bob] = net.pair();
  sdk::SendRequest letter;
  letter.letter = true;
  const auto ticket = alice->send(*bob, "dear bob", letter);
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"dear bob"});
  EXPECT_TRUE(bob->received[0].letter);
  EXPECT_TRUE(alice->outcome(ticket).done && *alice->outcome(ticket).done);
  EXPECT_TRUE(alice->core->conversations().all().empty());
}

TEST(SdkDelivery, AnExpiredMessageIsRefusedToItsSenderAndTheChainGoesOn) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "before");
  net.run();
  bob->reachable = false;
  bob->cut();
  sdk::SendRequest brief;
  brief.lifetime_ms = 10 * kSecondMs;
  alice->send(*bob, "too late", brief);
  alice->send(*bob, "after");
  net.run();
  net.pass(3 * kMinuteMs);
  bob->reachable = true;
  net.pass(kMinuteMs);
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"before", "after"}));
  EXPECT_EQ(bob->count(Notice::Kind::lost), 1u);
  EXPECT_EQ(alice->count(Notice::Kind::refused), 1u);
}

TEST(SdkDelivery, APeerThatAnswersBeforeTheBrokerDoesIsHeard) {
  Net net;
  auto [alice, bob] = net.pair();
  const auto no_accepted = [&net](NetAgent& agent, Bytes bytes) -> std::optional<Bytes> {
    const auto frame = Frame::parse(bytes, limits::kFrameBytes);
    const bool drop = &agent == net.agents[0].get() && frame && frame->as<wire::Accepted>();
    return drop ? std::nullopt : std::optional(std::move(bytes));
  };
  net.on_the_way_to_agent = no_accepted;  // of the opening
  const auto first = alice->send(*bob, "hello");
  net.run();
  bob->send(*alice, "to a group that alice does not know is accepted");
  net.run();
  EXPECT_EQ(alice->received.size(), 1u);
  alice->cut();
  net.on_the_way_to_agent = nullptr;
  net.pass(kMinuteMs);
  EXPECT_TRUE(alice->outcome(first).done && *alice->outcome(first).done);

  net.now = net.now + kDayMs + 1;
  net.pass(kMinuteMs);
  net.on_the_way_to_agent = no_accepted;  // of an update
  alice->send(*bob, "a day later");
  net.run();
  bob->send(*alice, "to an epoch that alice does not know is accepted");
  net.run();
  alice->cut();
  net.on_the_way_to_agent = nullptr;
  net.pass(kMinuteMs);
  EXPECT_EQ(alice->received.size(), 2u);
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"hello", "a day later"}));
  EXPECT_EQ(alice->count(Notice::Kind::undecryptable), 0u);
  EXPECT_EQ(alice->count(Notice::Kind::refused) + bob->count(Notice::Kind::refused), 0u);
}

TEST(SdkDelivery, AClockThatWasSetBackDoesNotKeepAnAgentFromConnecting) {
  Net net;
  auto [alice, bob] = net.pair();
  net.now = net.now + kDayMs;
  alice->reachable = false;
  alice->cut();
  net.run();
  net.now = net.now - kDayMs;
  alice->reachable = true;
  alice->send(*bob, "after the clock was set right");
  net.pass(kMinuteMs);
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"after the clock was set right"});
}

TEST(SdkDelivery, LeafIsUpdatedAtTheFirstActivityAfterADay) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "day one");
  net.run();
  const std::uint64_t epoch = alice->conversations(*bob)[0]->epoch;
  net.now = net.now + kDayMs + 1;
  net.pass(kMinuteMs);
  alice->send(*bob, "day two");
  net.run();
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"day one", "day two"}));
  EXPECT_GT(alice->conversations(*bob)[0]->epoch, epoch);
  EXPECT_EQ(alice->conversations(*bob)[0]->epoch, bob->conversations(*alice)[0]->epoch);
}

TEST(SdkDelivery, TwoUpdatesAtOnceEndInOneEpochAndLoseNothing) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "a0");
  bob->send(*alice, "b0");
  net.run();
  net.now = net.now + kDayMs + 1;
  net.pass(kMinuteMs);
  for (int i = 1; i < 20; ++i) {
    alice->send(*bob, "a" + std::to_string(i));
    bob->send(*alice, "b" + std::to_string(i));
  }
  net.run();
  net.pass(10 * kSecondMs);
  EXPECT_EQ(alice->received.size(), 20u);
  EXPECT_EQ(bob->received.size(), 20u);
  EXPECT_EQ(alice->conversations(*bob)[0]->epoch, bob->conversations(*alice)[0]->epoch);
}

// Handed out from its oldest, a pool that nobody draws from would one day hold nothing but packages
// that have expired, and the claimer would meet each of them first.
TEST(SdkDelivery, APoolOfKeyPackagesIsRenewedBeforeItExpires) {
  Net net;
  auto [alice, bob] = net.pair();
  for (NetAgent* agent : {alice, bob}) {
    agent->cut();
    agent->reachable = false;
  }
  net.now = net.now + limits::kKeyPackageLifetimeMs + kDayMs;
  bob->reachable = true;
  net.pass(kMinuteMs);
  alice->reachable = true;
  net.pass(kMinuteMs);
  ASSERT_TRUE(alice->connected && bob->connected);
  alice->send(*bob, "after a month");
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"after a month"});
  EXPECT_EQ(alice->count(Notice::Kind::undecryptable), 0u);
}

// A broker that cannot answer how a conversation stands is asked again after a while, not at once.
TEST(SdkDelivery, ABrokerThatLimitsCallsIsNotAskedInALoop) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  alice->restart();
  net.config.calls = {0.001, 0.5};  // none at all
  net.restart_broker();
  const std::uint64_t before = net.metrics.calls;
  alice->send(*bob, "two");
  net.pass(2 * kMinuteMs);
  EXPECT_LT(net.metrics.calls - before, 20u);
}

}  // namespace
}  // namespace sealwire::test

// Whole agents with their threads against a whole broker: the public API as an application sees it.
#include "sealwire/agent.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/sdk/live_broker.h"

namespace sealwire::test {
namespace {

constexpr Millis kSoon = std::chrono::seconds(20);

class AgentTest : public ::testing::Test {
 protected:
  LiveBroker broker{"memory://" +
                    std::string(::testing::UnitTest::GetInstance()->current_test_info()->name())};
  Agent open(const Options& options) {
    auto opened = Agent::open(options);
    EXPECT_TRUE(opened) << opened.error().detail;
    return std::move(*opened);
  }
  Options alice_options = broker.make_agent("alice");
  Options bob_options = broker.make_agent("bob");
};

TEST_F(AgentTest, SendsAndReceivesByIteration) {
  Agent alice = open(alice_options);
  Agent bob = open(bob_options);
  introduce(alice, "alice", bob, "bob");
  const auto sending = alice.send("bob", "hello");
  ASSERT_TRUE(sending);
  const auto accepted = sending->wait(kSoon);
  ASSERT_TRUE(accepted) << accepted.error().detail;
  const auto message = bob.receive(kSoon);
  ASSERT_TRUE(message) << message.error().detail;
  EXPECT_EQ(message->text(), "hello");
  EXPECT_EQ(message->from, alice.id());
  EXPECT_EQ(message->nickname, "alice");
  EXPECT_EQ(message->id, accepted->message_id);
  EXPECT_EQ(message->payload.media_type, "text/plain;charset=utf-8");
  EXPECT_TRUE(bob.acknowledge(*message));
}

TEST_F(AgentTest, RequestsAreAnsweredFromAHandler) {
  Agent alice = open(alice_options);
  Agent bob = open(bob_options);
  introduce(alice, "alice", bob, "bob");
  bob.on_message([](const Message& message) {
    EXPECT_EQ(message.kind, PayloadKind::request);
    if (message.text() == "fail")
      EXPECT_TRUE(message.reply_error("no"));
    else
      EXPECT_TRUE(message.reply(Payload::json("{\"answer\":42}")));
  });
  const auto answer = alice.request("bob", "question", kSoon);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->payload.media_type, "application/json");
  EXPECT_EQ(answer->text(), "{\"answer\":42}");
  const auto refused = alice.request("bob", "fail", kSoon);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
  EXPECT_EQ(refused.error().detail, "no");
}

TEST_F(AgentTest, ARequestThatNobodyAnswersTimesOut) {
  Agent alice = open(alice_options);
  Agent bob = open(bob_options);
  introduce(alice, "alice", bob, "bob");
  const auto answer = alice.request("bob", "anybody?", Millis(300));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::timeout);
}

TEST_F(AgentTest, TransactionsCommitEffectReceiptAndReplyTogether) {
  Agent alice = open(alice_options);
  auto bob = std::make_optional(open(bob_options));
  introduce(alice, "alice", *bob, "bob");
  std::atomic<int> attempts = 0;
  const auto handler = [&](Transaction& tx, const Message& message) -> Result<> {
    SW_TRY(const auto before, tx.get("sum"));
    const int sum = std::stoi(before.value_or("0")) + std::stoi(std::string(message.text()));
    SW_CHECK(tx.put("sum", std::to_string(sum)));
    SW_CHECK(tx.reply(message, std::to_string(sum)).map([](const Sending&) {}));
    // The third message fails once, after everything was written.
    if (message.text() == "3" && attempts++ == 0) return fail(Errc::cancelled, "once");
    return {};
  };
  bob->handle(handler);
  for (int i = 1; i <= 10; ++i)
    ASSERT_TRUE(alice.send("bob", std::to_string(i)));
  std::string last;
  for (int i = 1; i <= 10; ++i) {
    const auto reply = alice.receive(kSoon);
    ASSERT_TRUE(reply) << reply.error().detail;
    last = reply->text();
    ASSERT_TRUE(alice.acknowledge(*reply));
  }
  EXPECT_EQ(last, "55");
  EXPECT_EQ(attempts, 2);
  bob.reset();
  bob.emplace(open(bob_options));
  std::string sum;
  ASSERT_TRUE(bob->transact([&](Transaction& tx) -> Result<> {
    SW_TRY(const auto value, tx.get("sum"));
    sum = value.value_or("");
    return {};
  }));
  EXPECT_EQ(sum, "55") << "nothing was counted twice";
  EXPECT_FALSE(bob->receive(Millis(50))) << "and nothing is handed over again";
}

TEST_F(AgentTest, ATransactionSendsAllOrNothing) {
  Agent alice = open(alice_options);
  Agent bob = open(bob_options);
  introduce(alice, "alice", bob, "bob");
  Sending undone;
  EXPECT_FALSE(alice.transact([&](Transaction& tx) -> Result<> {
    SW_TRY(undone, tx.send("bob", "never"));
    return fail(Errc::cancelled, "changed my mind");
  }));
  ASSERT_TRUE(undone.outcome());
  EXPECT_EQ(undone.outcome()->error().code, Errc::cancelled);
  Sending sent;
  ASSERT_TRUE(alice.transact([&](Transaction& tx) -> Result<> {
    SW_TRY(sent, tx.send("bob", "surely"));
    return {};
  }));
  EXPECT_TRUE(sent.wait(kSoon));
  const auto message = bob.receive(kSoon);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "surely");
}

TEST_F(AgentTest, ReconnectsWhenTheBrokerComesBackAndLosesNothing) {
  Agent alice = open(alice_options);
  Agent bob = open(bob_options);
  introduce(alice, "alice", bob, "bob");
  ASSERT_TRUE(alice.send("bob", "before")->wait(kSoon));
  broker.stop();
  const auto sending = alice.send("bob", "while it was away");
  ASSERT_TRUE(sending->stored(kSoon));
  broker.start();
  const auto accepted = sending->wait(std::chrono::seconds(60));
  ASSERT_TRUE(accepted) << accepted.error().detail;
  EXPECT_EQ(bob.receive(kSoon)->text(), "before");
  EXPECT_EQ(bob.receive(kSoon)->text(), "while it was away");
}

TEST_F(AgentTest, InvitesMakeContactsOfStrangers) {
  Agent alice = open(alice_options);
  Agent bob = open(bob_options);
  const auto invite = alice.create_invite(std::chrono::minutes(5), kSoon);
  ASSERT_TRUE(invite) << invite.error().detail;
  const auto peer = bob.redeem(*invite, "alice", kSoon);
  ASSERT_TRUE(peer) << peer.error().detail;
  EXPECT_EQ(peer->agent, alice.id());
  EXPECT_TRUE(peer->verified);
  ASSERT_TRUE(bob.send("alice", "hello")->wait(kSoon));
  const auto message = alice.receive(kSoon);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->from, bob.id());
  ASSERT_TRUE(alice.set_nickname(bob.id(), "bob"));
  EXPECT_EQ(alice.peer("bob")->agent, bob.id());
}

TEST_F(AgentTest, DrainWaitsForWhatWasSent) {
  Agent bob = open(bob_options);
  {
    Agent alice = open(alice_options);
    introduce(alice, "alice", bob, "bob");
    for (int i = 0; i < 200; ++i)
      ASSERT_TRUE(alice.send("bob", std::to_string(i)));
    const auto drained = alice.drain(kSoon);
    EXPECT_TRUE(drained) << drained.error().detail;
    EXPECT_EQ(alice.send("bob", "too late")->wait(kSoon).error().code, Errc::closed);
  }
  for (int i = 0; i < 200; ++i) {
    const auto message = bob.receive(kSoon);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), std::to_string(i));
  }
}

TEST_F(AgentTest, TheSecondAgentOnOneStateIsRefused) {
  Agent alice = open(alice_options);
  const auto second = Agent::open(alice_options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::state_locked);
}

TEST_F(AgentTest, ANewerSessionOfTheSameKeyStopsTheOlder) {
  Agent alice = open(alice_options);
  ASSERT_TRUE(alice.wait_connected(kSoon));
  Options copy = alice_options;
  copy.state_file = (broker.directory.path / "other.db").string();
  Agent other = open(copy);
  ASSERT_TRUE(other.wait_connected(kSoon));
  // It stops by itself: every waiting call ends.
  const auto ended = alice.receive(kSoon);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::closed);
  ASSERT_TRUE(alice.status().last_error);
  EXPECT_EQ(alice.status().last_error->code, Errc::replaced);
}

TEST_F(AgentTest, AWrongBrokerKeyIsToldAtOnce) {
  Options options = alice_options;
  options.broker_key = std::string(64, 'a');
  Agent alice = open(options);
  const auto connected = alice.wait_connected(kSoon);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::broker_key_mismatch);
}

TEST_F(AgentTest, FirstUseIsTrustedByFlagOnlyAndPinned) {
  Options options = alice_options;
  options.broker_key.clear();
  {
    Agent alice = open(options);
    EXPECT_EQ(alice.wait_connected(kSoon).error().code, Errc::broker_key_mismatch);
  }
  options.trust_first_use = true;
  {
    Agent alice = open(options);
    EXPECT_TRUE(alice.wait_connected(kSoon));
    EXPECT_EQ(alice.status().broker_key, broker.key());
  }
}

TEST_F(AgentTest, HandlersThatThrowKeepTheirMessage) {
  Agent alice = open(alice_options);
  auto bob = std::make_optional(open(bob_options));
  introduce(alice, "alice", *bob, "bob");
  std::promise<std::string> failed;
  bob->on_notice([&](const Notice& notice) {
    if (notice.kind == Notice::Kind::handler_failed) failed.set_value(notice.detail);
  });
  bob->on_message([](const Message&) { throw std::runtime_error("oh"); });
  ASSERT_TRUE(alice.send("bob", "careful")->wait(kSoon));
  auto told = failed.get_future();
  ASSERT_EQ(told.wait_for(kSoon), std::future_status::ready);
  EXPECT_EQ(told.get(), "oh");
  bob.reset();
  bob.emplace(open(bob_options));
  const auto again = bob->receive(kSoon);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), "careful");
}

TEST_F(AgentTest, ManyThreadsSendAtOnce) {
  Agent alice = open(alice_options);
  Agent bob = open(bob_options);
  introduce(alice, "alice", bob, "bob");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(alice.send("bob", "x"));
    });
  for (std::thread& thread : threads)
    thread.join();
  std::set<std::string> ids;
  for (int i = 0; i < 400; ++i) {
    const auto message = bob.receive(kSoon);
    ASSERT_TRUE(message) << message.error().detail;
    ids.insert(message->id);
  }
  EXPECT_EQ(ids.size(), 400u);
}

}  // namespace
}  // namespace sealwire::test

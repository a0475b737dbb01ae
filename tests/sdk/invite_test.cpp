// Strangers become contacts by an invite, on open brokers and on those that admit nobody else.
#include <gtest/gtest.h>

#include "tests/sdk/net.h"

namespace sealwire::test {
namespace {

std::string make_invite(Net& net, NetAgent& inviter) {
  std::string text;
  inviter.core->peers().create_invite(kHourMs, [&](Result<std::string> made) {
    ASSERT_TRUE(made) << made.error().detail;
    text = *made;
  });
  net.run();
  return text;
}

std::optional<Result<>> redeem(Net& net, NetAgent& invitee, const std::string& text) {
  auto outcome = std::make_shared<std::optional<Result<>>>();
  const auto started =
      invitee.core->peers().redeem(text, "inviter", [outcome](Result<> done) { *outcome = done; });
  if (!started) return started;
  net.run();
  return *outcome;
}

TEST(SdkInvite, RedeemedInASessionBothSidesMayWrite) {
  Net net;
  NetAgent& alice = net.add("alice");
  NetAgent& bob = net.add("bob");
  net.run();
  const std::string text = make_invite(net, alice);
  const auto outcome = redeem(net, bob, text);
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ(alice.count(Notice::Kind::peer_added), 1u);
  bob.send(alice, "thank you");
  alice.send(bob, "welcome");
  net.run();
  EXPECT_EQ(alice.texts(), std::vector<std::string>{"thank you"});
  EXPECT_EQ(bob.texts(), std::vector<std::string>{"welcome"});
}

TEST(SdkInvite, IsTheDoorToABrokerThatAdmitsNobodyElse) {
  Net net;
  NetAgent& alice = net.add("alice");
  net.config.admission = broker::Admission::invite;
  net.config.admitted.insert(alice.id());
  net.restart_broker();
  net.pass(kMinuteMs);
  const std::string text = make_invite(net, alice);
  NetAgent& bob = net.add("bob");
  net.run();
  EXPECT_FALSE(bob.connected);
  ASSERT_TRUE(bob.disconnected);
  EXPECT_EQ(bob.disconnected->code, Errc::not_admitted);
  const auto outcome = redeem(net, bob, text);
  ASSERT_TRUE(outcome);
  ASSERT_TRUE(*outcome) << outcome->error().detail;
  EXPECT_TRUE(bob.connected);
  bob.send(alice, "inside");
  net.run();
  EXPECT_EQ(alice.texts(), std::vector<std::string>{"inside"});
}

TEST(SdkInvite, SurvivesARestartBeforeItCouldBeRedeemed) {
  Net net;
  NetAgent& alice = net.add("alice");
  NetAgent& bob = net.add("bob");
  net.run();
  const std::string text = make_invite(net, alice);
  bob.reachable = false;
  bob.cut();
  ASSERT_TRUE(bob.core->peers().redeem(text, "", {}));
  net.run();
  bob.restart();
  bob.reachable = true;
  net.pass(kMinuteMs);
  bob.send(alice, "here");
  net.run();
  EXPECT_EQ(alice.texts(), std::vector<std::string>{"here"});
}

TEST(SdkInvite, TheSecondRedeemerIsRefused) {
  Net net;
  NetAgent& alice = net.add("alice");
  NetAgent& bob = net.add("bob");
  NetAgent& eve = net.add("eve");
  net.run();
  const std::string text = make_invite(net, alice);
  ASSERT_TRUE(redeem(net, bob, text).value());
  const auto outcome = redeem(net, eve, text);
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().code, Errc::denied);
}

TEST(SdkInvite, ForAnotherBrokerIsRefusedBeforeAnythingIsSent) {
  Net net;
  Net other(99);
  NetAgent& alice = net.add("alice");
  NetAgent& carol = other.add("carol");
  net.run();
  other.run();
  const auto refused = alice.core->peers().redeem(make_invite(other, carol), "", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::broker_key_mismatch);
}

TEST(SdkInvite, OneThatAnotherTakesThePlaceOfIsToldSoAndNotMixedUpWithIt) {
  Net net;
  NetAgent& alice = net.add("alice");
  NetAgent& carol = net.add("carol");
  NetAgent& bob = net.add("bob");
  net.run();
  const std::string first = make_invite(net, alice);
  const std::string used = make_invite(net, carol);
  NetAgent& eve = net.add("eve");
  net.run();
  ASSERT_TRUE(redeem(net, eve, used).value());

  std::optional<Result<>> of_first, of_used;
  ASSERT_TRUE(bob.core->peers().redeem(first, "", [&](Result<> done) { of_first = done; }));
  ASSERT_TRUE(bob.core->peers().redeem(used, "", [&](Result<> done) { of_used = done; }));
  net.run();
  ASSERT_TRUE(of_first);
  ASSERT_FALSE(*of_first);
  EXPECT_EQ(of_first->error().code, Errc::cancelled);
  ASSERT_TRUE(of_used);
  EXPECT_FALSE(*of_used) << "the answer to the first is not the answer to the second";
}

}  // namespace
}  // namespace sealwire::test

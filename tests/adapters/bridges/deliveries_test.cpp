#include "adapters/bridges/host/deliveries.h"

#include <gtest/gtest.h>

namespace sealwire::bridge {
namespace {

Deliver to(const std::string& chat, const std::string& id) {
  return {id, chat, "alice", {}, {}};
}

std::string next(Deliveries& deliveries, std::uint64_t now_ms) {
  const auto deliver = deliveries.next(now_ms);
  return deliver ? deliver->id : "";
}

TEST(Deliveries, AChatGetsItsNextOneOnlyAfterTheOneBefore) {
  Deliveries d;
  d.add(to("a", "1"));
  d.add(to("a", "2"));
  EXPECT_EQ(next(d, 1), "1");
  EXPECT_EQ(next(d, 1), "");
  EXPECT_FALSE(d.delivered("2")) << "it was not given yet";
  EXPECT_TRUE(d.delivered("1"));
  EXPECT_EQ(next(d, 1), "2");
}

TEST(Deliveries, AFailureKeepsTheOrderAndWaitsAsLongAsItSays) {
  Deliveries d;
  d.add(to("a", "1"));
  d.add(to("a", "2"));
  d.next(0);
  EXPECT_FALSE(d.failed({"1", false, 3000, "429"}, 100));
  EXPECT_EQ(next(d, 3099), "");
  EXPECT_EQ(next(d, 3100), "1");
  EXPECT_EQ(d.retries(), 1U);
}

TEST(Deliveries, PausesGrowAndEndInGivingUp) {
  Deliveries d;
  d.add(to("a", "1"));
  std::uint64_t now_ms = 0;
  std::uint64_t before = 0;
  unsigned attempts = 0;
  for (;;) {
    ASSERT_EQ(next(d, now_ms), "1");
    ++attempts;
    if (const auto given_up = d.failed({"1", false, 0, ""}, now_ms)) {
      EXPECT_EQ(given_up->id, "1");
      break;
    }
    const std::uint64_t pause = *d.due_ms() - now_ms;
    EXPECT_GE(pause, before);
    EXPECT_LE(pause, kRetryMostMs);
    before = pause;
    now_ms = *d.due_ms();
  }
  EXPECT_EQ(attempts, kAttempts);
  EXPECT_EQ(d.waiting(), 0U);
}

TEST(Deliveries, ADeadChatSlowsNoOther) {
  Deliveries d;
  d.add(to("dead", "1"));
  d.add(to("alive", "2"));
  d.add(to("alive", "3"));
  d.next(0);
  const std::string second = next(d, 0);
  EXPECT_TRUE(second == "2" || second == "1");
  d.delivered("2");
  EXPECT_EQ(next(d, 0), "3");
}

TEST(Deliveries, ABridgeThatSaysNothingIsTriedAgainAndOneThatDiedToo) {
  Deliveries d;
  d.add(to("a", "1"));
  d.next(0);
  EXPECT_EQ(next(d, kAnswerMs - 1), "");
  EXPECT_EQ(next(d, kAnswerMs), "") << "a pause first";
  EXPECT_EQ(next(d, kAnswerMs + kRetryFirstMs), "1");
  d.interrupted(kAnswerMs * 2);
  EXPECT_EQ(next(d, kAnswerMs * 3), "1");
}

TEST(Deliveries, ThePaceIsKeptForAChatAndForAll) {
  Deliveries d;
  d.pace(1000, 35);
  d.add(to("a", "1"));
  d.add(to("a", "2"));
  d.add(to("b", "3"));
  EXPECT_EQ(next(d, 0), "1");
  EXPECT_EQ(next(d, 34), "");
  EXPECT_EQ(next(d, 35), "3");
  d.delivered("1");
  EXPECT_EQ(next(d, 999), "");
  EXPECT_EQ(next(d, 1000), "2");
}

TEST(Deliveries, BoundsHoldForAChatAndForAllAndNothingIsAddedTwice) {
  Deliveries d;
  EXPECT_EQ(d.add(to("a", "0")), Deliveries::Added::waiting);
  EXPECT_EQ(d.add(to("a", "0")), Deliveries::Added::waiting);
  EXPECT_EQ(d.waiting(), 1U);
  for (std::size_t i = 1; i < kWaitingPerChat; ++i)
    d.add(to("a", std::to_string(i)));
  EXPECT_EQ(d.add(to("a", "more")), Deliveries::Added::chat_full);
  for (std::size_t i = d.waiting(); i < kWaiting; ++i)
    EXPECT_EQ(d.add(to("b" + std::to_string(i), "x")), Deliveries::Added::waiting);
  EXPECT_EQ(d.add(to("c", "more")), Deliveries::Added::full);
}

TEST(Deliveries, AMovedChatKeepsWhatWaitsInOrder) {
  Deliveries d;
  d.add(to("old", "1"));
  d.add(to("old", "2"));
  d.add(to("new", "3"));
  d.next(0);
  d.moved("old", "new");
  EXPECT_TRUE(d.delivered("1") || !d.failed({"1", false, 1, ""}, 0));
  std::string seen;
  for (std::uint64_t at = 1; at < 200'000; at += 1000)
    if (const auto deliver = d.next(at)) {
      EXPECT_EQ(deliver->chat, "new");
      seen += deliver->id;
      d.delivered(deliver->id);
    }
  EXPECT_TRUE(seen == "23" || seen == "312") << seen;
}

}  // namespace
}  // namespace sealwire::bridge

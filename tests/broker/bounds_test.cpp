// What keeps the edges bounded: rates, addresses, the queue before the router.
#include <gtest/gtest.h>

#include "adapters/channels/census.h"
#include "broker/handshake_limit.h"
#include "broker/inbox.h"

namespace sealwire::broker {
namespace {

constexpr UnixMillis kStart{1'000'000};

TEST(TokenBucket, Gives_its_burst_and_then_its_rate) {
  TokenBucket bucket;
  const Rate rate{2, 3};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(bucket.take(rate, 1, kStart));
  EXPECT_FALSE(bucket.take(rate, 1, kStart));
  EXPECT_FALSE(bucket.take(rate, 1, kStart + 499));
  EXPECT_TRUE(bucket.take(rate, 1, kStart + 500));
  EXPECT_FALSE(bucket.take(rate, 1, UnixMillis{0})) << "time that runs backwards gives nothing";
  EXPECT_FALSE(bucket.take(rate, 4, kStart + kDayMs)) << "never more than the burst";
}

TEST(HandshakeLimit, Limits_each_address_for_itself) {
  HandshakeLimit limit({1, 2}, 100);
  EXPECT_TRUE(limit.allow("10.0.0.1", kStart));
  EXPECT_TRUE(limit.allow("10.0.0.1", kStart));
  EXPECT_FALSE(limit.allow("10.0.0.1", kStart));
  EXPECT_TRUE(limit.allow("10.0.0.2", kStart));
  EXPECT_TRUE(limit.allow("10.0.0.1", kStart + kSecondMs));
}

TEST(HandshakeLimit, Has_a_bound_and_forgets_who_has_rested) {
  HandshakeLimit limit({1, 1}, 10);
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(limit.allow("10.0.0." + std::to_string(i), kStart));
  EXPECT_FALSE(limit.allow("10.0.1.1", kStart)) << "full of the busy";
  EXPECT_EQ(limit.addresses(), 10u);
  EXPECT_TRUE(limit.allow("10.0.1.1", kStart + 2 * kSecondMs));
  EXPECT_EQ(limit.addresses(), 1u);
}

TEST(HandshakeLimit, Does_not_limit_channels_without_addresses) {
  HandshakeLimit limit({0, 0}, 1);
  EXPECT_TRUE(limit.allow("", kStart));
}

TEST(CensusKey, Is_one_for_all_that_one_IPv6_host_can_choose_among) {
  using channel::census_key;
  EXPECT_EQ(census_key("2001:db8:1:2::1"), census_key("2001:db8:1:2:ffff::9"));
  EXPECT_EQ(census_key("fe80::1%eth0"), census_key("fe80::2"));
  EXPECT_NE(census_key("2001:db8:1:2::1"), census_key("2001:db8:1:3::1"));
  EXPECT_EQ(census_key("10.0.0.1"), "10.0.0.1");
  EXPECT_NE(census_key("::ffff:10.0.0.1"), census_key("::ffff:10.0.0.2"));
  EXPECT_EQ(census_key(""), "");
}

TEST(Inbox, Takes_no_more_events_or_bytes_than_its_bounds_until_they_are_done) {
  Inbox inbox(3, 1000);
  EXPECT_TRUE(inbox.push(Ponged{1}, 600));
  EXPECT_FALSE(inbox.push(Ponged{1}, 600)) << "bytes";
  EXPECT_TRUE(inbox.push(Ponged{1}, 1));
  EXPECT_TRUE(inbox.push(Ponged{1}, 1));
  EXPECT_FALSE(inbox.push(Ponged{1}, 1)) << "events";
  inbox.push_always(Left{1});
  const Post post = inbox.wait(std::chrono::steady_clock::now(), true);
  EXPECT_EQ(post.events.size(), 4u);
  EXPECT_FALSE(inbox.push(Ponged{1}, 1)) << "taken is not done";
  inbox.done(4, 602);
  EXPECT_TRUE(inbox.push(Ponged{1}, 1));
}

TEST(Inbox, Gives_what_is_not_an_event_while_events_are_not_wanted) {
  Inbox inbox(3, 1000);
  EXPECT_TRUE(inbox.push(Ponged{1}, 1));
  inbox.push_committed({7, {}, {}});
  const Post post = inbox.wait(std::chrono::steady_clock::now(), false);
  EXPECT_TRUE(post.events.empty());
  ASSERT_TRUE(post.committed);
  EXPECT_EQ(post.committed->id, 7u);
  EXPECT_EQ(inbox.wait(std::chrono::steady_clock::now(), true).events.size(), 1u);
}

}  // namespace
}  // namespace sealwire::broker

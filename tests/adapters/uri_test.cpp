#include "adapters/channels/uri.h"

#include <gtest/gtest.h>

namespace sealwire::channel {
namespace {

TEST(Uri, IsTakenApart) {
  const auto uri = parse_uri("tcp://[::1]:5000/a/b?curve=00ff&x=");
  ASSERT_TRUE(uri.has_value());
  EXPECT_EQ(uri->scheme, "tcp");
  EXPECT_EQ(uri->host, "::1");
  EXPECT_EQ(uri->port, 5000);
  EXPECT_EQ(uri->path, "/a/b");
  EXPECT_EQ(uri->query.at("curve"), "00ff");
  EXPECT_EQ(uri->query.at("x"), "");
  EXPECT_EQ(authority(*uri), "[::1]:5000");
}

TEST(Uri, MalformedOnesAreRefused) {
  for (const auto* text :
       {"", "host:1", "://host:1", "ws://[[]:1", "ws://", "ws://host", "ws://:80",
        "ws://host:", "ws://host:65536", "ws://host:80x", "ws://::1:80", "ws://[::1:80",
        "ws://host:-1", "ws://h:1?a", "ws://h:1?=a", "ws://h:1?a=b&c"}) {
    const auto uri = parse_uri(text);
    ASSERT_FALSE(uri.has_value()) << text;
    EXPECT_EQ(uri.error().code, Errc::address_invalid) << text;
  }
}

TEST(Uri, LoopbackIsWhatNeverLeavesTheMachine) {
  for (const auto* host : {"127.0.0.1", "127.255.0.9", "::1", "localhost"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const auto* host : {"0.0.0.0", "128.0.0.1", "127.evil.example", "127.0.0.1.evil.example",
                           "::", "localhost.evil.example", "10.0.0.1", ""}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace sealwire::channel

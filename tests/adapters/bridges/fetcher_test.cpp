#include "adapters/bridges/host/fetcher.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <future>

namespace sealwire::bridge {
namespace {

Fetched fetch(Egress egress, Fetch wanted) {
  std::promise<Fetched> promise;
  Fetcher fetcher(std::move(egress),
                  [&](Fetched fetched) { promise.set_value(std::move(fetched)); });
  fetcher.fetch(std::move(wanted));
  return promise.get_future().get();
}

TEST(Fetcher, AnOriginHasOneSpelling) {
  EXPECT_EQ(*origin_of("HTTPS://API.example/x?y"), "https://api.example:443");
  EXPECT_EQ(*origin_of("http://[::1]:80/"), "http://[::1]:80");
  for (const char* bad :
       {"file:///etc/passwd", "https://user@api.example/", "gopher://a/", "x", ""})
    EXPECT_FALSE(origin_of(bad)) << bad;
}

TEST(Fetcher, AnOriginThatNobodyAllowedIsNotAsked) {
  for (const char* url :
       {"http://127.0.0.1:1/", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd",
        "https://api.example.evil/", "https://api.example@evil/", "http://api.example/"}) {
    Egress egress;
    egress.origins.insert(*origin_of("https://api.example"));
    const Fetched fetched = fetch(std::move(egress), {"1", "GET", url, {}, {}, 1000});
    EXPECT_EQ(fetched.status, 0U) << url;
    EXPECT_NE(fetched.cause, "") << url;
    EXPECT_EQ(fetched.cause.find("onnect"), std::string::npos) << url << ": it was tried";
  }
}

TEST(Fetcher, ASecretGoesToItsOwnOriginOnly) {
  Egress egress;
  egress.origins = {*origin_of("http://127.0.0.1:1"), *origin_of("http://127.0.0.1:2")};
  egress.secrets.emplace(
      "token", FetchSecret{SecretBytes(as_bytes("canary")), *origin_of("http://127.0.0.1:1")});
  const Fetched fetched =
      fetch(std::move(egress), {"1", "GET", "http://127.0.0.1:2/{secret:token}", {}, {}, 1000});
  EXPECT_EQ(fetched.cause, "no secret of this name belongs to this origin");
}

// ATTACKS 41: a name that was allowed comes to mean an address of the inside.
TEST(Fetcher, WhichAddressesArePublic) {
  const auto is = [](const char* text) {
    sockaddr_in6 v6{};
    sockaddr_in v4{};
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
      v6.sin6_family = AF_INET6;
      return is_public(reinterpret_cast<const sockaddr&>(v6));
    }
    inet_pton(AF_INET, text, &v4.sin_addr);
    v4.sin_family = AF_INET;
    return is_public(reinterpret_cast<const sockaddr&>(v4));
  };
  for (const char* address : {"149.154.167.220", "8.8.8.8", "2001:67c:4e8:f004::9", "100.128.0.1"})
    EXPECT_TRUE(is(address)) << address;
  for (const char* address : {"127.0.0.1",
                              "127.255.0.9",
                              "0.0.0.0",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "198.18.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::1",
                              "::",
                              "fe80::1",
                              "fc00::1",
                              "fd12::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:8.8.8.8",
                              "::127.0.0.1",
                              "64:ff9b::7f00:1",
                              "2002:7f00:1::",
                              "2001:0:1::",
                              "2001:db8::1"})
    EXPECT_FALSE(is(address)) << address;
}

TEST(Fetcher, ANameThatMeansAnAddressOfTheInsideIsNotAsked) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(listener, 4), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const auto ask = [&](const std::string& host) {
    const std::string url = "http://" + host + ":" + std::to_string(ntohs(at.sin_port)) + "/";
    Egress egress;
    egress.origins.insert(*origin_of(url));
    return fetch(std::move(egress), {"1", "GET", url, {}, {}, 300}).status;
  };
  // libcurl takes every name below "localhost" for loopback.
  EXPECT_EQ(ask("rebound.localhost"), 0U);
  EXPECT_LT(::accept(listener, nullptr, nullptr), 0) << "it was asked";
  EXPECT_EQ(ask("127.0.0.1"), 0U);
  const int asked = ::accept(listener, nullptr, nullptr);
  EXPECT_GE(asked, 0) << "an address that the operator wrote is what he meant";
  ::close(asked);
  ::close(listener);
}

}  // namespace
}  // namespace sealwire::bridge

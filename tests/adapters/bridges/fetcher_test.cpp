#include "adapters/bridges/host/fetcher.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <array>
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

TEST(Fetcher, Atk41a_An_origin_that_nobody_allowed_is_not_asked) {
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

TEST(Fetcher, Atk41b_Addresses_of_the_inside_are_known_in_each_of_their_spellings) {
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

// A listener on loopback, which nothing has asked yet.
class Inside {
 public:
  Inside() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(socket_, 4), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { ::close(socket_); }
  std::string port() const { return std::to_string(port_); }
  /// Whether somebody has connected since the last time.
  bool was_asked() const {
    const int one = ::accept(socket_, nullptr, nullptr);
    if (one >= 0) ::close(one);
    return one >= 0;
  }
  /// Waits for a request, and answers it with this.
  void answer(const std::string& response) const {
    pollfd ready{socket_, POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
    const int one = ::accept(socket_, nullptr, nullptr);
    std::array<char, 4096> request{};
    EXPECT_GT(::recv(one, request.data(), request.size(), 0), 0);
    EXPECT_EQ(::send(one, response.data(), response.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(response.size()));
    ::close(one);
  }

 private:
  const int socket_;
  std::uint16_t port_ = 0;
};

TEST(Fetcher, Atk41c_A_name_that_comes_to_mean_an_address_of_the_inside_is_not_asked) {
  const Inside inside;
  const auto ask = [&](const std::string& host) {
    const std::string url = "http://" + host + ":" + inside.port() + "/";
    Egress egress;
    egress.origins.insert(*origin_of(url));
    return fetch(std::move(egress), {"1", "GET", url, {}, {}, 300}).status;
  };
  // libcurl takes every name below "localhost" for loopback.
  EXPECT_EQ(ask("rebound.localhost"), 0U);
  EXPECT_FALSE(inside.was_asked());
  EXPECT_EQ(ask("127.0.0.1"), 0U);
  EXPECT_TRUE(inside.was_asked()) << "an address that the operator wrote is what he meant";
}

TEST(Fetcher, Atk41d_A_redirect_is_told_and_not_followed) {
  const Inside allowed, elsewhere;
  const std::string url = "http://127.0.0.1:" + allowed.port() + "/";
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect",
                             "308 Permanent Redirect"}) {
    Egress egress;
    egress.origins.insert(*origin_of(url));
    std::promise<Fetched> promise;
    Fetcher fetcher(std::move(egress),
                    [&](Fetched fetched) { promise.set_value(std::move(fetched)); });
    fetcher.fetch({"1", "GET", url, {}, {}, 10'000});
    allowed.answer("HTTP/1.1 " + std::string(status) + "\r\nLocation: http://127.0.0.1:" +
                   elsewhere.port() + "/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(promise.get_future().get().status, std::stoul(status));
    EXPECT_FALSE(elsewhere.was_asked()) << status;
  }
}

}  // namespace
}  // namespace sealwire::bridge

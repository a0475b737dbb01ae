#include "adapters/bridges/host/hooks.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>

#include "sdk/cpp/agent/wall_clock.h"
#include "tests/support/seeded_random.h"

namespace sealwire::bridge {
namespace {

namespace asio = boost::asio;

// What a server answers to bytes, and then closes.
std::string talk(const Hooks& hooks, const std::string& request) {
  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  const std::string url = hooks.url();
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  boost::system::error_code ignored;
  asio::write(socket, asio::buffer(request), ignored);
  std::string answer;
  asio::read(socket, asio::dynamic_buffer(answer), ignored);
  return answer.substr(0, answer.find("\r\n"));
}

std::string post(const std::string& headers, const std::string& body) {
  return "POST /hook HTTP/1.1\r\nHost: x\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A server whose bridge answers 204 to everything, and what it was told of.
struct Served {
  std::vector<Hook> came;
  std::unique_ptr<Hooks> hooks;

  explicit Served(HookOptions options) {
    options.listen = "127.0.0.1:0";
    hooks = Hooks::start(std::move(options), [this](Hook hook) {
              came.push_back(hook);
              hooks->answer({hook.ref, 204});
            }).value();
  }
};

HookOptions with_secret() {
  HookOptions options;
  options.secret = HookSecret{"x-secret", SecretBytes(as_bytes("right"))};
  return options;
}

TEST(Hooks, Atk40a_Only_who_has_the_secret_is_heard) {
  Served served(with_secret());
  EXPECT_EQ(talk(*served.hooks, post("X-Secret: right\r\n", "{}")), "HTTP/1.1 204 No Content");
  ASSERT_EQ(served.came.size(), 1U);
  EXPECT_EQ(served.came[0].path, "/hook");
  EXPECT_EQ(as_text(served.came[0].body), "{}");
  for (const char* headers : {"", "X-Secret: wrong\r\n", "X-Secret: \r\n", "X-Secret: right2\r\n",
                              "X-Secret: righ\r\n", "X-Secret: right\r\nX-Secret: right\r\n"})
    EXPECT_EQ(talk(*served.hooks, post(headers, "{}")), "HTTP/1.1 401 Unauthorized") << headers;
  EXPECT_EQ(served.came.size(), 1U);
  EXPECT_EQ(served.hooks->counts().forged, 6U);
}

TEST(Hooks, Atk40b_A_signed_request_is_heard_and_another_body_is_not) {
  test::SeededRandom random(3);
  const auto key = crypto::SigningKey::generate(random);
  HookOptions options;
  options.public_url = "https://bridge.example";
  options.keys.emplace("service", key.public_bytes());
  Served served(std::move(options));
  std::string headers;
  for (const auto& [name, value] :
       sign_request({"POST", "https://bridge.example/hook", {}}, as_bytes("{}"), "service", key,
                    random, wall_clock()))
    headers.append(name).append(": ").append(value).append("\r\n");
  EXPECT_EQ(talk(*served.hooks, post(headers, "{}")), "HTTP/1.1 204 No Content");
  EXPECT_EQ(talk(*served.hooks, post(headers, "[]")), "HTTP/1.1 401 Unauthorized");
  EXPECT_EQ(served.came.size(), 1U);
  EXPECT_EQ(served.hooks->counts().forged, 1U);
}

// What fetch and forms can send without being asked for leave, and the question for leave itself.
TEST(Hooks, Atk42c_A_page_in_a_browser_says_nothing_and_is_given_no_leave_to) {
  Served served(with_secret());
  const std::string page = "Origin: https://evil.example\r\nReferer: https://evil.example/\r\n";
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/json"})
    EXPECT_EQ(talk(*served.hooks, post(page + "Content-Type: " + std::string(type) + "\r\n", "{}")),
              "HTTP/1.1 401 Unauthorized");
  EXPECT_EQ(talk(*served.hooks, "OPTIONS /hook HTTP/1.1\r\nHost: rebound.example\r\n" + page +
                                    "Access-Control-Request-Method: POST\r\n"
                                    "Access-Control-Request-Headers: x-secret\r\n\r\n"),
            "HTTP/1.1 401 Unauthorized");
  EXPECT_EQ(served.came.size(), 0U);
}

TEST(Hooks, WhatIsTooLongOrNoPostIsRefused) {
  Served served(with_secret());
  const std::string good = "X-Secret: right\r\n";
  EXPECT_EQ(talk(*served.hooks, "GET /hook HTTP/1.1\r\nHost: x\r\n" + good + "\r\n"),
            "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(talk(*served.hooks,
                 "POST /hook HTTP/1.1\r\nHost: x\r\n" + good + "Content-Length: 1048577\r\n\r\n"),
            "HTTP/1.1 413 Payload Too Large");
  EXPECT_EQ(talk(*served.hooks, "POST http://x/ HTTP/1.1\r\nHost: x\r\n" + good + "\r\n"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(talk(*served.hooks, post("A: " + std::string(20'000, 'a') + "\r\n", "{}")),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(talk(*served.hooks, post(good, std::string(1024 * 1024, 'x'))),
            "HTTP/1.1 204 No Content");
  EXPECT_EQ(served.came.size(), 1U);
}

TEST(Hooks, ABridgeThatEndsIsUnavailable) {
  HookOptions options = with_secret();
  options.listen = "127.0.0.1:0";
  std::unique_ptr<Hooks> hooks;
  hooks = Hooks::start(std::move(options), [&](const Hook&) { hooks->interrupt(); }).value();
  EXPECT_EQ(talk(*hooks, post("X-Secret: right\r\n", "{}")), "HTTP/1.1 503 Service Unavailable");
}

TEST(Hooks, Atk40c_Nothing_listens_that_could_not_tell_a_forgery) {
  HookOptions options;
  options.listen = "127.0.0.1:0";
  EXPECT_EQ(Hooks::start(std::move(options), [](const Hook&) {}).error().code,
            Errc::config_invalid);
}

}  // namespace
}  // namespace sealwire::bridge

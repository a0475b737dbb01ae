// What Telegram, and whoever writes to the bots, can do to connections; through the double.
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

#include "adapters/channels/contract_frames.h"
#include "adapters/channels/telegram/fragment.h"
#include "adapters/channels/telegram/telegram.h"
#include "tests/adapters/telegram/telegram_double.h"

namespace sealwire::channel::contract {
namespace {

using nlohmann::json;
using telegram::Fragment;
using telegram::Kind;
using test::TelegramDouble;

constexpr auto kBroker = TelegramDouble::kBroker;
constexpr auto kAgent = TelegramDouble::kAgent;
constexpr auto kOther = TelegramDouble::kOther;

class Telegram : public testing::Test {
 protected:
  void SetUp() override {
    if (!TelegramDouble::available()) GTEST_SKIP();
    double_ = std::make_unique<TelegramDouble>();
  }
  void TearDown() override {
    dialled_ = nullptr;
    listening_ = nullptr;
    EXPECT_EQ(at_listener_.violations(), std::vector<std::string>());
    EXPECT_EQ(at_dialler_.violations(), std::vector<std::string>());
  }

  void listen(unsigned pace_ms = 0) {
    auto running = telegram_channel().listen(
        endpoint(TelegramDouble::uri(kBroker), double_->options(kBroker, pace_ms)), at_listener_);
    ASSERT_TRUE(running) << running.error().detail;
    listening_ = std::move(*running);
  }
  void dial(const std::string& uri, unsigned pace_ms = 0) {
    auto running =
        telegram_channel().dial(endpoint(uri, double_->options(kAgent, pace_ms)), at_dialler_);
    ASSERT_TRUE(running) << running.error().detail;
    dialled_ = std::move(*running);
  }
  void open(unsigned pace_ms = 0, const std::string& uri = TelegramDouble::uri(kBroker)) {
    ASSERT_NO_FATAL_FAILURE(listen(pace_ms));
    ASSERT_NO_FATAL_FAILURE(dial(uri, pace_ms));
    listener_ = at_listener_.wait_open();
    dialler_ = at_dialler_.wait_open();
    ASSERT_TRUE(listener_ && dialler_);
    listener_->promote();
    dialler_->promote();
  }
  static Endpoint endpoint(const std::string& uri, std::map<std::string, std::string> options) {
    Endpoint result;
    result.uri = uri;
    result.options = std::move(options);
    return result;
  }
  /// All of them at once, and waits until the other end has them.
  void to_listener(const std::vector<std::size_t>& sizes) {
    pass(dialler_, sent_to_listener_, at_listener_, listener_, sizes);
  }
  void to_dialler(const std::vector<std::size_t>& sizes) {
    pass(listener_, sent_to_dialler_, at_dialler_, dialler_, sizes);
  }
  void both_ways(const std::vector<std::size_t>& sizes) {
    to_listener(sizes);
    to_dialler(sizes);
  }
  static void pass(const ConnectionPtr& from, std::vector<Bytes>& sent, Recorder& at,
                   const ConnectionPtr& to, const std::vector<std::size_t>& sizes) {
    for (const auto size : sizes) {
      sent.push_back(numbered(size, static_cast<std::uint32_t>(sent.size())));
      ASSERT_EQ(send_patiently(from, sent.back()), Sent::taken);
    }
    expect_frames(at.wait_frames(to, sent.size()), sent);
  }
  /// Entries of the double's log with that method.
  std::vector<json> log(const std::string& method) const {
    std::vector<json> found;
    for (const json& entry : double_->tell("log"))
      if (entry["method"] == method) found.push_back(entry);
    return found;
  }
  std::size_t documents() const {
    const auto sends = log("send");
    return static_cast<std::size_t>(std::ranges::count_if(
        sends, [](const json& each) { return each["message"].contains("document"); }));
  }
  json say(std::int64_t bot, std::int64_t chat, const std::string& text) const {
    return double_->call(bot, "sendMessage", {{"chat_id", chat}, {"text", text}});
  }
  std::string failure() {
    const Error error = at_dialler_.wait_failure();
    EXPECT_EQ(error.code, Errc::connect_failed);
    return error.detail;
  }

  std::unique_ptr<TelegramDouble> double_;
  Recorder at_listener_, at_dialler_;
  std::unique_ptr<Running> listening_, dialled_;
  ConnectionPtr listener_, dialler_;
  std::vector<Bytes> sent_to_listener_, sent_to_dialler_;
};

TEST_F(Telegram, TenPercentLateAndTenPercentTwiceLoseAndRepeatNothing) {
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  double_->tell("seed", {{"seed", seed}});
  double_->tell("faults", {{"late_percent", 10},
                           {"duplicate_percent", 10},
                           {"twice_percent", 10},
                           {"swap_percent", 10}});
  open();
  // A few at a time: what waits together goes in one message.
  for (int i = 0; i < 40; ++i)
    to_listener({20'000, 2500, 2500, 3000, 3000, 3000});
  to_dialler({1, 9000, 100'000, 3});
}

TEST_F(Telegram, A429IsWaitedForAndNothingIsLost) {
  open();
  double_->tell("faults", {{"too_many_percent", 14}});
  // Until one met a send: which of the calls meet one is chance.
  bool met = false;
  for (int i = 0; i < 30 && !met; ++i) {
    both_ways({10, 5000, 50'000});
    const auto refused = log("too many");
    met = std::ranges::any_of(refused,
                              [](const json& each) { return each["refused"] != "getUpdates"; });
  }
  EXPECT_TRUE(met);
}

TEST_F(Telegram, AChatGetsNoMoreThanItsPace) {
  double_->tell("faults", {{"pace_ms", 140}});
  open(150);
  for (std::uint32_t i = 0; i < 6; ++i)
    to_listener({8000});
  EXPECT_EQ(log("too fast").size(), 0u);
}

TEST_F(Telegram, ALargeFrameIsOneDocumentAndASmallOneIsNone) {
  open();
  to_listener({100});
  EXPECT_EQ(documents(), 0u);
  to_listener({limits::kFrameBytes});
  EXPECT_EQ(documents(), 1u);
  EXPECT_EQ(log("getFile").size(), 1u);
}

TEST_F(Telegram, TheBrokersBotIsFoundByItsNameToo) {
  open(0, "telegram://@bot_1001");
  both_ways({1, 20'000});
}

TEST_F(Telegram, AGroupThatBecomesASupergroupIsFollowed) {
  double_->tell("group", {{"chat", -5}, {"bots", {kBroker, kAgent, kOther}}});
  open(0, "telegram://-5");
  both_ways({1, 5000});
  double_->tell("migrate", {{"chat", -5}, {"to", -1005}});
  both_ways({2, 20'000});
}

TEST_F(Telegram, StrangersAreNeitherAnsweredNorFetchedFor) {
  open();
  Fragment stray{Kind::data, {}, 1, 1'000'000, Bytes(100)};
  Fragment person{Kind::open, {}, 0, 1'000'000, {}};
  const auto before = log("send").size();
  for (const auto& text : {std::string("hello"), std::string("sealwire.0 not base64 !"),
                           std::string(4096, 'A'), telegram::armour(stray)})
    ASSERT_TRUE(say(kOther, kBroker, text)["ok"]);
  // The agent's connection, from another account: its number 1 would end it.
  const std::string opening = log("send")[0]["message"]["text"];
  Fragment stolen = *telegram::parse_fragment(opening);
  stolen.kind = Kind::close;
  stolen.number = 1;
  stolen.payload = telegram::ending_payload("stolen", {});
  ASSERT_TRUE(say(kOther, kBroker, telegram::armour(stolen))["ok"]);
  both_ways({1, 5000});
  EXPECT_EQ(log("getFile").size(), 0u);
  for (const json& entry : std::vector<json>(log("send")))
    EXPECT_NE(entry["message"]["chat"]["id"], kOther);
  EXPECT_GT(log("send").size(), before);
  EXPECT_EQ(at_listener_.opened(), 1u);
}

TEST_F(Telegram, AFloodOfFragmentsEndsItsConnectionAndNoOther) {
  open();
  Fragment first{Kind::open, *telegram::ConnectionKey::from(Bytes(16, 9)), 0, 1'000'000, {}};
  ASSERT_TRUE(say(kOther, kBroker, telegram::armour(first))["ok"]);
  const auto flooded = at_listener_.wait_open(2);
  for (std::uint32_t i = 2; i < 30; ++i) {
    Fragment more{Kind::data, first.connection, i, 0, Bytes(telegram::kTextPayloadBytes)};
    ASSERT_TRUE(say(kOther, kBroker, telegram::armour(more))["ok"]);
  }
  EXPECT_EQ(at_listener_.wait_close(flooded).code, Errc::frame_malformed);
  both_ways({1, 5000});
}

TEST_F(Telegram, ALostFragmentEndsItsConnectionByNameAndNoOther) {
  open();
  Fragment first{Kind::open, *telegram::ConnectionKey::from(Bytes(16, 9)), 0, 1'000'000, {}};
  ASSERT_TRUE(say(kOther, kBroker, telegram::armour(first))["ok"]);
  const auto torn = at_listener_.wait_open(2);
  for (std::uint32_t i = 2; i <= 1 + telegram::kFragmentsAhead; ++i) {
    Fragment more{Kind::data, first.connection, i, 0, Bytes(8)};
    ASSERT_TRUE(say(kOther, kBroker, telegram::armour(more))["ok"]);
  }
  const Error error = at_listener_.wait_close(torn);
  EXPECT_EQ(error.code, Errc::connection_lost);
  EXPECT_NE(error.detail.find("fragment 1 is missing"), std::string::npos) << error.detail;
  both_ways({1, 5000});
}

TEST_F(Telegram, AnotherProcessThatPollsForTheBotIsNamed) {
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop)
      double_->call(kAgent, "getUpdates", {{"timeout", 0}});
  });
  auto endpoint_of_agent = endpoint("telegram://777", double_->options(kAgent));
  endpoint_of_agent.limits.handshake_ms = 2000;
  auto running = telegram_channel().dial(endpoint_of_agent, at_dialler_);
  ASSERT_TRUE(running);
  const std::string why = failure();
  stop = true;
  other.join();
  EXPECT_NE(why.find("Conflict"), std::string::npos) << why;
}

TEST_F(Telegram, AChatHasNoMoreThanItsShareOfConnections) {
  ASSERT_NO_FATAL_FAILURE(listen());
  const auto open_one = [&](std::uint8_t i) {
    Fragment first{Kind::open, *telegram::ConnectionKey::from(Bytes(16, i)), 0, 0, {}};
    ASSERT_TRUE(say(kOther, kBroker, telegram::armour(first))["ok"]);
  };
  for (std::uint8_t i = 0; i < telegram::kConnectionsPerChat + 10; ++i)
    open_one(i);
  at_listener_.wait_open(telegram::kConnectionsPerChat);
  // Its refusal shows that the ones before it were seen.
  dial(TelegramDouble::uri(kBroker));
  ASSERT_TRUE(at_dialler_.wait_open());
  EXPECT_EQ(at_listener_.wait_open(telegram::kConnectionsPerChat + 1)->peer_address(),
            "telegram:" + std::to_string(kAgent));
  EXPECT_EQ(at_listener_.opened(), telegram::kConnectionsPerChat + 1);
}

TEST_F(Telegram, WhatWasSentBeforeTheListenerCameIsForgotten) {
  Fragment old{Kind::open, *telegram::ConnectionKey::from(Bytes(16, 1)), 0, 0, {}};
  ASSERT_TRUE(say(kOther, kBroker, telegram::armour(old))["ok"]);
  open();
  both_ways({1});
  EXPECT_EQ(at_listener_.opened(), 1u);
}

TEST_F(Telegram, ABotThatHasNotOptedInIsToldInTelegramsWords) {
  double_->tell("bot", {{"token", "4000:closed"}, {"username", "closed_bot"}, {"opted_in", false}});
  dial("telegram://4000");
  EXPECT_NE(failure().find("bot can't send messages to bots"), std::string::npos);
}

TEST_F(Telegram, TwoListenersOfOneBotAreOneTooMany) {
  ASSERT_NO_FATAL_FAILURE(listen());
  Recorder other;
  const auto second = telegram_channel().listen(
      endpoint(TelegramDouble::uri(kBroker), double_->options(kBroker)), other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::connect_failed);
}

TEST_F(Telegram, AddressesAndOptionsAreCheckedByName) {
  auto good = double_->options(kAgent);
  for (const auto* uri : {"telegram://", "telegram://0", "telegram://+5", "telegram://05",
                          "telegram://@x", "telegram://a.b", "telegram://5:0", "telegram://5?a=b",
                          "telegram://9007199254740993", "tcp://5"})
    EXPECT_EQ(telegram_channel().dial(endpoint(uri, good), at_dialler_).error().code,
              Errc::address_invalid)
        << uri;
  const auto code_with = [&](const std::string& name, const std::string& value) {
    auto options = good;
    options[name] = value;
    return telegram_channel().dial(endpoint("telegram://5", options), at_dialler_).error().code;
  };
  EXPECT_EQ(code_with("pace_ms", "-1"), Errc::config_invalid);
  EXPECT_EQ(code_with("token_file", ""), Errc::config_invalid);
  EXPECT_EQ(code_with("api", "ftp://127.0.0.1"), Errc::config_invalid);
  EXPECT_EQ(code_with("api", "http://user@127.0.0.1"), Errc::config_invalid);
  EXPECT_EQ(code_with("api", "http://192.0.2.1"), Errc::transport_insecure);
  const auto listening =
      telegram_channel().listen(endpoint(TelegramDouble::uri(kOther), good), at_listener_);
  EXPECT_EQ(listening.error().code, Errc::address_invalid) << "the token is another bot's";
}

TEST_F(Telegram, TheTokenIsInNoErrorOfOurs) {
  std::vector<std::string> said;
  auto options = double_->options(kAgent);
  const auto note = [&](const auto& result) {
    ASSERT_FALSE(result);
    said.push_back(result.error().detail);
  };
  const std::string file = options["token_file"] + ".copy";
  options["token_file"] = file;
  std::ofstream(file) << "5:" << TelegramDouble::kCanary;
  note(telegram_channel().dial(endpoint("telegram://5", options), at_dialler_));  // open to others
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  note(telegram_channel().listen(endpoint("telegram://5", options), at_listener_));  // 401
  std::ofstream(file) << "5:" << TelegramDouble::kCanary << " and more";
  note(telegram_channel().dial(endpoint("telegram://5", options), at_dialler_));  // no token
  options = double_->options(kAgent);
  options["api"] = "http://127.0.0.1:1";
  auto unreached = endpoint("telegram://5", options);
  unreached.limits.handshake_ms = 300;
  auto running = telegram_channel().dial(unreached, at_dialler_);
  ASSERT_TRUE(running);
  said.push_back(failure());
  EXPECT_NE(said.back().find("getUpdates"), std::string::npos) << said.back();
  std::filesystem::remove(file);
  for (const auto& text : said)
    EXPECT_EQ(text.find(TelegramDouble::kCanary), std::string::npos) << text;
}

}  // namespace
}  // namespace sealwire::channel::contract

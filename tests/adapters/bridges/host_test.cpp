// What agents may have of a bridge, and no more: each its own chats.
#include "adapters/bridges/host/host.h"

#include <gtest/gtest.h>

#include "adapters/bridges/process/process.h"
#include "tests/sdk/live_broker.h"

namespace sealwire::bridge {
namespace {

constexpr auto kSoon = std::chrono::seconds(60);

/// The echo bridge, paired by its operator with carol. Mallory is a contact of it too.
class BridgeHost : public testing::Test {
 protected:
  void SetUp() override {
    test::introduce(carol_, "carol", bridge_, "bridge");
    ASSERT_TRUE(mallory_.add_peer(bridge_.id(), "bridge", kSoon));
    ASSERT_TRUE(bridge_.add_peer(mallory_.id(), "mallory", kSoon));
    HostOptions options;
    options.pairings = {{"c", "*", carol_.id()}};
    options.log = [](const std::string&) {};
    const Launch launch = [](Bridge::OnSaid said, Bridge::OnEnd ended) {
      return start_process(
          {{"/usr/bin/python3", "-s", SEALWIRE_SOURCE_DIR "/adapters/bridges/hello/bridge.py"},
           [](const std::string&) {}},
          std::move(said), std::move(ended));
    };
    host_.emplace(std::move(bridge_), launch, std::move(options));
    running_ = std::thread([this] { EXPECT_TRUE(host_->run([this] { return stop_.load(); })); });
  }
  void TearDown() override {
    stop_ = true;
    if (running_.joinable()) running_.join();
    carol_.stop();
    mallory_.stop();
  }

  Agent open(const std::string& name) {
    auto agent = Agent::open(broker_.make_agent(name));
    EXPECT_TRUE(agent) << agent.error().detail;
    EXPECT_TRUE(agent->wait_connected(kSoon));
    return std::move(*agent);
  }
  /// The host's answer to a request about pairings, or why it refused.
  static std::string ask(Agent& agent, const std::string& json) {
    Payload payload(json);
    payload.media_type = kControlType;
    const auto answer = agent.request("bridge", payload, kSoon);
    return answer ? std::string(answer->text()) : answer.error().detail;
  }
  static std::string next(Agent& agent) {
    const auto message = agent.receive(kSoon);
    EXPECT_TRUE(message);
    if (!message) return {};
    EXPECT_TRUE(agent.acknowledge(*message));
    return std::string(message->text());
  }

  test::LiveBroker broker_{"ws://127.0.0.1:0"};
  Agent carol_ = open("carol"), mallory_ = open("mallory"), bridge_ = open("bridge");
  std::atomic<bool> stop_ = false;
  std::optional<Host> host_;
  std::thread running_;
};

TEST_F(BridgeHost, Atk43b_An_agent_neither_sees_nor_changes_anothers_pairings) {
  EXPECT_EQ(ask(mallory_, R"({"op":"chats"})"), "[]");
  ask(mallory_, R"({"op":"unpair","chat":"c"})");
  EXPECT_EQ(ask(carol_, R"({"op":"chats"})"), R"([{"chat":"c","user":"*"}])");
  for (const char* wrong : {"", "[]", "7", R"({"op":7})", R"({"op":"drop"})", R"({"op":"pair"})"})
    EXPECT_EQ(ask(mallory_, wrong).find("code"), std::string::npos) << wrong;
}

TEST_F(BridgeHost, Atk40i_A_chat_gets_no_word_of_an_agent_that_it_is_not_paired_with) {
  ASSERT_TRUE(mallory_.send("bridge", "for the chat of carol"));
  EXPECT_EQ(next(mallory_), "no chat is paired with you");
  ASSERT_TRUE(carol_.send("bridge", "mine"));
  EXPECT_EQ(next(carol_), "you said mine") << "and of all that was said to the bridge, the first";
}

TEST_F(BridgeHost, Atk40j_What_is_bridged_already_is_not_carried_on) {
  SendOptions options;
  options.provenance = "bridged:elsewhere";
  ASSERT_TRUE(carol_.send("bridge", "from elsewhere", options));
  ASSERT_TRUE(carol_.send("bridge", "mine"));
  EXPECT_EQ(next(carol_), "you said mine");
}

}  // namespace
}  // namespace sealwire::bridge

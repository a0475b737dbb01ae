// A bridge that is stuck, or dies at every start, beside two agents that are well: theirs arrives,
// and what was meant for the bridge waits within its bounds, to be delivered or reported later.
#include <gtest/gtest.h>

#include "adapters/bridges/host/host.h"
#include "adapters/bridges/process/process.h"
#include "tests/sdk/live_broker.h"

namespace sealwire::bridge {
namespace {

constexpr auto kSoon = std::chrono::seconds(60);
constexpr const char* kStuck = SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/stuck.py";
constexpr const char* kDead = SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/dead.py";
constexpr const char* kWell = SEALWIRE_SOURCE_DIR "/adapters/bridges/hello/bridge.py";

/// What came to an agent, for a test that waits for some of it.
class Heard {
 public:
  explicit Heard(Agent& agent) {
    agent.on_message([this](const Message& message) {
      const std::lock_guard lock(mutex_);
      auto& list = message.kind == PayloadKind::error ? errors_ : texts_;
      list.emplace_back(message.text());
      changed_.notify_all();
    });
  }
  bool wait(const std::function<bool(std::size_t texts, std::size_t errors)>& enough) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kSoon, [&] { return enough(texts_.size(), errors_.size()); });
  }
  std::vector<std::string> texts() const {
    const std::lock_guard lock(mutex_);
    return texts_;
  }
  std::vector<std::string> errors() const {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_, errors_;
};

class Neighbour : public testing::Test {
 protected:
  void SetUp() override {
    test::introduce(alice_, "alice", bob_, "bob");
    test::introduce(carol_, "carol", bridge_, "bridge");
    ASSERT_FALSE(HasFatalFailure());
  }
  void TearDown() override {
    stop_ = true;
    if (running_.joinable()) running_.join();
    for (Agent* agent : {&alice_, &bob_, &carol_})
      agent->stop();
  }

  Agent open(const std::string& name) {
    auto agent = Agent::open(broker_.make_agent(name));
    EXPECT_TRUE(agent) << agent.error().detail;
    return std::move(*agent);
  }
  /// The agent `bridge` has this one until `well_`; it speaks with carol.
  void run_bridge(const char* unwell) {
    HostOptions options;
    options.pairings = {{"c", "*", carol_.id()}};
    options.log = [](const std::string&) {};
    const Launch launch = [this, unwell](Bridge::OnSaid said, Bridge::OnEnd ended) {
      ProcessOptions process;
      process.command = {"/usr/bin/python3", "-s", well_ ? kWell : unwell};
      process.log = [](const std::string&) {};
      return start_process(process, std::move(said), std::move(ended));
    };
    host_.emplace(std::move(bridge_), launch, std::move(options));
    running_ = std::thread([this] { EXPECT_TRUE(host_->run([this] { return stop_.load(); })); });
  }
  void send_to_bridge(std::size_t count) {
    // The first one is more than a pipe holds: who tells it waits until it is read, or given up.
    const std::string large(100'000, 'x');
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_TRUE(carol_.send("bridge", std::to_string(i) + (i == 0 ? large : " small")));
  }
  void expect_the_others_are_served() {
    constexpr std::size_t kMessages = 200;
    for (std::size_t i = 0; i < kMessages; ++i)
      ASSERT_TRUE(alice_.send("bob", std::to_string(i)));
    ASSERT_TRUE(at_bob_.wait([](std::size_t texts, std::size_t) { return texts >= kMessages; }));
    const auto texts = at_bob_.texts();
    for (std::size_t i = 0; i < kMessages; ++i)
      EXPECT_EQ(texts[i], std::to_string(i));
  }
  /// Each of carol's messages was shown once and in order, or she was told that it was not.
  void expect_all_accounted_for(std::size_t count) {
    ASSERT_TRUE(at_carol_.wait([&](std::size_t t, std::size_t e) { return t + e >= count; }))
        << at_carol_.texts().size() << " shown, " << at_carol_.errors().size() << " refused";
    EXPECT_EQ(at_carol_.texts().size() + at_carol_.errors().size(), count);
    for (const std::string& error : at_carol_.errors())
      EXPECT_EQ(error, "too much waits for chat c");
    constexpr std::string_view kEcho = "you said ";
    int last = -1;
    for (const std::string& text : at_carol_.texts()) {
      ASSERT_TRUE(text.starts_with(kEcho)) << text.substr(0, 80);
      const int number = std::stoi(text.substr(kEcho.size(), 10));
      EXPECT_GT(number, last);
      last = number;
    }
  }

  test::LiveBroker broker_{"ws://127.0.0.1:0"};
  Agent alice_ = open("alice"), bob_ = open("bob"), carol_ = open("carol"),
        bridge_ = open("bridge");
  Heard at_bob_{bob_}, at_carol_{carol_};
  std::atomic<bool> well_ = false, stop_ = false;
  std::optional<Host> host_;
  std::thread running_;
};

TEST_F(Neighbour, ABridgeThatReadsNothingHoldsUpItsOwnMessagesOnlyAndABoundedNumberOfThem) {
  run_bridge(kStuck);
  constexpr std::size_t kTooMany = 50;
  send_to_bridge(kWaitingPerChat + kTooMany);
  ASSERT_TRUE(at_carol_.wait([](std::size_t, std::size_t errors) { return errors >= kTooMany; }));
  expect_the_others_are_served();
  EXPECT_EQ(at_carol_.texts().size(), 0U);
  EXPECT_LE(host_->in_hand(), kInHand);
  well_ = true;  // it is ended for what it leaves unread, and started again
  expect_all_accounted_for(kWaitingPerChat + kTooMany);
  EXPECT_EQ(at_carol_.texts().size(), kWaitingPerChat);
}

TEST_F(Neighbour, ABridgeThatDiesAtEveryStartHoldsUpItsOwnMessagesOnlyAndABoundedNumberOfThem) {
  run_bridge(kDead);
  send_to_bridge(kInHand + 100);
  expect_the_others_are_served();
  EXPECT_LE(host_->in_hand(), kInHand);
  EXPECT_EQ(at_carol_.texts().size() + at_carol_.errors().size(), 0U);
  well_ = true;
  expect_all_accounted_for(kInHand + 100);
  EXPECT_GE(at_carol_.texts().size(), kWaitingPerChat);
  EXPECT_GE(host_->counts().restarts, 1U);
}

}  // namespace
}  // namespace sealwire::bridge

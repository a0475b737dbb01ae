// The whole of it: a real sealwired that listens on Telegram, and two agents of the SDK, each
// behind a bot of its own, in conversation through the double.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "sealwire/agent.h"
#include "sealwire/context.h"
#include "tests/adapters/telegram/telegram_double.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

constexpr auto kSoon = std::chrono::seconds(40);

// SEALWIRE_TELEGRAM_PACE_MS=1000 is what operators have.
unsigned pace_ms() {
  const char* const given = std::getenv("SEALWIRE_TELEGRAM_PACE_MS");
  return given != nullptr ? static_cast<unsigned>(std::stoul(given)) : 20;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class TelegramConversation : public testing::Test {
 protected:
  void SetUp() override {
    if (!TelegramDouble::available()) GTEST_SKIP();
    double_ = std::make_unique<TelegramDouble>();
    auto made = SealwiredProcess::make(SEALWIRED);
    ASSERT_TRUE(made) << made.error().detail;
    broker_.emplace(std::move(*made));
    std::ofstream config(broker_->folder() / "sealwired.toml", std::ios::app);
    config << "\n[[listen]]\nuri = \"" << TelegramDouble::uri(TelegramDouble::kBroker) << "\"\n";
    for (const auto& [name, value] : double_->options(TelegramDouble::kBroker, pace_ms()))
      config << name << " = \"" << value << "\"\n";
    config.close();
    const auto started = broker_->start();
    ASSERT_TRUE(started) << started.error().detail;
  }
  void TearDown() override {
    if (!broker_) return;
    EXPECT_EQ(broker_->stop(SIGTERM), 0) << broker_->log();
  }

  Result<Agent> open(const std::string& name, std::int64_t bot) {
    Context context;
    context.name = name;
    context.endpoints = {{broker_->endpoint("telegram"), double_->options(bot, pace_ms()), false}};
    context.trust_first_use = true;
    const std::string home = (broker_->folder() / "home").string();
    SW_TRY(const Context written, write_context(home, context));
    SW_TRY(const std::string id, create_key(written, ""));
    const char* arguments[] = {"test", "--home", home.c_str(), "--context", name.c_str()};
    SW_TRY(const Options options, Options::from_arguments(5, arguments));
    return Agent::open(options);
  }

  std::unique_ptr<TelegramDouble> double_;
  std::optional<SealwiredProcess> broker_;
};

TEST_F(TelegramConversation, TwoAgentsConverseAndTelegramReadsNothing) {
  EXPECT_EQ(broker_->endpoint("telegram"), TelegramDouble::uri(TelegramDouble::kBroker));
  auto alice = open("alice", TelegramDouble::kAgent);
  auto bob = open("bob", TelegramDouble::kOther);
  ASSERT_TRUE(alice) << alice.error().detail;
  ASSERT_TRUE(bob) << bob.error().detail;
  ASSERT_TRUE(alice->wait_connected(kSoon));
  ASSERT_TRUE(bob->wait_connected(kSoon));
  ASSERT_TRUE(alice->add_peer(bob->id(), "bob", kSoon));
  ASSERT_TRUE(bob->add_peer(alice->id(), "alice", kSoon));
  bob->on_message([](const Message& message) {
    EXPECT_TRUE(message.reply("answer to " + std::string(message.text())));
  });
  // The last is too long for text messages.
  for (const std::string& question :
       {std::string("plain_words_of_alice"), std::string("again"), std::string(300'000, 'x')}) {
    const auto answer = alice->request("bob", question, kSoon);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text(), "answer to " + question);
  }
  const std::string seen = double_->tell("log").dump();
  EXPECT_NE(seen.find("sealwire.0 "), std::string::npos);
  EXPECT_NE(seen.find("sealwire.bin"), std::string::npos) << "the long one went as a document";
  EXPECT_EQ(seen.find("plain_words_of_alice"), std::string::npos);

  const std::string canary = TelegramDouble::kCanary;
  EXPECT_EQ(broker_->log().find(canary), std::string::npos);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(broker_->folder()))
    if (entry.is_regular_file()) {
      EXPECT_EQ(contents(entry.path()).find(canary), std::string::npos) << entry.path();
    }
}

}  // namespace
}  // namespace sealwire::test

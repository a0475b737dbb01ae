// `sealwire up --demo --once`: what `./run --once` does.
#include <signal.h>

#include "tests/sdk/cli/development.h"

namespace sealwire::cli {
namespace {

using nlohmann::json;

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(json::parse(line, nullptr, false));
  return lines;
}

std::vector<json> said(const std::vector<json>& events) {
  std::vector<json> result;
  for (const json& event : events)
    if (event["event"] == "said") result.push_back(event);
  return result;
}

class Up : public ::testing::Test {
 protected:
  test::Ended once() {
    return test::sealwire(directory_,
                          {"up", "--demo", "--once", "--json", "--dir", directory_ / "dev"});
  }
  test::TemporaryDirectory directory_;
};

TEST_F(Up, TheDemoShowsWhatWasSaidBesideWhatTheBrokerSaw) {
  const auto first = once();
  ASSERT_EQ(first.status, 0) << first.err;
  const auto events = lines_of(first.out);
  const auto lines = said(events);
  ASSERT_EQ(lines.size(), 5U);
  std::vector<std::string> kinds;
  std::set<std::string> digests;
  for (const json& line : lines)
    for (const json& seen : line["broker_saw"]) {
      kinds.push_back(seen["kind"]);
      EXPECT_GT(seen["bytes"], 100);
      digests.insert(seen["digest"].get<std::string>());
      EXPECT_EQ(seen["digest"].get<std::string>().size(), 64U);
    }
  EXPECT_EQ(kinds, (std::vector<std::string>{"commit", "welcome", "application", "application",
                                             "application", "application", "application"}));
  EXPECT_EQ(digests.size(), kinds.size());
  EXPECT_EQ(events.back()["event"], "searched");
  EXPECT_GT(events.back()["bytes"], 10'000);
  EXPECT_TRUE(events.back()["found_in"].empty());

  const auto second = once();
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(lines_of(second.out)[0]["broker_key"], events[0]["broker_key"]);
  const auto again = said(lines_of(second.out));
  ASSERT_EQ(again.size(), 5U);
  EXPECT_EQ(again[0]["broker_saw"].size(), 1U) << "the conversation goes on";
}

TEST_F(Up, KilledOutrightItLeavesNoBrokerBehind) {
  auto child =
      Child::start({SEALWIRE_CLI, "up", "--json", "--dir", directory_ / "dev"}, directory_ / "err");
  ASSERT_TRUE(child);
  LineReader lines(child->output(), 65536);
  ASSERT_FALSE(test::read_until(lines, [](const auto& e) { return e["event"] == "up"; }).is_null());
  ASSERT_EQ(::kill(child->pid(), SIGKILL), 0);
  // The broker holds its store's lock while it lives: the next start waits for nobody else.
  for (;;)
    if (child->ended()) break;
  test::Ended next;
  for (int attempt = 0; attempt < 50; ++attempt)
    if (next = once(); next.status == 0) break;
  EXPECT_EQ(next.status, 0) << next.err;
}

TEST_F(Up, ABrokerThatCannotStartIsExplained) {
  ASSERT_EQ(once().status, 0);
  std::filesystem::permissions(
      directory_ / "dev/broker/broker.key",
      std::filesystem::perms::owner_all | std::filesystem::perms::others_read);
  const auto run = once();
  EXPECT_EQ(run.status, 4);
  EXPECT_EQ(run.err.rfind("{\"error\":", 0), 0U) << run.err;
  EXPECT_NE(run.err.find("broker.key"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace sealwire::cli

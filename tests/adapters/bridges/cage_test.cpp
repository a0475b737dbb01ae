// A bridge gone bad in its cage: what it tries is denied, and it lives on to say so.
#include "adapters/bridges/process/cage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <future>

#include "adapters/bridges/process/process.h"

namespace sealwire::bridge {
namespace {

std::map<std::string, std::string> attempts(bool caged) {
  std::map<std::string, std::string> outcomes;
  std::promise<void> finished;
  const ProcessOptions options{
      {"/usr/bin/python3", "-s", SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/hostile.py"},
      [](const std::string& line) { ADD_FAILURE() << line; },
      caged};
  auto bridge = start_process(
      options,
      [&](Said said) {
        if (const auto* receive = std::get_if<Receive>(&said))
          outcomes[receive->id] = as_text(receive->content.data);
        if (std::holds_alternative<Delivered>(said)) finished.set_value();
      },
      [&](const Error& why) {
        ADD_FAILURE() << why.detail;
        finished.set_value();
      });
  EXPECT_TRUE(bridge) << (bridge ? "" : bridge.error().detail);
  if (bridge) finished.get_future().wait();
  return outcomes;
}

TEST(Cage, EverythingThatAHostileBridgeTriesIsDenied) {
  ::setenv("SEALWIRE_CANARY", "canary", 1);
  const auto outcomes = attempts(true);
  EXPECT_EQ(outcomes.size(), 21U);
  for (const auto& [name, outcome] : outcomes)
    EXPECT_TRUE(outcome == "EPERM" || outcome == "EACCES") << name << ": " << outcome;
}

TEST(Cage, WhereALayerIsMissingNothingStartsOrElseThereIsNone) {
  const CageSupport support = cage_support();
  const auto cage = Cage::build({"/usr/bin/python3"});
  EXPECT_EQ(cage.has_value(), support.seccomp && support.landlock > 0);
}

TEST(Cage, AProgramThatIsNotThereIsAnError) {
  const auto bridge = start_process(
      {{"/nowhere/bridge"}, [](const auto&) {}, true}, [](Said) {}, [](const Error&) {});
  ASSERT_FALSE(bridge);
  EXPECT_EQ(bridge.error().code, Errc::file_failed);
}

}  // namespace
}  // namespace sealwire::bridge

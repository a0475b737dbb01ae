// A bridge's process and the pipes to it.
#include "adapters/bridges/process/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <future>

namespace sealwire::bridge {
namespace {

TEST(Process, OneThatClosesItsInputIsEndedAndItsHostGetsNoSignal) {
  ::signal(SIGPIPE, SIG_DFL);
  std::promise<void> said_hello;
  std::promise<Error> ended;
  auto bridge = start_process(
      {{"/bin/sh", "-c",
        R"(exec <&-; echo '{"op":"hello","contract":1,"name":"deaf"}'; exec sleep 600)"},
       [](const std::string& line) { ADD_FAILURE() << line; },
       false},
      [&](const Said&) { said_hello.set_value(); },
      [&](const Error& why) { ended.set_value(why); });
  ASSERT_TRUE(bridge) << bridge.error().detail;
  said_hello.get_future().wait();
  (*bridge)->tell(Stop{});
  EXPECT_EQ(ended.get_future().get().code, Errc::closed);
}

}  // namespace
}  // namespace sealwire::bridge

// The ten lines of the README, as a process of their own: they answer, and end in order on SIGINT.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/sdk/live_broker.h"

namespace sealwire::test {
namespace {

TEST(Echo, AnswersRequestsAndDrainsOnInterrupt) {
  LiveBroker broker("ws://127.0.0.1:0");
  auto alice = Agent::open(broker.make_agent("alice"));
  ASSERT_TRUE(alice) << alice.error().detail;
  ASSERT_TRUE(alice->wait_connected(std::chrono::seconds(20)));
  {
    // The echo agent's contacts are its owner's business, before it runs.
    auto echo = Agent::open(broker.make_agent("echo"));
    ASSERT_TRUE(echo) << echo.error().detail;
    introduce(*alice, "alice", *echo, "echo");
  }
  const std::string home = broker.home();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(SEALWIRE_ECHO, "echo", "--home", home.c_str(), "--context", "echo", nullptr);
    ::_exit(127);
  }
  for (const char* text : {"one", "two"}) {
    const auto answer = alice->request("echo", text, std::chrono::seconds(30));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text(), text);
  }
  ::kill(child, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace sealwire::test

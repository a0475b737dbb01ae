// A bridge that attacks the kernel: ended, started again, and counted where its operator looks.
#include <thread>

#include "tests/sdk/cli/development.h"

namespace sealwire::cli {
namespace {

class AttackingBridge : public test::Development {};

TEST_F(AttackingBridge, IsEndedAndCounted) {
  std::ofstream(*directory_ / "bridge.py")
      << "import ctypes\n"
         "print('{\"op\":\"hello\",\"contract\":1,\"name\":\"bad\"}', flush=True)\n"
         "ctypes.CDLL(None).ptrace(16, 1, 0, 0)\n";
  const std::string errors = *directory_ / "attack.err";
  auto run = Child::start({SEALWIRE_CLI, "--home", *directory_ / "agents", "-c", "alice", "adapter",
                           "run", *directory_ / "bridge.py"},
                          errors);
  ASSERT_TRUE(run) << run.error().detail;
  const std::string ended = "the kernel ended the bridge";
  for (int i = 0; i < 600 && test::slurp(errors).find(ended) == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_NE(test::slurp(errors).find(ended), std::string::npos) << test::slurp(errors);
  ::kill(run->pid(), SIGINT);
  LineReader lines(run->output(), 65536);
  const auto counts =
      test::read_until(lines, [](const auto& line) { return line.contains("attacks"); });
  ASSERT_FALSE(counts.is_null()) << test::slurp(errors);
  EXPECT_GE(counts["attacks"].get<int>(), 1);
  EXPECT_EQ(counts["attacks"], counts["restarts"]);
}

}  // namespace
}  // namespace sealwire::cli

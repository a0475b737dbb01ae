// One call of sealwired fails under load (a sync, a write, an allocation), at another place in
// every round: nothing is accepted falsely, and sealwired goes on or ends by itself with a reason.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "tests/faults/pairs.h"

namespace sealwire::test {
namespace {

struct Kind {
  const char* name;
  std::uint64_t calls;  // those that a round has, roughly: the one that fails is one of them
};
constexpr Kind kKinds[] = {{"sync", 40}, {"write", 400}, {"memory", 20'000}};

int run(const char* program, const char* shim, int rounds, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  crypto::SystemRandom random;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  auto broker = SealwiredProcess::make(program);
  if (!broker) {
    std::fprintf(stderr, "%s\n", broker.error().detail.c_str());
    return 1;
  }
  Pair pairs[] = {Pair(random), Pair(random)};
  const std::string mark = (broker->folder() / "failed").string();
  std::map<std::string, int> outcomes;
  for (int round = 0; round < rounds; ++round) {
    const Kind& kind = kKinds[round % 3];
    const std::uint64_t call = 1 + engine() % kind.calls;
    const std::string what = std::string(kind.name) + " " + std::to_string(call);
    const auto failed = [&](const std::string& why) {
      std::printf("round %d, %s: %s\n%d passed, 1 failed\n", round, what.c_str(), why.c_str(),
                  round);
      return 1;
    };
    std::filesystem::remove(mark);
    ::setenv("SEALWIRE_PRELOAD", shim, 1);
    ::setenv("SEALWIRE_FAIL", kind.name, 1);
    ::setenv("SEALWIRE_FAIL_AT", std::to_string(call).c_str(), 1);
    ::setenv("SEALWIRE_FAILED", mark.c_str(), 1);
    const auto started = broker->start();
    ::unsetenv("SEALWIRE_PRELOAD");
    std::string outcome = "did not start";
    if (started) {
      // It may fail, or end, while they connect; only what is accepted is a promise.
      const std::string trouble = settle(*broker, pairs);
      if (trouble.empty()) load(pairs, std::chrono::milliseconds(300));
      const int status = broker->stop(SIGTERM);
      if (WIFSIGNALED(status)) return failed("ended by signal " + std::to_string(WTERMSIG(status)));
      outcome = WEXITSTATUS(status) == 0 ? "went on" : "ended with a reason";
      if (outcome == "went on" && !trouble.empty()) outcome = "refused service for a while";
      for (Pair& pair : pairs)
        pair.disconnect();
    }
    if (!started && started.error().detail.find("(signal ") != std::string::npos)
      return failed(started.error().detail);
    if (!std::filesystem::exists(mark)) outcome = "not reached";
    ++outcomes[std::string(kind.name) + ": " + outcome];
    for (Pair& pair : pairs)
      if (!pair.error().empty()) return failed(pair.error());
    if (const auto again = broker->start(); !again) return failed(again.error().detail);
    if (const std::string why = settle(*broker, pairs); !why.empty()) return failed(why);
    broker->stop(SIGTERM);
    for (Pair& pair : pairs)
      pair.disconnect();
  }
  for (const auto& [outcome, count] : outcomes)
    std::printf("%s: %d\n", outcome.c_str(), count);
  std::printf("%zu accepted, %zu received once\n", pairs[0].accepted() + pairs[1].accepted(),
              pairs[0].received() + pairs[1].received());
  std::printf("%d passed, 0 failed\n", rounds);
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: broker_failures SEALWIRED SHIM ROUNDS [SEED]\n");
    return 2;
  }
  sealwire::crypto::initialise();
  ::signal(SIGPIPE, SIG_IGN);
  const std::uint64_t seed =
      argc == 5 ? std::strtoull(argv[4], nullptr, 10) : std::random_device{}();
  return sealwire::test::run(argv[1], argv[2], std::atoi(argv[3]), seed);
}

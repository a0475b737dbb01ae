// simulate FIRST LAST [--tell]: runs the seeds from FIRST to LAST, on every core. A failing seed is
// printed, shrunk, and told step by step.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

#include "protocol/identity/did_key.h"
#include "tests/simulation/system.h"
#include "tests/simulation/temporary_folder.h"

namespace sealwire::test {
namespace {

constexpr std::size_t kShrinkRuns = 1500;

void print_failure(const Prepared& prepared, const Schedule& failing, const RunResult& result) {
  std::printf("seed %llu: %s (step %zu)\n", static_cast<unsigned long long>(failing.seed),
              result.violation->c_str(), result.violated_at);
  Schedule small = shrink(prepared, failing, kShrinkRuns);
  small.told = true;
  std::printf("shrunk from %zu steps to %zu:\n", failing.steps,
              small.steps - small.left_out.size());
  std::fflush(stdout);
  const RunResult again = run(prepared, small);
  std::printf("  ends with: %s\n", again.violation ? again.violation->c_str() : "nothing");
}

/// Seeds first, first + stride, … up to last.
int worker(std::uint64_t first, std::uint64_t last, std::uint64_t stride, bool told) {
  const TemporaryFolder folder;
  const Prepared prepared = Prepared::make(folder.path);
  std::map<std::string, std::size_t> sum;
  std::size_t failed = 0;
  for (std::uint64_t seed = first; seed <= last; seed += stride) {
    Schedule schedule;
    schedule.seed = seed;
    schedule.told = told;
    const RunResult result = run(prepared, schedule);
    if (told) std::printf("trace %s\n", hex(result.trace).c_str());
    sum["accepted"] += result.messages.accepted;
    sum["received"] += result.messages.received;
    sum["sent"] += result.messages.sent;
    for (const auto& [what, times] : result.faults)
      sum[what] += times;
    if (!result.violation) continue;
    ++failed;
    print_failure(prepared, schedule, result);
    if (failed >= 3) break;
  }
  // One line, so that the lines of several workers do not mix.
  std::string line = "worker " + std::to_string(first) + ":";
  for (const auto& [what, times] : sum)
    line += " " + std::to_string(times) + " " + what + ",";
  line.back() = '\n';
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
  return failed == 0 ? 0 : 1;
}

int run_all(std::uint64_t first, std::uint64_t last, bool told) {
  const std::uint64_t workers = told ? 1 : std::max(1u, std::thread::hardware_concurrency());
  for (std::uint64_t i = 0; i < workers; ++i)
    if (::fork() == 0) {
      const int status = worker(first + i, last, workers, told);
      std::fflush(stdout);
      ::_exit(status);
    }
  bool good = true;
  int status = 0;
  while (::wait(&status) > 0)
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  std::printf("%llu passed, %d failed\n",
              good ? static_cast<unsigned long long>(last - first + 1) : 0ull, good ? 0 : 1);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: simulate FIRST LAST [--tell]\n");
    return 2;
  }
  return sealwire::test::run_all(std::strtoull(argv[1], nullptr, 10),
                                 std::strtoull(argv[2], nullptr, 10),
                                 argc > 3 && std::strcmp(argv[3], "--tell") == 0);
}

// sealwired is killed (SIGKILL) under load, again and again. After every restart: whatever was
// accepted before the kill arrives, in order, and no message arrives as a second one.
// One pair of agents on each channel. With a COMMAND, the power of the file system under the
// broker's folder is cut as well: it is called with `cut` under load, with `restore` after the
// kill.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/faults/pair.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

int run(const char* program, int rounds, std::uint64_t seed, const std::string& power) {
  std::mt19937_64 engine(seed);
  crypto::SystemRandom random;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  auto broker = SealwiredProcess::make(program);
  if (!broker) {
    std::fprintf(stderr, "%s\n", broker.error().detail.c_str());
    return 1;
  }
  Pair pairs[] = {Pair(random), Pair(random)};
  const char* schemes[] = {"wss", "tcp"};
  const auto check = [&](int round, const std::string& what) {
    if (what.empty()) return true;
    std::fputs(broker->log().c_str(), stdout);
    std::printf("round %d: %s\n%d passed, 1 failed\n", round, what.c_str(), round);
    return false;
  };
  for (int round = 0; round <= rounds; ++round) {
    if (const auto started = broker->start(); !started)
      return !check(round, started.error().detail);
    for (int i = 0; i < 2; ++i) {
      if (const auto connected = pairs[i].connect(broker->endpoint(schemes[i])); !connected)
        return !check(round, std::string(schemes[i]) + ": " +
                                 std::string(name(connected.error().code)) + " " +
                                 connected.error().detail);
      pairs[i].listen();
    }
    for (int i = 0; i < 2; ++i)
      if (!pairs[i].wait_for_delivery())
        return !check(round, std::string(schemes[i]) + ": accepted " +
                                 std::to_string(pairs[i].accepted()) + ", received " +
                                 std::to_string(pairs[i].received()) + " " + pairs[i].error());
    if (round == rounds) break;
    std::vector<std::thread> senders;
    for (Pair& pair : pairs)
      senders.emplace_back([&pair] { pair.run(); });
    // Long enough for thousands of commits over all rounds, at a moment nobody chose.
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + engine() % 400));
    // A machine without power tells nobody what a sync that was under way came to.
    if (!power.empty()) broker->freeze();
    if (!power.empty() && std::system((power + " cut").c_str()) != 0)
      return !check(round, "the power is not cut");
    broker->stop(SIGKILL);
    for (Pair& pair : pairs)
      pair.stop(true);
    for (auto& sender : senders)
      sender.join();
    for (int i = 0; i < 2; ++i) {
      pairs[i].disconnect();
      pairs[i].stop(false);
      if (!check(round, pairs[i].error())) return 1;
    }
    if (!power.empty() && std::system((power + " restore").c_str()) != 0)
      return !check(round, "the power does not return");
  }
  const int status = broker->stop(SIGTERM);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return !check(rounds, "SIGTERM: status " + std::to_string(status));
  for (int i = 0; i < 2; ++i)
    std::printf("%s: %zu accepted, %zu received once, %zu delivered again and recognised\n",
                schemes[i], pairs[i].accepted(), pairs[i].received(), pairs[i].again());
  if (pairs[0].accepted() == 0 || pairs[1].accepted() == 0)
    return !check(rounds, "there was no load");
  std::printf("%d passed, 0 failed\n", rounds);
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) {
    std::fprintf(stderr, "usage: broker_kill SEALWIRED ROUNDS [SEED [COMMAND]]\n");
    return 2;
  }
  sealwire::crypto::initialise();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  ::signal(SIGPIPE, SIG_IGN);
  const std::uint64_t seed =
      argc >= 4 ? std::strtoull(argv[3], nullptr, 10) : std::random_device{}();
  return sealwire::test::run(argv[1], std::atoi(argv[2]), seed, argc == 5 ? argv[4] : "");
}

// The disk under sealwired fills up under load, again and again: what does not fit is refused with
// a name, what was accepted is delivered even then, and when there is room again service goes on,
// all without a restart. Run it on a small file system of its own (TMPDIR).
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "tests/faults/pairs.h"

namespace sealwire::test {
namespace {

constexpr std::size_t kSomeMore = 50;  // messages, each way, before service counts as restored

/// Takes all room that is left below `folder`, block by block in the end: with less, a block that
/// becomes free meanwhile would be filled byte by byte. False if there is too much of it.
bool fill(const std::filesystem::path& folder) {
  constexpr std::size_t kMost = 2048;  // MiB
  constexpr std::size_t kBlock = 4096;
  const std::vector<char> block(1 << 20, 'x');
  const int file = ::open((folder / "filler").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  bool full = false;
  std::size_t size = block.size();
  for (std::size_t i = 0; i < kMost && !full; ++i)
    while (!full && ::write(file, block.data(), size) < 0) {
      if (errno != ENOSPC) break;
      size /= 2;
      full = size < kBlock;
    }
  ::fsync(file);
  ::close(file);
  return full;
}

/// Until both have had some more accepted; the reason if that does not come.
std::string served_again(SealwiredProcess& broker, Pair (&pairs)[2]) {
  const std::size_t before[] = {pairs[0].accepted(), pairs[1].accepted()};
  const auto until = std::chrono::steady_clock::now() + kPatience;
  do {
    for (Pair& pair : pairs)
      pair.disconnect();
    std::string why = settle(broker, pairs);
    if (why.starts_with("overloaded")) continue;  // it has not noticed yet
    if (!why.empty()) return why;
    load(pairs, std::chrono::milliseconds(200));
    if (pairs[0].accepted() >= before[0] + kSomeMore &&
        pairs[1].accepted() >= before[1] + kSomeMore)
      return {};
  } while (std::chrono::steady_clock::now() < until);
  return "there is room again, and nothing is accepted";
}

int run(const char* program, int rounds) {
  crypto::SystemRandom random;
  auto broker = SealwiredProcess::make(program);
  const auto failed = [&](int round, const std::string& why) {
    if (broker) std::fputs(broker->log().c_str(), stdout);
    std::printf("round %d: %s\n%d passed, 1 failed\n", round, why.c_str(), round);
    return 1;
  };
  if (!broker) return failed(0, broker.error().detail);
  if (const auto started = broker->start(); !started) return failed(0, started.error().detail);
  Pair pairs[] = {Pair(random), Pair(random)};
  if (const std::string why = settle(*broker, pairs); !why.empty()) return failed(0, why);
  for (int round = 0; round < rounds; ++round) {
    std::thread filler;
    bool full = false;
    filler = std::thread([&] { full = fill(broker->folder()); });
    std::vector<std::thread> senders;
    for (Pair& pair : pairs)
      senders.emplace_back([&pair] { pair.run(); });
    filler.join();
    bool refused = true;
    for (Pair& pair : pairs)
      refused = pair.wait_for_refusal() && refused;
    for (Pair& pair : pairs)
      pair.stop(true);
    for (auto& sender : senders)
      sender.join();
    for (Pair& pair : pairs)
      pair.stop(false);
    for (Pair& pair : pairs)
      if (!pair.error().empty()) return failed(round, pair.error());
    if (!full) return failed(round, "the file system is too large to be filled");
    if (!refused) return failed(round, "the disk is full, and nobody is refused");
    std::filesystem::remove(broker->folder() / "filler");
    if (const std::string why = served_again(*broker, pairs); !why.empty())
      return failed(round, why);
  }
  for (Pair& pair : pairs)
    pair.disconnect();
  const int status = broker->stop(SIGTERM);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return failed(rounds, "SIGTERM: status " + std::to_string(status));
  std::printf("%zu accepted, %zu received once\n", pairs[0].accepted() + pairs[1].accepted(),
              pairs[0].received() + pairs[1].received());
  std::printf("%d passed, 0 failed\n", rounds);
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: broker_full SEALWIRED ROUNDS\n");
    return 2;
  }
  sealwire::crypto::initialise();
  ::signal(SIGPIPE, SIG_IGN);
  return sealwire::test::run(argv[1], std::atoi(argv[2]));
}

// Agents are killed (SIGKILL) under load, again and again: now the sender, now the receiver, now
// both. In the end every message that a sender's transaction sent has come once and in order,
// counted in the receiver's inbox transactions.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/faults/agents.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

class FaultAgent {
 public:
  FaultAgent(std::string program, std::string home, std::string context)
      : program_(std::move(program)), home_(std::move(home)), context_(std::move(context)) {}
  ~FaultAgent() { end(SIGKILL); }

  void start(const std::string& what, const std::string& peer = "") {
    pid_ = ::fork();
    if (pid_ == 0) {
      const char* last = peer.empty() ? nullptr : peer.c_str();
      ::execl(program_.c_str(), "fault_agent", what.c_str(), home_.c_str(), context_.c_str(), last,
              nullptr);
      ::_exit(127);
    }
  }
  /// The exit status as of waitpid; 0 if it does not run.
  int end(int signal) {
    if (pid_ <= 0) return 0;
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  /// Whether it ended by itself, which it never should.
  bool failed() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = -1;
    return true;
  }
  std::uint64_t count() const {
    const std::string command = program_ + " count " + home_ + " " + context_;
    FILE* output = ::popen(command.c_str(), "r");
    unsigned long long number = 0;
    if (output == nullptr || std::fscanf(output, "%llu", &number) != 1) number = 0;
    if (output != nullptr) ::pclose(output);
    return number;
  }

 private:
  std::string program_, home_, context_;
  pid_t pid_ = -1;
};

int run(const char* sealwired, const char* fault_agent, int rounds, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const auto failed = [&](int round, const std::string& why) {
    std::printf("round %d: %s\n%d passed, 1 failed\n", round, why.c_str(), round);
    return 1;
  };
  auto broker = SealwiredProcess::make(sealwired);
  if (!broker) return failed(0, broker.error().detail);
  if (const auto started = broker->start(); !started) return failed(0, started.error().detail);
  const std::string home = (broker->folder() / "agents").string();
  if (const auto done = introduce(home, "", broker->endpoint("wss")); !done)
    return failed(0, done.error().detail);

  FaultAgent sender(fault_agent, home, "sender");
  FaultAgent receiver(fault_agent, home, "receiver");
  sender.start("send", "receiver");
  receiver.start("receive");
  for (int round = 0; round < rounds; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + engine() % 500));
    if (sender.failed()) return failed(round, "the sender ended by itself");
    if (receiver.failed()) return failed(round, "the receiver ended by itself");
    const auto which = engine() % 3;
    if (which != 0) {
      sender.end(SIGKILL);
      sender.start("send", "receiver");
    }
    if (which != 1) {
      receiver.end(SIGKILL);
      receiver.start("receive");
    }
  }
  // No more is sent; what is on its way arrives.
  sender.end(SIGKILL);
  const std::uint64_t sent = sender.count();
  sender.start("wait");
  std::uint64_t received = 0;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    if (receiver.failed()) return failed(rounds, "the receiver ended by itself");
    if (receiver.end(SIGTERM) != 0) return failed(rounds, "the receiver did not drain");
    received = receiver.count();
    receiver.start("receive");
  } while (received < sent && std::chrono::steady_clock::now() < until);
  if (sender.end(SIGTERM) != 0) return failed(rounds, "the sender did not drain");
  std::printf("%llu sent, %llu received once and in order\n", static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(received));
  if (sent == 0 || received != sent) return failed(rounds, "not what was sent");
  std::printf("%d passed, 0 failed\n", rounds);
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: agent_kill SEALWIRED FAULT_AGENT ROUNDS [SEED]\n");
    return 2;
  }
  const std::uint64_t seed =
      argc == 5 ? std::strtoull(argv[4], nullptr, 10) : std::random_device{}();
  return sealwire::test::run(argv[1], argv[2], std::atoi(argv[3]), seed);
}

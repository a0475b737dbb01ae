// What strangers cost: N connections that go as far as they can without a key, and stay. Prints a
// JSON line a transport; fails where memory leaves its bounds. Latency is printed, and depends on
// the machine. usage: idle_cost [CONNECTIONS [TRANSPORT]]
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <iostream>

#include "adapters/channels/uri.h"
#include "tests/broker/server_fixture.h"
#include "tests/security/wire_peer.h"
#include "tests/support/envelopes.h"

namespace sealwire::broker {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr int kSamples = 400;

/// A broker in a process of its own, whose strangers may stay long enough to be counted.
class Broker {
 public:
  Broker() {
    int up[2], down[2];
    if (::pipe(up) != 0 || ::pipe(down) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ < 0) std::abort();
    if (pid_ == 0) serve(up[1], down[0]);
    ::close(up[1]);
    FILE* from = ::fdopen(up[0], "r");
    char line[512];
    while (uris_.size() < 4 && std::fgets(line, sizeof line, from) != nullptr)
      uris_.emplace_back(line, std::strlen(line) - 1);
    std::fclose(from);
  }
  ~Broker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  const std::string& uri(std::string_view transport) const {
    return uris_.at(transport == "wss" ? 0 : transport == "ws" ? 2 : 3);
  }
  std::size_t resident_bytes() const {
    std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
    std::size_t size = 0, resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }

 private:
  [[noreturn]] static void serve(int up, int down) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    TestServer server;
    Config config = server.config();
    config.router.handshake_ms = 600 * kSecondMs;
    config.router.handshakes = {1e6, 1e6};
    for (const char* uri : {"ws://127.0.0.1:0", "tcp://127.0.0.1:0"}) {
      ListenConfig listen;
      listen.uri = uri;
      config.listen.push_back(listen);
    }
    for (auto& listen : config.listen)
      listen.unproven_per_address_max = 20'000;
    server.start(config);
    for (const auto& uri : server->endpoints())
      ::dprintf(up, "%s\n", uri.c_str());
    char nothing = 0;
    (void)!::read(down, &nothing, 1);
    ::_exit(0);
  }
  pid_t pid_ = -1;
  std::vector<std::string> uris_;
};

template <class T>
void need(const Result<T>& result) {
  if (result) return;
  std::cerr << name(result.error().code) << ": " << result.error().detail << '\n';
  std::exit(1);
}

/// Two agents with a conversation; how long a message takes from one to the other.
class Pair {
 public:
  explicit Pair(const std::string& uri) {
    need(to_a_.connect(uri, a_, random_));
    need(to_b_.connect(uri, b_, random_));
    need(to_a_.allow(b_.identity.agent));
    need(to_b_.allow(a_.identity.agent));
    auto opening = test::open_conversation(a_, b_, random_, test::system_now());
    to_a_.send(test::send_frame({opening.bundle}));
    to_b_.credit(1 << 20, 1 << 30);
    need(to_b_.expect(wire::Body::Deliver));
    chain_ = opening.creator;
    chain_.agent = &a_;
  }
  /// The median of five rounds, so that a hiccup of the machine is not taken for the broker's.
  double p99_ms() {
    std::array<double, 5> rounds{};
    for (double& round : rounds)
      round = round_p99_ms();
    std::sort(rounds.begin(), rounds.end());
    return rounds[2];
  }

 private:
  double round_p99_ms() {
    std::vector<double> taken;
    for (int i = 0; i < kSamples; ++i) {
      const auto sent = chain_.next(as_bytes("x"), random_, test::system_now());
      const auto from = Clock::now();
      to_a_.send(test::send_frame({{sent.bytes}}));
      need(to_b_.expect(wire::Body::Deliver));
      taken.push_back(std::chrono::duration<double, std::milli>(Clock::now() - from).count());
    }
    std::sort(taken.begin(), taken.end());
    return taken[taken.size() * 99 / 100];
  }

  crypto::SystemRandom random_;
  test::RawAgent a_ = test::make_raw_agent(random_), b_ = test::make_raw_agent(random_);
  test::RawClient to_a_, to_b_;
  test::RawChain chain_;
};

std::string hello_text() {
  crypto::SystemRandom random;
  const auto who = test::make_raw_agent(random);
  handshake::ClientParameters parameters;
  parameters.inception = who.identity.inception;
  parameters.agent = who.identity.agent;
  return std::string(as_text(handshake::Client(who.key, parameters, {}, random).hello()));
}

struct Bound {
  const char* transport;
  std::size_t bytes_each;
  std::size_t bytes;  // of them all, however many come
};

bool measure(const Bound& bound, std::size_t count) {
  const std::string transport = bound.transport;
  Broker broker;
  const std::string& uri = broker.uri(transport);
  Pair pair(uri);
  pair.p99_ms();  // warm
  const double p99_before = pair.p99_ms();
  const std::size_t before = broker.resident_bytes();

  const std::string hello = hello_text();
  std::size_t turned_away = 0;
  std::vector<std::unique_ptr<WirePeer>> strangers;
  const auto from = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    strangers.push_back(std::make_unique<WirePeer>(transport, uri));
    WirePeer& stranger = *strangers.back();
    const bool open = stranger.open_if_answered().find("sealwire.0") != std::string::npos;
    // Once the Challenge has come the broker holds all that it will ever hold of a stranger.
    if (open && stranger.socket().send(stranger.message(hello)) &&
        stranger.socket().receive_until("SWTM").find("SWTM") != std::string::npos) {
      stranger.socket().forget_tls();
      continue;
    }
    if (open || strangers.size() <= ListenConfig{}.unproven_max) {
      std::cerr << transport << ": stranger " << i << " got no Challenge\n";
      return false;
    }
    strangers.pop_back();
    ++turned_away;
  }
  const double opened_s = std::chrono::duration<double>(Clock::now() - from).count();
  const std::size_t after = broker.resident_bytes();
  const double p99_during = pair.p99_ms();
  const std::size_t grown = after - before;
  const std::size_t held = strangers.size();
  const bool ok = grown <= bound.bytes_each * held && grown <= bound.bytes;
  std::cout << "{\"bench\": \"idle_cost\", \"transport\": \"" << transport
            << "\", \"connections\": " << count << ", \"turned_away\": " << turned_away
            << ", \"resident_MiB\": " << grown / kMiB << ", \"bytes_each\": " << grown / held
            << ", \"opened_seconds\": " << opened_s << ", \"p99_before_ms\": " << p99_before
            << ", \"p99_during_ms\": " << p99_during << ", \"ok\": " << (ok ? "true" : "false")
            << "}" << std::endl;
  return ok;
}

}  // namespace
}  // namespace sealwire::broker

int main(int argc, char** argv) {
  using namespace sealwire::broker;
  sealwire::crypto::initialise();
  ::signal(SIGPIPE, SIG_IGN);
  const std::size_t count = argc > 1 ? std::stoul(argv[1]) : 10'000;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < count + 200) {
    std::cout << "NOT CHECKED: idle_cost, only " << files.rlim_cur
              << " files may be open\n0 passed, " << (std::getenv("CI") != nullptr ? 1 : 0)
              << " failed\n";
    return std::getenv("CI") != nullptr;
  }
  int passed = 0, failed = 0;
  // Beyond the first of these it is the libraries': libzmq's buffers and pipes, Asio's and
  // OpenSSL's.
  for (const Bound& bound :
       {Bound{"ws", 16 * kKiB, 200 * kMiB}, Bound{"zmtp", 44 * kKiB, 200 * kMiB},
        Bound{"wss", 80 * kKiB, 500 * kMiB}})
    if (argc < 3 || std::string_view(argv[2]) == bound.transport)
      (measure(bound, count) ? passed : failed) += 1;
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed != 0;
}

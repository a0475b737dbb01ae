// What a neighbour that is not well costs others. Two agents talk through one real sealwired:
// alone, and beside a bridge that answers (for comparison), one that reads nothing, one that dies
// at every start, and a peer that has a session and reads nothing from its socket; by turns. Each
// neighbour gets a hundred messages a second meanwhile. Beside `nobody` is what the machine's noise
// makes.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "sealwire/agent.h"
#include "sealwire/context.h"
#include "tests/support/envelopes.h"
#include "tests/support/raw_client.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBytes = 1024;
constexpr std::size_t kInFlight = 256;
constexpr std::chrono::milliseconds kPause{10};  // between two messages to a neighbour
constexpr auto kLong = std::chrono::seconds(60);

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_neighbour: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(std::string(what) + ": " + result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double quantile(std::vector<double> all, double part) {
  const auto at =
      std::min(all.size() - 1, static_cast<std::size_t>(part * static_cast<double>(all.size())));
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(at));
  return all[at];
}

// --- those who are measured

struct Figures {
  double p50_ms = 0, p99_ms = 0, a_second = 0;
  std::array<double, 3> all() const { return {p50_ms, p99_ms, a_second}; }
};

struct Pair {
  Agent& from;
  Agent& to;
  std::size_t messages;  // for the rate; a sixth of them for the latency

  Figures measure() {
    const Payload payload(std::string(kBytes, 'x'));
    std::vector<double> took_ms;
    for (std::size_t i = 0; i < messages / 6; ++i) {
      const auto start = Clock::now();
      must(from.send("bob", payload), "send");
      const Message message = must(to.receive(kLong), "receive");
      took_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
      must(to.acknowledge(message), "acknowledge");
    }
    const auto start = Clock::now();
    std::thread receiver([&] {
      for (std::size_t i = 0; i < messages; ++i)
        must(to.acknowledge(must(to.receive(kLong), "receive")), "acknowledge");
    });
    std::vector<Sending> under_way(kInFlight);
    for (std::size_t i = 0; i < messages; ++i) {
      Sending& slot = under_way[i % kInFlight];
      if (i >= kInFlight) must(slot.wait(kLong), "accepted");
      slot = must(from.send("bob", payload), "send");
    }
    receiver.join();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return {quantile(took_ms, 0.5), quantile(took_ms, 0.99),
            static_cast<double>(messages) / seconds};
  }
};

// --- neighbours

/// Something beside the pair, from its construction to its destruction.
struct Neighbour {
  virtual ~Neighbour() = default;
};

/// Calls `send` a hundred times a second.
class Trickle {
 public:
  explicit Trickle(std::function<void()> send)
      : thread_([this, send = std::move(send)] {
          std::unique_lock lock(mutex_);
          auto next = Clock::now();
          while (!changed_.wait_until(lock, next += kPause, [this] { return ended_; })) {
            lock.unlock();
            send();
            lock.lock();
          }
        }) {}
  ~Trickle() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

/// `sealwire adapter run`, with the agent `bridge` paired with carol; ended by SIGKILL.
class HostProcess {
 public:
  HostProcess(const std::string& cli, const std::string& home, const std::string& bridge) {
    std::array<int, 2> errors{};
    if (::pipe2(errors.data(), O_CLOEXEC) != 0) give_up("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(errors[1], STDERR_FILENO);
      ::execl(cli.c_str(), cli.c_str(), "--home", home.c_str(), "-c", "bridge", "adapter", "run",
              bridge.c_str(), "--pair", "c=carol", nullptr);
      ::_exit(127);
    }
    if (pid_ < 0) give_up("fork");
    ::close(errors[1]);
    reader_ = std::thread([this, from = errors[0]] { read(from); });
  }
  ~HostProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    reader_.join();
  }
  void wait_for(const std::string& words) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kLong, [&] { return log_.find(words) != std::string::npos; }))
      give_up("the host does not say: " + words + "\n" + log_);
  }

 private:
  void read(int from) {
    std::array<char, 4096> some{};
    for (ssize_t got = 0; (got = ::read(from, some.data(), some.size())) > 0;) {
      const std::lock_guard lock(mutex_);
      if (log_.size() < 65'536) log_.append(some.data(), static_cast<std::size_t>(got));
      changed_.notify_all();
    }
    ::close(from);
  }
  pid_t pid_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string log_;
  std::thread reader_;
};

/// A bridge with a hundred messages a second for it. It is there once `carol` got an answer (an
/// echo, or that too much waits), or once its host said `words`.
class BridgeBeside final : public Neighbour {
 public:
  BridgeBeside(Agent& carol, const std::string& cli, const std::string& home,
               const std::string& bridge, const std::string& words)
      : carol_(carol), host_(cli, home, bridge) {
    carol_.on_message([answer = answer_](const Message&) {
      const std::lock_guard lock(answer->mutex);
      answer->came = true;
      answer->changed.notify_all();
    });
    trickle_.emplace(
        [this] { must(carol_.send("bridge", std::string(kBytes, 'x')), "to the bridge"); });
    if (words.empty())
      answer_->wait();
    else
      host_.wait_for(words);
  }

 private:
  struct Answer {
    std::mutex mutex;
    std::condition_variable changed;
    bool came = false;
    void wait() {
      std::unique_lock lock(mutex);
      if (!changed.wait_for(lock, kLong, [this] { return came; })) give_up("no answer");
    }
  };
  Agent& carol_;
  const std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();  // its handler outlives us
  HostProcess host_;
  std::optional<Trickle> trickle_;
};

/// Two agents of the wire: what one of them sends, the other reads and acknowledges, or does not.
struct PeerPair {
  RawAgent from, to;
  RawClient sender;
  RawChain chain;
  std::string uri;

  PeerPair(std::string uri_, Random& random)
      : from(make_raw_agent(random)), to(make_raw_agent(random)), uri(std::move(uri_)) {
    RawClient first;
    must(sender.connect(uri, from, random), "connect");
    must(first.connect(uri, to, random), "connect");
    must(sender.allow(to.identity.agent), "allow");
    must(first.allow(from.identity.agent), "allow");
    auto opening = open_conversation(from, to, random, system_now());
    sender.send(send_frame({opening.bundle}));
    must(sender.expect(wire::Body::Accepted), "opening");
    chain = opening.creator;
    // More than its connection's buffers hold.
    for (int i = 0; i < 30; ++i) {
      sender.send(send_frame({{chain.next(Bytes(1'000'000), random, system_now()).bytes}}));
      must(sender.expect(wire::Body::Accepted), "filling");
    }
  }
};

class PeerBeside final : public Neighbour {
 public:
  PeerBeside(PeerPair& pair, Random& random, bool reads) {
    must(peer_.connect(pair.uri, pair.to, random), "connect");
    peer_.on_frame([this, reads](const Frame& frame) {
      std::unique_lock lock(mutex_);
      reached_ = true;
      changed_.notify_all();
      if (!reads) changed_.wait(lock, [this] { return ending_; });
      if (const auto* deliver = frame.as<wire::Deliver>(); deliver != nullptr && reads)
        peer_.ack(deliver->entries()->Get(deliver->entries()->size() - 1)->sequence());
    });
    peer_.credit(1'000'000'000, 1'000'000'000'000);
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, kLong, [this] { return reached_; })) give_up("nothing came");
    }
    trickle_.emplace([&pair, &random] {
      pair.sender.send(send_frame({{pair.chain.next(Bytes(kBytes), random, system_now()).bytes}}));
      must(pair.sender.expect(wire::Body::Accepted), "accepted");
    });
  }
  ~PeerBeside() override {
    trickle_.reset();
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false, ending_ = false;
  RawClient peer_;
  std::optional<Trickle> trickle_;
};

// --- by turns: each time beside the neighbour is compared with the times before and after it

void compare(const std::string& name, Pair pair, std::size_t rounds,
             const std::function<std::unique_ptr<Neighbour>()>& make) {
  std::vector<double> alone[3], beside[3], ratio[3];
  auto before = pair.measure().all();
  for (std::size_t round = 0; round < rounds; ++round) {
    auto neighbour = make();
    const auto with = pair.measure().all();
    neighbour.reset();
    const auto after = pair.measure().all();
    for (std::size_t i = 0; i < 3; ++i) {
      alone[i].push_back((before.at(i) + after.at(i)) / 2);
      beside[i].push_back(with.at(i));
      ratio[i].push_back(beside[i].back() / alone[i].back());
    }
    before = after;
  }
  const auto m = [](const std::vector<double>& all) { return quantile(all, 0.5); };
  fmt::print(
      R"({{"bench":"neighbour","beside":"{}","rounds":{},"p50_ms":{:.2f},"p50_ms_beside":{:.2f},)"
      R"("p50_ratio":{:.2f},"p99_ms":{:.1f},"p99_ms_beside":{:.1f},"p99_ratio":{:.2f},)"
      R"("a_second":{:.0f},"a_second_beside":{:.0f},"rate_ratio":{:.2f}}})"
      "\n",
      name, rounds, m(alone[0]), m(beside[0]), m(ratio[0]), m(alone[1]), m(beside[1]), m(ratio[1]),
      m(alone[2]), m(beside[2]), m(ratio[2]));
  std::fflush(stdout);
}

Agent open_agent(const std::string& home, const std::string& endpoint, const std::string& name) {
  Context context;
  context.name = name;
  context.endpoints = {{endpoint, {}, false}};
  context.trust_first_use = true;
  must(create_key(must(write_context(home, context), "context"), ""), "key");
  const char* arguments[] = {"", "--home", home.c_str(), "--context", name.c_str()};
  Options options = must(Options::from_arguments(5, arguments), "options");
  options.window = kInFlight;
  Agent agent = must(Agent::open(options), "open");
  must(agent.wait_connected(kLong), "connect");
  return agent;
}

void introduce(Agent& a, const char* name_of_a, Agent& b, const char* name_of_b) {
  must(a.add_peer(b.id(), name_of_b, kLong), "add");
  must(b.add_peer(a.id(), name_of_a, kLong), "add");
}

void bench(char** arguments) {
  const std::string sealwired = arguments[1], cli = arguments[2], hello = arguments[3],
                    unwell = arguments[4];
  auto broker = must(
      SealwiredProcess::make(sealwired, "sends = { per_second = 1e6, burst = 1e6 }\n"), "init");
  must(broker.start(), "start");
  const std::string home = (broker.folder() / "agents").string();
  const std::string uri = broker.endpoint("wss");
  Agent alice = open_agent(home, uri, "alice"), bob = open_agent(home, uri, "bob"),
        carol = open_agent(home, uri, "carol");
  introduce(alice, "alice", bob, "bob");
  {
    Agent bridge = open_agent(home, uri, "bridge");
    introduce(carol, "carol", bridge, "bridge");
  }
  Pair pair{alice, bob, static_cast<std::size_t>(std::atoi(arguments[5]))};
  const auto rounds = static_cast<std::size_t>(std::atoi(arguments[6]));
  pair.measure();  // warm
  const auto beside = [&](const std::string& program, const std::string& words) {
    return [&, program, words]() -> std::unique_ptr<Neighbour> {
      return std::make_unique<BridgeBeside>(carol, cli, home, program, words);
    };
  };
  compare("nobody", pair, rounds, [] { return nullptr; });
  compare("a bridge that answers", pair, rounds, beside(hello, ""));
  compare("a bridge that reads nothing", pair, rounds, beside(unwell + "/stuck.py", ""));
  compare("a bridge that dies at every start", pair, rounds,
          beside(unwell + "/dead.py", "started again"));
  crypto::SystemRandom random;
  // One after the other: who says nothing for a minute has no session any more.
  for (const bool reads : {true, false}) {
    PeerPair peers(uri, random);
    compare(reads ? "a peer that reads" : "a peer that reads nothing", pair, rounds,
            [&] { return std::make_unique<PeerBeside>(peers, random, reads); });
  }
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(
        stderr, "usage: bench_neighbour SEALWIRED SEALWIRE BRIDGE UNWELL_FOLDER MESSAGES ROUNDS\n");
    return 2;
  }
  sealwire::test::bench(argv);
  return 0;
}

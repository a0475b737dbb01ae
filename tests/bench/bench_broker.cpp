// Durable messages a second through a real sealwired, over each of its channels, beside what the
// primitives alone would allow; and what an idle session costs it in memory.
//
// The load is signed beforehand, so that the generator, on the same machine, takes as little of it
// as it can: it frames, encrypts the transport and counts. Nothing of the broker's work is left
// out: every signature is checked, every message is on disk before its sender hears of it, every
// message is delivered and acknowledged.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>

#include "broker/store/sqlite/sqlite_store.h"
#include "tests/support/envelopes.h"
#include "tests/support/raw_client.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBodyBytes = 1024;
constexpr std::size_t kInFlight = 256;
constexpr std::size_t kPerSend = 32;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Of this thread: what others do on the machine meanwhile does not count.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_broker: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(std::string(what) + ": " + result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// --- primitives ----------------------------------------------------------------------------------

struct Primitives {
  double verify_us = 0;  // one Ed25519 signature over a header and a body's hash
  double parse_us = 0;   // an envelope: FlatBuffers, the header, three hashes
  double store_us = 0;   // its rows, in commits of 128, each with its fsync
  double sum_us() const { return verify_us + parse_us + store_us; }
};

Primitives measure_primitives(Random& random) {
  const RawAgent agent = make_raw_agent(random);
  RawChain chain{&agent, random.make<ConversationId>(), 1, 1, 0, {}};
  const auto sealed = chain.next(Bytes(kBodyBytes), random, system_now());
  constexpr int kRounds = 4000;
  Primitives result;
  const double parse_start = cpu_seconds();
  std::vector<Envelope> parsed;
  for (int i = 0; i < kRounds; ++i)
    parsed.push_back(must(Envelope::parse(sealed.bytes), "parse"));
  result.parse_us = (cpu_seconds() - parse_start) / kRounds * 1e6;
  const double verify_start = cpu_seconds();
  for (Envelope& envelope : parsed)
    must(verify_signature(std::move(envelope)), "verify");
  result.verify_us = (cpu_seconds() - verify_start) / kRounds * 1e6;

  std::string folder = (std::filesystem::temp_directory_path() / "sealwire-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) give_up("mkdtemp");
  {
    using namespace broker;
    auto store = must(SqliteStore::open({std::filesystem::path(folder) / "store.db"}, random), "");
    PutAgent put{1, {}};
    must(store->commit(std::vector<StoreOp>{put}), "store");
    const auto bytes = std::make_shared<const Bytes>(sealed.bytes);
    std::uint64_t number = 0;
    const auto start = Clock::now();
    for (int batch = 0; batch < 100; ++batch) {
      std::vector<StoreOp> ops;
      for (int i = 0; i < 128; ++i) {
        ++number;
        ops.emplace_back(PutItem{number, ItemType::envelope, 1, UnixMillis{number}, bytes});
        ops.emplace_back(PutEntry{1, number, number, number, number});
        ops.emplace_back(PutId{{1, make_envelope_id({number}, random), {}, number, {number}}});
      }
      if (number > 256) ops.emplace_back(DropEntries{1, number - 256});
      must(store->commit(ops), "store");
    }
    result.store_us = seconds_since(start) / static_cast<double>(number) * 1e6;
  }
  std::filesystem::remove_all(folder);
  return result;
}

// --- one sender and one receiver -----------------------------------------------------------------

class Pair {
 public:
  Pair(const std::string& uri, std::size_t messages, std::size_t in_flight, Random& random)
      : in_flight_max_(in_flight) {
    sender_ = std::make_unique<RawAgent>(make_raw_agent(random));
    receiver_ = std::make_unique<RawAgent>(make_raw_agent(random));
    must(from_.connect(uri, *sender_, random), "connect");
    must(to_.connect(uri, *receiver_, random), "connect");
    must(from_.allow(receiver_->identity.agent), "allow");
    must(to_.allow(sender_->identity.agent), "allow");
    auto opening = open_conversation(*sender_, *receiver_, random, system_now());
    from_.send(send_frame({opening.bundle}));
    must(from_.expect(wire::Body::Accepted), "opening");
    Bytes body(kBodyBytes);
    random.fill(body);
    for (std::size_t i = 0; i < messages; ++i)
      load_.push_back(opening.creator.next(body, random, system_now()).bytes);
    sent_at_.resize(messages);
    accepted_at_.resize(messages);
  }

  void listen() {
    from_.on_frame([this](const Frame& frame) { on_sender_frame(frame); });
    to_.on_frame([this](const Frame& frame) { on_receiver_frame(frame); });
    to_.credit(1'000'000'000, 1'000'000'000'000);
  }

  /// On a thread of its own: everything sent, accepted, delivered.
  void run() {
    for (std::size_t next = 0; next < load_.size();) {
      std::size_t room = 0;
      {
        std::unique_lock lock(mutex_);
        // Sends half a frame's worth or more, or what is left.
        const std::size_t want = std::min({kPerSend, load_.size() - next, in_flight_max_});
        changed_.wait(lock, [&] { return failed_ || accepted_ + in_flight_max_ >= next + want; });
        if (failed_) give_up("an envelope was refused");
        room = std::min({accepted_ + in_flight_max_ - next, load_.size() - next, kPerSend});
        for (std::size_t i = next; i < next + room; ++i)
          sent_at_[i] = Clock::now();
      }
      std::vector<std::vector<Bytes>> bundles;
      for (std::size_t i = next; i < next + room; ++i)
        bundles.push_back({std::move(load_[i])});
      if (!from_.send(send_frame(bundles))) give_up("the sender's connection closed");
      next += room;
    }
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [this] {
          return failed_ || (accepted_ == load_.size() && delivered_ == load_.size());
        }))
      give_up("not everything arrived");
  }

  void latencies(std::vector<double>& into) const {
    for (std::size_t i = 0; i < sent_at_.size(); ++i)
      into.push_back(
          std::chrono::duration<double, std::milli>(accepted_at_[i] - sent_at_[i]).count());
  }

 private:
  void on_sender_frame(const Frame& frame) {
    if (const auto* ping = frame.as<wire::Ping>()) return pong(from_, ping->nonce());
    const std::lock_guard lock(mutex_);
    if (const auto* accepted = frame.as<wire::Accepted>()) {
      const Bytes acceptance = to_bytes(span_of(accepted->acceptance()));
      const auto count =
          flatbuffers::GetRoot<wire::Acceptance>(acceptance.data())->receipts()->size();
      for (std::size_t i = 0; i < count && accepted_ < accepted_at_.size(); ++i)
        accepted_at_[accepted_++] = Clock::now();
    } else if (frame.as<wire::Rejected>() != nullptr) {
      failed_ = true;
    }
    changed_.notify_one();
  }

  void on_receiver_frame(const Frame& frame) {
    if (const auto* ping = frame.as<wire::Ping>()) return pong(to_, ping->nonce());
    const auto* deliver = frame.as<wire::Deliver>();
    if (deliver == nullptr) return;
    std::uint64_t last = 0;
    std::size_t messages = 0;
    for (const auto* entry : *deliver->entries()) {
      last = entry->sequence();
      messages += last > 1 ? 1 : 0;  // the first is the welcome
    }
    to_.ack(last);
    const std::lock_guard lock(mutex_);
    delivered_ += messages;
    changed_.notify_one();
  }

  static void pong(RawClient& client, std::uint64_t nonce) {
    flatbuffers::FlatBufferBuilder b;
    client.send(finish_frame(b, wire::CreatePong(b, nonce)));
  }

  const std::size_t in_flight_max_;
  std::unique_ptr<RawAgent> sender_, receiver_;
  std::vector<Bytes> load_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t accepted_ = 0;
  std::size_t delivered_ = 0;
  bool failed_ = false;
  std::vector<Clock::time_point> sent_at_, accepted_at_;
  RawClient from_, to_;
};

// --- figures -------------------------------------------------------------------------------------

void bench_throughput(const std::string& program, const std::string& scheme, std::size_t pairs,
                      std::size_t messages, bool session, const Primitives& primitives,
                      Random& random) {
  auto broker = must(SealwiredProcess::make(program,
                                            "sends = { per_second = 1e6, burst = 1e6 }\n"
                                            "handshakes = { per_second = 1e6, burst = 1e6 }\n",
                                            session ? "mode = \"session\"\n" : ""),
                     "init");
  must(broker.start(), "start");
  std::vector<std::unique_ptr<Pair>> all;
  for (std::size_t i = 0; i < pairs; ++i)
    all.push_back(std::make_unique<Pair>(broker.endpoint(scheme), messages / pairs,
                                         kInFlight / pairs, random));
  for (auto& pair : all)
    pair->listen();
  const double cpu_before = broker.cpu_seconds();
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (auto& pair : all)
    threads.emplace_back([&pair] { pair->run(); });
  for (auto& thread : threads)
    thread.join();
  const double seconds = seconds_since(start);
  const double cpu = broker.cpu_seconds() - cpu_before;
  std::vector<double> latency_ms;
  for (auto& pair : all)
    pair->latencies(latency_ms);
  std::sort(latency_ms.begin(), latency_ms.end());
  const auto count = static_cast<double>(latency_ms.size());
  const double rate = count / seconds;
  const double sum_us = session ? primitives.parse_us + primitives.store_us : primitives.sum_us();
  std::printf(
      "{\"figure\": \"broker_durable\", \"channel\": \"%s\", \"verification\": \"%s\", "
      "\"pairs\": %zu, \"body_bytes\": %zu, \"in_flight\": %zu, \"load\": \"signed beforehand\", "
      "\"messages_per_second\": %.0f, \"accepted_p50_ms\": %.1f, \"accepted_p99_ms\": %.1f, "
      "\"broker_cpu_us_per_message\": %.1f, \"verify_us\": %.1f, \"parse_hash_us\": %.1f, "
      "\"store_fsync_us\": %.1f, \"primitives_messages_per_second\": %.0f, \"ratio\": %.2f}\n",
      scheme.c_str(), session ? "session" : "inline", pairs, kBodyBytes, kInFlight, rate,
      latency_ms[latency_ms.size() / 2], latency_ms[latency_ms.size() * 99 / 100],
      cpu / count * 1e6, primitives.verify_us, primitives.parse_us, primitives.store_us,
      1e6 / sum_us, rate * sum_us / 1e6);
  std::fflush(stdout);
  all.clear();
  broker.stop(SIGTERM);
}

void bench_idle(const std::string& program, const std::string& scheme, std::size_t sessions,
                Random& random) {
  auto broker = must(
      SealwiredProcess::make(program, "handshakes = { per_second = 1e6, burst = 1e6 }\n"), "init");
  must(broker.start(), "start");
  const std::string uri = broker.endpoint(scheme);
  RawClient first;
  const RawAgent warm = make_raw_agent(random);
  must(first.connect(uri, warm, random), "connect");
  const std::size_t before = broker.resident_bytes();
  std::vector<std::unique_ptr<RawAgent>> agents;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < sessions; ++i) {
    agents.push_back(std::make_unique<RawAgent>(make_raw_agent(random)));
    clients.push_back(std::make_unique<RawClient>());
    must(clients.back()->connect(uri, *agents.back(), random), "connect");
  }
  const std::size_t after = broker.resident_bytes();
  std::printf(
      "{\"figure\": \"idle_sessions\", \"channel\": \"%s\", \"sessions\": %zu, "
      "\"resident_bytes\": %zu, \"bytes_per_session\": %zu}\n",
      scheme.c_str(), sessions, after, (after - std::min(after, before)) / sessions);
  std::fflush(stdout);
  clients.clear();
  broker.stop(SIGKILL);
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  using namespace sealwire;
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_broker SEALWIRED [--smoke | --full]\n");
    return 2;
  }
  const bool smoke = argc > 2 && std::strcmp(argv[2], "--smoke") == 0;
  const bool full = argc > 2 && std::strcmp(argv[2], "--full") == 0;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  crypto::initialise();
  crypto::SystemRandom random;
  const auto primitives = test::measure_primitives(random);
  const std::size_t messages = smoke ? 4'000 : full ? 80'000 : 24'000;
  for (const char* scheme : {"wss", "tcp"}) {
    test::bench_throughput(argv[1], scheme, 1, messages, false, primitives, random);
    test::bench_throughput(argv[1], scheme, 8, messages, false, primitives, random);
  }
  test::bench_throughput(argv[1], "wss", 1, messages, true, primitives, random);
  test::bench_idle(argv[1], "wss", smoke ? 100 : 1000, random);
  test::bench_idle(argv[1], "tcp", smoke ? 50 : 200, random);
  return 0;
}

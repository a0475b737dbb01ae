// Messages a second from agent to agent through a real sealwired over WebSocket with TLS: 256
// bytes, a window of 256 envelopes; everything signed live, stored and acknowledged on both sides.
// Once with one payload an envelope, beside what the primitives alone would allow on the cores of
// this machine, and once with a sender so far ahead that payloads share envelopes.
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>

#include "protocol/crypto/crypto.h"
#include "sealwire/agent.h"
#include "sealwire/context.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kPayloadBytes = 256;
constexpr std::size_t kInFlight = 256;
constexpr std::size_t kFarAhead = 16'384;
constexpr auto kPatience = std::chrono::seconds(60);

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_sdk: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(std::string(what) + ": " + result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double cpu_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Primitives {
  double sign_us = 0;
  double verify_us = 0;
  // The sender signs the MLS content and the envelope; the broker verifies the envelope, the
  // receiver the content.
  double sum_us() const { return 2 * sign_us + 2 * verify_us; }
};

Primitives measure_primitives() {
  crypto::SystemRandom random;
  const auto key = crypto::SigningKey::generate(random);
  const Bytes message(400);
  constexpr int kRounds = 4000;
  Primitives result;
  Signature signature;
  const double sign_start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < kRounds; ++i)
    signature = key.sign(message);
  const double verify_start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < kRounds; ++i)
    if (!crypto::verify(key.public_bytes(), message, signature)) give_up("verify");
  const double end = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  result.sign_us = (verify_start - sign_start) / kRounds * 1e6;
  result.verify_us = (end - verify_start) / kRounds * 1e6;
  return result;
}

Agent open_agent(const std::string& home, const std::string& endpoint, const std::string& name) {
  Context context;
  context.name = name;
  context.endpoints = {{endpoint, {}, false}};
  context.trust_first_use = true;
  context = must(write_context(home, context), "context");
  must(create_key(context, ""), "key");
  const char* arguments[] = {"", "--home", home.c_str(), "--context", name.c_str()};
  Options options = must(Options::from_arguments(5, arguments), "options");
  options.window = kInFlight;
  Agent agent = must(Agent::open(options), "open");
  must(agent.wait_connected(kPatience), "connect");
  return agent;
}

struct Load {
  double messages_per_second = 0;
  double agents_us = 0;  // of processor time, a message
  double broker_us = 0;
};

/// `ahead`: how many messages may wait for their Accepted. Up to the window none is coalesced.
Load send_all(const SealwiredProcess& broker, Agent& alice, Agent& bob, std::size_t messages,
              std::size_t ahead) {
  const Payload payload(std::string(kPayloadBytes, 'x'));
  const double broker_cpu = broker.cpu_seconds();
  const double own_cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto start = Clock::now();
  std::thread receiver([&] {
    for (std::size_t i = 0; i < messages; ++i)
      must(bob.acknowledge(must(bob.receive(kPatience), "receive")), "acknowledge");
  });
  std::vector<Sending> on_their_way(ahead);
  for (std::size_t i = 0; i < messages; ++i) {
    Sending& slot = on_their_way[i % ahead];
    if (i >= ahead) must(slot.wait(kPatience), "accepted");
    slot = must(alice.send("bob", payload), "send");
  }
  for (std::size_t i = 0; i < std::min(messages, ahead); ++i)
    must(on_their_way[i].wait(kPatience), "accepted");
  receiver.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const double count = static_cast<double>(messages);
  return {count / seconds, (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - own_cpu) / count * 1e6,
          (broker.cpu_seconds() - broker_cpu) / count * 1e6};
}

void print(const char* figure, std::size_t ahead, const Load& load, const std::string& more) {
  std::printf(
      "{\"figure\": \"%s\", \"channel\": \"wss\", \"payload_bytes\": %zu, \"window\": %zu, "
      "\"ahead\": %zu, \"messages_per_second\": %.0f, \"agents_cpu_us_per_message\": %.1f, "
      "\"broker_cpu_us_per_message\": %.1f%s}\n",
      figure, kPayloadBytes, kInFlight, ahead, load.messages_per_second, load.agents_us,
      load.broker_us, more.c_str());
}

void bench(const std::string& program, std::size_t messages) {
  auto broker =
      must(SealwiredProcess::make(program, "sends = { per_second = 1e6, burst = 1e6 }\n"), "init");
  must(broker.start(), "start");
  const std::string home = (broker.folder() / "agents").string();
  Agent alice = open_agent(home, broker.endpoint("wss"), "alice");
  Agent bob = open_agent(home, broker.endpoint("wss"), "bob");
  must(alice.add_peer(bob.id(), "bob", kPatience), "add");
  must(bob.add_peer(alice.id(), "alice", kPatience), "add");
  must(alice.send("bob", "warm")->wait(kPatience), "warm");
  must(bob.acknowledge(must(bob.receive(kPatience), "warm")), "warm");

  const Load single = send_all(broker, alice, bob, messages, kInFlight);
  const Primitives primitives = measure_primitives();
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const double bound = cores * 1e6 / primitives.sum_us();
  char more[256];
  std::snprintf(more, sizeof more,
                ", \"sign_us\": %.1f, \"verify_us\": %.1f, \"cores\": %u, "
                "\"primitives_messages_per_second\": %.0f, \"ratio\": %.2f",
                primitives.sign_us, primitives.verify_us, cores, bound,
                single.messages_per_second / bound);
  print("sdk_to_sdk", kInFlight, single, more);
  print("sdk_to_sdk_coalesced", kFarAhead, send_all(broker, alice, bob, 4 * messages, kFarAhead),
        "");
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_sdk SEALWIRED [--smoke | --full]\n");
    return 2;
  }
  const bool smoke = argc > 2 && std::strcmp(argv[2], "--smoke") == 0;
  const bool full = argc > 2 && std::strcmp(argv[2], "--full") == 0;
  sealwire::test::bench(argv[1], smoke ? 2'000 : full ? 50'000 : 15'000);
  return 0;
}

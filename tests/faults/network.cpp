// Agents talk through a network that delays, partitions and resets, schedule after schedule. When
// it is healed, everything sent until then must arrive within five seconds, once and in order,
// counted in the receiver's inbox transactions. One pair of agents on each channel.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>
#include <utility>

// Behind <utility>, which Boost 1.74 forgets.
#include <boost/asio.hpp>

#include "tests/faults/agents.h"
#include "tests/faults/proxy.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 60s;
constexpr auto kPromise = 5s;
constexpr auto kPause = 2ms;  // between two messages: a few hundred a second

std::uint16_t port_of(const std::string& endpoint) {
  const auto colon = endpoint.find(':', endpoint.find("://") + 3);
  return static_cast<std::uint16_t>(std::atoi(endpoint.c_str() + colon + 1));
}
/// A port that is free now. A broker that chose its own would not say where its channel goes on.
std::uint16_t free_port() {
  boost::asio::io_context io;
  using boost::asio::ip::tcp;
  const tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
  return tcp::acceptor(io, any).local_endpoint().port();
}

/// Puts `to` where `from` stands in a file.
void edit(const std::filesystem::path& file, const std::string& from, const std::string& to) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  std::string whole = text.str();
  whole.replace(whole.find(from), from.size(), to);
  std::ofstream(file) << whole;
}

/// One sender, one receiver, and what came.
class Talk {
 public:
  Talk(const std::string& home, std::string scheme) : home_(home), scheme_(std::move(scheme)) {}

  Result<> begin(const std::string& endpoint) {
    SW_TRY(agents_, introduce(home_, scheme_ + "-", endpoint));
    agents_[1].handle([this](Transaction& transaction, const Message& message) -> Result<> {
      SW_TRY(const auto next, transaction.get("next"));
      const std::uint64_t due = std::strtoull(next.value_or("0").c_str(), nullptr, 10);
      if (message.text() != std::to_string(due)) {
        wrong_ = true;
        std::printf("%s: %s came where %llu was due\n", scheme_.c_str(),
                    std::string(message.text()).c_str(), static_cast<unsigned long long>(due));
      }
      received_ = due + 1;
      return transaction.put("next", std::to_string(due + 1));
    });
    sender_ = std::jthread([this](const std::stop_token& stop) {
      for (; !stop.stop_requested(); std::this_thread::sleep_for(kPause))
        if (const auto sending = agents_[0].send("receiver", std::to_string(sent_)); sending)
          ++sent_;
    });
    return {};
  }
  void end() {
    sender_.request_stop();
    sender_.join();
  }

  const std::string& scheme() const { return scheme_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  bool wrong() const { return wrong_; }

 private:
  std::string home_, scheme_;
  std::atomic<std::uint64_t> sent_{0}, received_{0};
  std::atomic<bool> wrong_{false};
  std::vector<Agent> agents_;
  std::jthread sender_;
};

/// A second or so of trouble; healed in the end.
void trouble(Proxy& proxy, std::mt19937_64& dice) {
  const auto some = [&dice](std::uint64_t most) {
    return std::chrono::milliseconds(dice() % most);
  };
  for (auto left = 1 + dice() % 3; left > 0; --left) {
    const auto kind = dice() % 4;
    if (kind == 0) proxy.delay(1ms + some(200));
    if (kind == 1) proxy.partition(true);
    if (kind == 2) proxy.reset();
    if (kind == 3) {  // a partition during which the connections die
      proxy.partition(true);
      std::this_thread::sleep_for(some(200));
      proxy.reset();
    }
    std::this_thread::sleep_for(some(600));
    proxy.partition(false);
    proxy.delay(0ms);
  }
}

int run(const char* sealwired, int schedules, std::uint64_t seed) {
  std::mt19937_64 dice(seed);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const auto failed = [](int schedule, const std::string& why) {
    std::printf("schedule %d: %s\n%d passed, 1 failed\n", schedule, why.c_str(), schedule);
    std::fflush(stdout);
    std::_Exit(1);  // agents that wait for a network that is not there
    return 1;
  };
  auto broker = SealwiredProcess::make(sealwired);
  if (!broker) return failed(0, broker.error().detail);
  const std::uint16_t data_port = free_port();
  edit(broker->folder() / "sealwired.toml", "# data_port = 0",
       "data_port = " + std::to_string(data_port));
  if (const auto started = broker->start(); !started) return failed(0, started.error().detail);
  const std::string home = (broker->folder() / "agents").string();
  std::vector<std::unique_ptr<Proxy>> proxies;
  std::vector<std::unique_ptr<Talk>> talks;
  for (const char* scheme : {"wss", "tcp"}) {
    std::string endpoint = broker->endpoint(scheme);
    std::vector<std::uint16_t> ports{port_of(endpoint)};
    if (endpoint.starts_with("tcp")) ports.push_back(data_port);
    proxies.push_back(std::make_unique<Proxy>(ports, dice()));
    endpoint.replace(endpoint.find("127.0.0.1"), 9, Proxy::kAddress);
    talks.push_back(std::make_unique<Talk>(home, scheme));
    const auto begun = talks.back()->begin(endpoint);
    if (!begun) return failed(0, std::string(scheme) + ": " + begun.error().detail);
  }
  std::vector<double> seconds;
  for (int schedule = 0; schedule < schedules; ++schedule) {
    std::vector<std::thread> troubles;
    for (auto& proxy : proxies)
      troubles.emplace_back(
          [&proxy, own = std::mt19937_64(dice())]() mutable { trouble(*proxy, own); });
    for (auto& thread : troubles)
      thread.join();
    const auto healed = Clock::now();
    for (auto& talk : talks) {
      const std::uint64_t due = talk->sent();
      while (talk->received() < due && Clock::now() - healed < kPatience)
        std::this_thread::sleep_for(5ms);
      const double took = std::chrono::duration<double>(Clock::now() - healed).count();
      if (talk->wrong())
        return failed(schedule, talk->scheme() + ": lost, doubled or out of order");
      if (took > std::chrono::duration<double>(kPromise).count())
        return failed(schedule, talk->scheme() + ": " + std::to_string(talk->received()) + " of " +
                                    std::to_string(due) + " after " + std::to_string(took) + " s");
      seconds.push_back(took);
    }
  }
  std::sort(seconds.begin(), seconds.end());
  for (std::size_t i = 0; i < talks.size(); ++i) {
    talks[i]->end();
    std::printf("%s: %llu sent, once and in order, over %llu connections that were reset\n",
                talks[i]->scheme().c_str(), static_cast<unsigned long long>(talks[i]->sent()),
                static_cast<unsigned long long>(proxies[i]->resets()));
  }
  if (!seconds.empty())
    std::printf("note: all there %.2f s after healing (median), %.2f s (p99), %.2f s (most)\n",
                seconds[seconds.size() / 2], seconds[seconds.size() * 99 / 100], seconds.back());
  std::printf("%d passed, 0 failed\n", schedules);
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: network SEALWIRED SCHEDULES [SEED]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::uint64_t seed =
      argc == 4 ? std::strtoull(argv[3], nullptr, 10) : std::random_device{}();
  return sealwire::test::run(argv[1], std::atoi(argv[2]), seed);
}

// A steady load for hours, and what it does to sealwired's memory, descriptors, threads and disk.
//
// One sender and one receiver on each channel, all with the SDK. How many messages a second each
// channel carries while both are busy is measured first; then 70 % of that is sent, by the clock
// and not by what comes back. Every message must come once and in order, and memory may drift by
// at most 1 %: the median of resident memory in the last tenth of the time, against its median in
// the second tenth (the first is for caches to fill). Descriptors and threads may not grow at all.
//
// The store's file does grow, and should: an accepted id is kept for a day beyond its message's
// expiry, so nothing is forgotten on the first day. In memory there is only the greatest id of
// each sender, and SQLite's page caches, of at most 32 MiB a connection. Until these are full,
// which takes some minutes, memory grows with the file: runs of less than an hour measure that.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <random>
#include <thread>

#include "tests/faults/agents.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 60s;
constexpr auto kArrival = 10min;  // of what still waits at the end
constexpr auto kMeasured = 20s;
constexpr auto kTick = 5ms;  // of the load's clock
constexpr std::size_t kInFlight = 256;
constexpr std::size_t kPayloadBytesMax = 1024;
constexpr double kShare = 0.7;
constexpr double kDriftMax = 0.01;
constexpr double kMiB = 1024 * 1024;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// --- the load ------------------------------------------------------------------------------------

/// One sender, one receiver, and how many messages went and came.
class Talk {
 public:
  Talk(std::string home, std::string scheme, std::uint64_t seed)
      : home_(std::move(home)), scheme_(std::move(scheme)), dice_(seed) {}

  Result<> begin(const std::string& endpoint) {
    SW_TRY(agents_, introduce(home_, scheme_ + "-", endpoint));
    agents_[1].on_message([this](const Message& message) {
      const std::uint64_t due = received_;
      const std::uint64_t came = std::strtoull(std::string(message.text()).c_str(), nullptr, 10);
      if (came != due && !wrong_.exchange(true))
        std::printf("%s: %llu came where %llu was due\n", scheme_.c_str(),
                    static_cast<unsigned long long>(came), static_cast<unsigned long long>(due));
      received_ = due + 1;
    });
    return {};
  }

  /// As many a second as it carries with a full window, one message an envelope.
  void measure() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      const auto start = Clock::now();
      const std::uint64_t before = sent_;
      std::deque<Sending> on_their_way;
      while (!stop.stop_requested() || !on_their_way.empty()) {
        if (on_their_way.size() == kInFlight || stop.stop_requested()) {
          if (!on_their_way.front().wait(kPatience)) wrong_ = true;
          on_their_way.pop_front();
        }
        if (stop.stop_requested()) continue;
        if (auto sending = send()) on_their_way.push_back(*std::move(sending));
      }
      rate_ = kShare * static_cast<double>(sent_ - before) / seconds_since(start);
    });
  }
  /// From now on, whatever comes of it. What the agent will not take now is sent as soon as it
  /// does.
  void pace() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      const auto start = Clock::now();
      const std::uint64_t before = sent_;
      for (auto tick = start; !stop.stop_requested();
           std::this_thread::sleep_until(tick += kTick)) {
        const double due = rate_ * seconds_since(start);
        while (static_cast<double>(sent_ - before) < due && send())
          ;
      }
    });
  }
  void end() { thread_ = {}; }

  const std::string& scheme() const { return scheme_; }
  double rate() const { return rate_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  bool wrong() const { return wrong_; }

 private:
  Result<Sending> send() {
    std::string text = std::to_string(sent_) + " ";
    text.append(dice_() % kPayloadBytesMax, 'x');
    auto sending = agents_[0].send("receiver", std::move(text));
    if (sending) ++sent_;
    return sending;
  }

  std::string home_, scheme_;
  std::mt19937_64 dice_;
  std::atomic<std::uint64_t> sent_{0}, received_{0};
  std::atomic<bool> wrong_{false};
  std::atomic<double> rate_{0};
  std::vector<Agent> agents_;
  std::jthread thread_;
};

// --- what it costs -------------------------------------------------------------------------------

struct Figures {
  double resident = 0;   // MiB
  double anonymous = 0;  // MiB, of it: without the pages of files
  double threads = 0;
  double descriptors = 0;
};

Figures figures_of(const std::string& pid) {
  Figures figures;
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string key; status >> key; status.ignore(1000, '\n')) {
    double value = 0;
    if (key == "VmRSS:" && status >> value) figures.resident = value / 1024;
    if (key == "RssAnon:" && status >> value) figures.anonymous = value / 1024;
    if (key == "Threads:" && status >> value) figures.threads = value;
  }
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry("/proc/" + pid + "/fd", ignored), end;
       !ignored && entry != end; entry.increment(ignored))
    ++figures.descriptors;
  return figures;
}

/// MiB of the files below `folder`, but for those below `without`.
double disk_of(const std::filesystem::path& folder, const std::filesystem::path& without = {}) {
  double bytes = 0;
  std::error_code ignored;  // files come and go
  for (std::filesystem::recursive_directory_iterator file(folder, ignored), end;
       !ignored && file != end; file.increment(ignored)) {
    if (file->path() == without) file.disable_recursion_pending();
    if (file->is_regular_file(ignored)) bytes += static_cast<double>(file->file_size(ignored));
  }
  return bytes / kMiB;
}

/// The median of one figure in the nth tenth of the time.
double median(const std::vector<Figures>& samples, std::size_t tenth, double Figures::*figure) {
  std::vector<double> values;
  for (std::size_t i = samples.size() * tenth / 10; i < samples.size() * (tenth + 1) / 10; ++i)
    values.push_back(samples[i].*figure);
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// --- the run -------------------------------------------------------------------------------------

class Soak {
 public:
  explicit Soak(SealwiredProcess& broker) : broker_(broker) {}

  Result<> begin(std::uint64_t seed) {
    SW_CHECK(broker_.start());
    const std::string home = (broker_.folder() / "agents").string();
    for (const char* scheme : {"wss", "tcp"}) {
      talks_.push_back(std::make_unique<Talk>(home, scheme, seed++));
      SW_CHECK(talks_.back()->begin(broker_.endpoint(scheme)));
    }
    return {};
  }

  void run(std::chrono::minutes duration) {
    for (auto& talk : talks_)
      talk->measure();
    std::this_thread::sleep_for(kMeasured);
    for (auto& talk : talks_)
      talk->end();
    for (auto& talk : talks_) {
      wanted_ += talk->rate();
      std::printf("%s: %.0f messages a second\n", talk->scheme().c_str(), talk->rate());
    }
    std::puts(
        "minute  wanted/s  received/s  waiting  resident MiB  anonymous MiB  descriptors  threads  "
        "disk MiB  agents' memory MiB  agents' disk MiB");
    for (auto& talk : talks_)
      talk->pace();
    const auto start = Clock::now();
    std::uint64_t before = received();
    for (auto second = 1s; second <= duration; ++second) {
      std::this_thread::sleep_until(start + second);
      samples_.push_back(figures_of(std::to_string(broker_.pid())));
      if (second % 1min != 0s) continue;
      print(std::chrono::duration_cast<std::chrono::minutes>(second), received() - before);
      before = received();
    }
    for (auto& talk : talks_)
      talk->end();
    const auto end = Clock::now();
    while (received() < sent() && Clock::now() - end < kArrival)
      std::this_thread::sleep_for(kTick);
  }

  /// How many verdicts were bad.
  int judge() {
    for (auto& talk : talks_) {
      std::printf("%s: %llu sent, %llu received\n", talk->scheme().c_str(),
                  static_cast<unsigned long long>(talk->sent()),
                  static_cast<unsigned long long>(talk->received()));
      say(!talk->wrong() && talk->sent() == talk->received() && talk->sent() > 0,
          talk->scheme() + ": lost, doubled or out of order");
    }
    talks_.clear();
    const int status = broker_.stop(SIGTERM);
    say(WIFEXITED(status) && WEXITSTATUS(status) == 0, "sealwired did not end well on SIGTERM");
    const double first = median(samples_, 1, &Figures::resident);
    const double last = median(samples_, 9, &Figures::resident);
    std::printf("resident memory: %.1f MiB in the second tenth, %.1f MiB in the last: %+.2f %%\n",
                first, last, (last / first - 1) * 100);
    say(last > 0 && last <= first * (1 + kDriftMax), "memory drifts");
    say(median(samples_, 9, &Figures::descriptors) <= median(samples_, 1, &Figures::descriptors),
        "descriptors grow");
    say(median(samples_, 9, &Figures::threads) <= median(samples_, 1, &Figures::threads),
        "threads grow");
    std::printf("%d passed, %d failed\n", passed_, failed_);
    return failed_;
  }

 private:
  void print(std::chrono::minutes minute, std::uint64_t received_in_it) {
    const Figures& now = samples_.back();
    std::printf("%6d  %8.0f  %10.0f  %7lld  %12.1f  %13.1f  %11.0f  %7.0f  %8.0f  %18.1f  %16.0f\n",
                static_cast<int>(minute.count()), wanted_, static_cast<double>(received_in_it) / 60,
                static_cast<long long>(sent()) - static_cast<long long>(received()), now.resident,
                now.anonymous, now.descriptors, now.threads,
                disk_of(broker_.folder(), broker_.folder() / "agents"),
                figures_of("self").anonymous, disk_of(broker_.folder() / "agents"));
  }
  void say(bool good, const std::string& otherwise) {
    ++(good ? passed_ : failed_);
    if (!good) std::printf("failed: %s\n", otherwise.c_str());
  }
  std::uint64_t sent() const {
    std::uint64_t sum = 0;
    for (const auto& talk : talks_)
      sum += talk->sent();
    return sum;
  }
  std::uint64_t received() const {
    std::uint64_t sum = 0;
    for (const auto& talk : talks_)
      sum += talk->received();
    return sum;
  }

  SealwiredProcess& broker_;
  std::vector<std::unique_ptr<Talk>> talks_;
  double wanted_ = 0;             // messages a second
  std::vector<Figures> samples_;  // one a second
  int passed_ = 0;
  int failed_ = 0;
};

int run(const char* sealwired, int minutes, std::uint64_t seed) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  auto broker = SealwiredProcess::make(sealwired, "sends = { per_second = 1e6, burst = 1e6 }\n");
  if (!broker) {
    std::printf("%s\n0 passed, 1 failed\n", broker.error().detail.c_str());
    return 1;
  }
  Soak soak(*broker);
  if (const auto begun = soak.begin(seed); !begun) {
    std::printf("%s\n0 passed, 1 failed\n", begun.error().detail.c_str());
    return 1;
  }
  soak.run(std::chrono::minutes(minutes));
  return soak.judge() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if ((argc != 3 && argc != 4) || std::atoi(argv[2]) <= 0) {
    std::fprintf(stderr, "usage: soak SEALWIRED MINUTES [SEED]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::uint64_t seed =
      argc == 4 ? std::strtoull(argv[3], nullptr, 10) : std::random_device{}();
  return sealwire::test::run(argv[1], std::atoi(argv[2]), seed);
}

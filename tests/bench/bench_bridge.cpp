// What a bridge's process costs: the bridge `hello` as a caged process and as a shared library, on
// the same work, by turns. One work is a delivery and both of its answers.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "adapters/bridges/library/library.h"
#include "adapters/bridges/process/process.h"

namespace sealwire::bridge {
namespace {

using Clock = std::chrono::steady_clock;

struct Figures {
  double a_second = 0;
  double p50_us = 0;
};

double median(std::vector<double> all) {
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2));
  return all[all.size() / 2];
}

// As the host does: `in_flight` deliveries under way, each to a chat of its own.
class Load {
 public:
  Figures run(const Launch& launch, int count, int in_flight) {
    delivered_ = 0;
    started_ = false;
    sent_.assign(static_cast<std::size_t>(count), {});
    took_us_.clear();
    auto bridge = launch([this](Said said) { on(std::move(said)); },
                         [](const Error& why) {
                           fmt::print(stderr, "{}\n", why.detail);
                           std::abort();
                         });
    if (!bridge) {
      fmt::print(stderr, "{}\n", bridge.error().detail);
      std::exit(1);
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return started_; });
    (*bridge)->tell(Start{});
    const auto from = Clock::now();
    for (int i = 0; i < count; ++i) {
      changed_.wait(lock, [&] { return i - delivered_ < in_flight; });
      sent_[static_cast<std::size_t>(i)] = Clock::now();
      lock.unlock();
      (*bridge)->tell(Deliver{std::to_string(i),
                              "c" + std::to_string(i % in_flight),
                              "alice",
                              {"text/plain", Bytes(256, 'x')},
                              {}});
      lock.lock();
    }
    changed_.wait(lock, [&] { return delivered_ == count; });
    const std::chrono::duration<double> all = Clock::now() - from;
    lock.unlock();
    return {count / all.count(), median(took_us_)};
  }

 private:
  void on(Said said) {
    const std::lock_guard lock(mutex_);
    if (std::holds_alternative<Hello>(said)) started_ = true;
    if (const auto* delivered = std::get_if<Delivered>(&said)) {
      const std::chrono::duration<double, std::micro> took =
          Clock::now() - sent_.at(std::stoul(delivered->delivery));
      took_us_.push_back(took.count());
      ++delivered_;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  int delivered_ = 0;
  std::vector<Clock::time_point> sent_;
  std::vector<double> took_us_;
};

void compare(const char* process, const char* library, int count, int rounds, int in_flight) {
  const std::vector<std::string> command{process};
  const Launch as_process = [&](Bridge::OnSaid said, Bridge::OnEnd ended) {
    return start_process({command, [](const std::string&) {}}, std::move(said), std::move(ended));
  };
  const Launch as_library = [&](Bridge::OnSaid said, Bridge::OnEnd ended) {
    return start_library(library, std::move(said), std::move(ended));
  };
  std::vector<double> rates[2], latencies[2];
  Load load;
  for (int round = 0; round < rounds; ++round)
    for (int which = 0; which < 2; ++which) {
      const Figures figures = load.run(which == 0 ? as_process : as_library, count, in_flight);
      rates[which].push_back(figures.a_second);
      latencies[which].push_back(figures.p50_us);
    }
  const double rate[] = {median(rates[0]), median(rates[1])};
  const double p50[] = {median(latencies[0]), median(latencies[1])};
  fmt::print(
      R"({{"bench":"bridge","in_flight":{},"process_a_second":{:.0f},"library_a_second":{:.0f},)"
      R"("ratio":{:.2f},"process_p50_us":{:.0f},"library_p50_us":{:.0f},"added_p50_us":{:.0f}}})"
      "\n",
      in_flight, rate[0], rate[1], rate[0] / rate[1], p50[0], p50[1], p50[0] - p50[1]);
}

}  // namespace
}  // namespace sealwire::bridge

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench_bridge PROGRAM LIBRARY DELIVERIES ROUNDS\n");
    return 2;
  }
  for (const int in_flight : {1, 64})
    sealwire::bridge::compare(argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]), in_flight);
}

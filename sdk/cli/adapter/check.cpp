#include "sdk/cli/adapter/check.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <random>

namespace sealwire::cli {
namespace {

using namespace bridge;  // NOLINT: the contract's words are this file's
using std::chrono::milliseconds;
using Verdict = Check::Verdict;

constexpr milliseconds kHello{5000};
constexpr milliseconds kPatience{10'000};

// A bridge and everything that it said. Its fetches are answered with what the check wants.
class Trial {
 public:
  /// What the world makes of a fetch.
  using World = std::function<Fetched(const Fetch&)>;

  Trial(const Launch& launch, const std::map<std::string, std::string>& options, World world)
      : world_(std::move(world)) {
    auto started = launch([this](Said said) { note(std::move(said)); },
                          [this](const Error& why) { end(why); });
    if (!started) end(started.error());
    if (!started) return;
    bridge_ = std::move(*started);
    hello_ = wait<Hello>(kHello, [](const Hello&) { return true; });
    if (hello_) bridge_->tell(Start{options});
  }

  const std::optional<Hello>& hello() const { return hello_; }
  void tell(const Told& told) { bridge_->tell(told); }
  bool stop() {
    const auto from = std::chrono::steady_clock::now();
    bridge_.reset();
    return std::chrono::steady_clock::now() - from < milliseconds(4500);
  }
  std::string why() {
    const std::lock_guard lock(mutex_);
    return ended_ ? ended_->detail : "nothing came in time";
  }
  bool alive() {
    const std::lock_guard lock(mutex_);
    return !ended_;
  }

  /// The next thing of this kind that `wanted` likes; what comes before it is passed over.
  template <class Kind, class Wanted>
  std::optional<Kind> wait(milliseconds patience, Wanted wanted) {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait_until(lock, until, [&] { return !said_.empty() || ended_; });
      if (said_.empty()) return std::nullopt;
      Said said = std::move(said_.front());
      said_.pop_front();
      changed_.notify_all();
      if (const auto* fetch = std::get_if<Fetch>(&said)) {
        lock.unlock();
        bridge_->tell(world_(*fetch));
        lock.lock();
      }
      if (auto* kind = std::get_if<Kind>(&said); kind != nullptr && wanted(*kind)) return *kind;
      if (std::chrono::steady_clock::now() >= until) return std::nullopt;
    }
  }
  /// Delivered or Failed, for this id.
  std::optional<Said> answer(const std::string& id) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::optional<Said> found;
    while (!found && alive() && std::chrono::steady_clock::now() < until) {
      std::unique_lock lock(mutex_);
      if (said_.empty()) changed_.wait_for(lock, milliseconds(100));
      while (!found && !said_.empty()) {
        Said said = std::move(said_.front());
        said_.pop_front();
        if (const auto* fetch = std::get_if<Fetch>(&said)) {
          const Fetched fetched = world_(*fetch);
          lock.unlock();
          bridge_->tell(fetched);
          lock.lock();
        }
        const auto* delivered = std::get_if<Delivered>(&said);
        const auto* failed = std::get_if<Failed>(&said);
        if ((delivered != nullptr && delivered->delivery == id) ||
            (failed != nullptr && failed->delivery == id))
          found = std::move(said);
      }
    }
    return found;
  }

 private:
  void note(Said said) {
    std::unique_lock lock(mutex_);
    if (said_.size() < 4096) said_.push_back(std::move(said));
    changed_.notify_all();
  }
  void end(const Error& why) {
    const std::lock_guard lock(mutex_);
    ended_ = why;
    changed_.notify_all();
  }

  const World world_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Said> said_;
  std::optional<Error> ended_;
  std::optional<Hello> hello_;
  std::unique_ptr<Bridge> bridge_;
};

Deliver text(const std::string& id, const std::string& chat, std::string_view words) {
  return {id, chat, "alice", {Content{}.media_type, to_bytes(as_bytes(words))}, {}};
}

Check verdict(std::string name, bool kept, std::string detail,
              Check::Level level = Check::Level::must) {
  return {std::move(name), kept ? Verdict::kept : Verdict::broken, level,
          kept ? "" : std::move(detail)};
}

Trial::World always(unsigned status) {
  return [status](const Fetch& fetch) {
    return Fetched{fetch.ref, status, {}, status == 0 ? "no host" : ""};
  };
}

// A service on a bad day.
Trial::World faulty(std::uint64_t seed) {
  return [engine = std::make_shared<std::mt19937_64>(seed)](const Fetch& fetch) {
    constexpr std::array<unsigned, 8> kStatus{0, 200, 200, 200, 404, 429, 500, 503};
    constexpr std::array<std::string_view, 4> kBodies{"", "{}", "[1]", "<html>nonsense"};
    const unsigned status = kStatus.at((*engine)() % kStatus.size());
    return Fetched{fetch.ref, status, to_bytes(as_bytes(kBodies.at((*engine)() % kBodies.size()))),
                   status == 0 ? "no host" : ""};
  };
}

}  // namespace

std::vector<Check> check_bridge(const Launch& launch,
                                const std::map<std::string, std::string>& options,
                                const std::string& chat, std::uint64_t seed) {
  std::vector<Check> checks;
  std::optional<Hello> hello;
  {
    Trial trial(launch, options, always(0));
    hello = trial.hello();
    checks.push_back(
        verdict("says hello of contract 1 within 5 s", hello.has_value(), trial.why()));
    if (!hello) return checks;
    checks.push_back(verdict("ends within 5 s when told to", trial.stop(), "it had to be killed",
                             Check::Level::should));
  }
  const auto answers = [&](std::string name, const std::vector<Deliver>& all,
                           unsigned fetch_status) {
    Trial trial(launch, options, always(fetch_status));
    bool kept = true;
    for (const Deliver& each : all) {
      trial.tell(each);
      kept = kept && trial.answer(each.id).has_value();
    }
    checks.push_back(verdict(std::move(name), kept && trial.alive(), trial.why()));
  };
  answers("answers a delivery", {text("m1.0", chat, "hello")}, 0);
  answers("answers each of two deliveries", {text("m1.0", chat, "1"), text("m2.0", chat, "2")}, 0);
  answers("answers a delivery that is made again",
          {text("m1.0", chat, "1"), text("m1.0", chat, "1")}, 0);
  answers("survives an empty text", {text("m1.0", chat, "")}, 0);
  answers("survives text of 700 KiB", {text("m1.0", chat, std::string(700 * 1024, 'x'))}, 0);
  answers("survives text beyond the basic plane", {text("m1.0", chat, "\xF0\x9F\xA6\x8A")}, 0);
  Deliver bytes = text("m1.0", chat, "");
  bytes.content = {"application/octet-stream", Bytes(1000, 0xFF)};
  answers("survives bytes of an unknown type", {bytes}, 0);
  answers("survives a service that answers 500", {text("m1.0", chat, "hello")}, 500);
  answers("survives a service that answers nonsense", {text("m1.0", chat, "hello")}, 200);
  {
    Trial trial(launch, options, always(0));
    trial.tell(bridge::Outcome{"never asked", "denied"});
    trial.tell(Fetched{"never asked", 200, {}, {}});
    trial.tell(text("m1.0", chat, "hello"));
    checks.push_back(verdict("passes over answers that it did not ask for",
                             trial.answer("m1.0").has_value(), trial.why()));
  }
  {
    Trial trial(launch, options, faulty(seed));
    bool kept = true;
    for (int i = 0; kept && i < 20; ++i) {
      // Every third one again, as after a crash of the host.
      const Deliver each = text("m" + std::to_string(i - i % 3 / 2) + ".0", chat, "words");
      trial.tell(each);
      kept = trial.answer(each.id).has_value();
    }
    checks.push_back(verdict(
        "answers each of twenty deliveries on a bad day (seed " + std::to_string(seed) + ")",
        kept && trial.alive(), trial.why(), Check::Level::should));
  }
  if (hello->hook) {
    Trial trial(launch, options, always(0));
    trial.tell(Hook{"1", "/hook", to_bytes(as_bytes("nonsense"))});
    const auto hooked = trial.wait<Hooked>(kPatience, [](const Hooked& h) { return h.ref == "1"; });
    checks.push_back(verdict("answers a webhook of nonsense, and not with 2xx",
                             hooked && hooked->status >= 300, trial.why()));
  } else {
    checks.push_back(
        {"answers a webhook", Verdict::not_applicable, Check::Level::must, "no capability hook"});
  }
  if (hello->ask) {
    Deliver question = text("m1.0", chat, "go on?");
    question.choices = {"Approve", "Deny"};
    answers("answers a question's delivery", {question}, 0);
  } else {
    checks.push_back({"answers a question's delivery", Verdict::not_applicable, Check::Level::must,
                      "no capability ask"});
  }
  return checks;
}

char grade(const std::vector<Check>& checks) {
  char worst = 'A';
  for (const Check& check : checks)
    if (check.verdict == Verdict::broken)
      worst = std::max(worst, check.level == Check::Level::must ? 'F' : 'B');
  return worst;
}

}  // namespace sealwire::cli

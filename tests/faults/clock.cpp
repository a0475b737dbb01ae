// The clock of sealwired's machine jumps a day ahead, back, a day behind, and back, round after
// round, under load on both channels. What is accepted must come, once and in order; what is
// refused meanwhile must be refused with a name, and may not come; and when the clock is right
// again, service must go on.
//
// Three messages of four live for a week: no jump may cost one that was accepted. The fourth lives
// for an hour: a day ahead it has expired, which its sender has to be told. (If that was delivered
// and its Ack is on its way, the broker cannot know, and it comes nevertheless.) Only the wall
// clock jumps, as when somebody sets it; the monotonic clock goes on. Done by libfaketime, below a
// cage that stays closed: the file that it reads lies in the broker's own folder.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/faults/agents.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 120s;
constexpr auto kPause = 2ms;           // between two messages: a few hundred a second
constexpr std::size_t kWindow = 8192;  // more than ever wait, so that none share an envelope
constexpr const char* kOffsets[] = {"+86400", "+0", "-86400", "+0"};  // seconds

/// What is known of one message.
struct Fate {
  enum class Answer { none, accepted, refused } answer = Answer::none;
  std::string id;  // once it is accepted
  bool came = false;
};

/// One sender, one receiver, and what became of each message.
class Talk {
 public:
  Talk(std::string home, std::string scheme) : home_(std::move(home)), scheme_(std::move(scheme)) {}
  ~Talk() { end(); }

  Result<> begin(const std::string& endpoint) {
    SW_TRY(agents_, introduce(home_, scheme_ + "-", endpoint, kWindow));
    agents_[0].on_notice([this](const Notice& notice) { on_notice(notice); });
    agents_[1].on_message([this](const Message& message) { on_message(message); });
    sender_ = std::jthread([this](const std::stop_token& stop) {
      for (; !stop.stop_requested(); std::this_thread::sleep_for(kPause))
        send();
    });
    answers_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested())
        take_answer();
    });
    return {};
  }
  void end() {
    sender_ = {};
    answers_ = {};
    agents_.clear();
  }

  /// Whether everything that was sent until now has come, or was refused.
  bool wait_settled() {
    std::unique_lock lock(mutex_);
    const std::uint64_t due = settled_ + fates_.size();
    return changed_.wait_for(lock, kPatience, [&] { return !error_.empty() || settled_ >= due; }) &&
           error_.empty();
  }
  std::string report() {
    const std::lock_guard lock(mutex_);
    std::string text = scheme_ + ": " + std::to_string(came_) + " came once and in order";
    for (const auto& [why, count] : refused_)
      text += ", " + std::to_string(count) + " refused (" + why + ")";
    if (crossed_ > 0) text += ", " + std::to_string(crossed_) + " came while being withdrawn";
    if (!error_.empty()) text += "; " + error_;
    return text;
  }
  /// What does not belong in a run: nothing was sent, or no jump was felt.
  bool idle() {
    const std::lock_guard lock(mutex_);
    return came_ == 0 || refused_.empty();
  }

 private:
  void send() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = settled_ + fates_.size();
    SendOptions options;
    if (number % 4 == 3) options.lifetime = std::chrono::hours(1);
    auto sending = agents_[0].send("receiver", std::to_string(number), options);
    if (!sending) return;  // the agent holds too many already
    fates_.emplace_back();
    unanswered_.emplace_back(number, *std::move(sending));
    changed_.notify_all();
  }

  void take_answer() {
    std::pair<std::uint64_t, Sending> next;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, 100ms, [this] { return !unanswered_.empty(); })) return;
      next = unanswered_.front();
    }
    const auto answer = next.second.wait(100ms);
    if (!answer && answer.error().code == Errc::timeout) return;
    const std::lock_guard lock(mutex_);
    unanswered_.pop_front();
    Fate& fate = fates_[next.first - settled_];
    fate.answer = answer ? Fate::Answer::accepted : Fate::Answer::refused;
    if (answer)
      fate.id = answer->message_id;
    else
      ++refused_[std::string(name(answer.error().code)) + ": " + answer.error().detail];
    settle();
  }

  void on_message(const Message& message) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = std::strtoull(std::string(message.text()).c_str(), nullptr, 10);
    if (number < next_)
      return wrong(std::to_string(number) + " came behind " + std::to_string(next_ - 1));
    next_ = number + 1;
    ++came_;
    if (number < settled_) {
      if (!gone_.contains(number)) wrong(std::to_string(number) + " came, and was refused");
      ++crossed_;
      return;
    }
    fates_[number - settled_].came = true;
    settle();
  }

  /// A message that was accepted, and has expired before it could be delivered.
  void on_notice(const Notice& notice) {
    if (notice.kind != Notice::Kind::refused) return;
    const std::lock_guard lock(mutex_);
    withdrawn_.insert(notice.message_id);
    settle();
  }

  /// Messages whose fate is decided are forgotten, oldest first.
  void settle() {
    for (; !fates_.empty(); fates_.pop_front(), ++settled_) {
      const Fate& fate = fates_.front();
      if (fate.answer == Fate::Answer::none) break;
      const bool withdrawn = withdrawn_.contains(fate.id);
      if (fate.answer == Fate::Answer::accepted && !fate.came && !withdrawn) break;
      if (fate.came && fate.answer == Fate::Answer::refused)
        return wrong(std::to_string(settled_) + " came, and was refused");
      if (!withdrawn) continue;
      if (settled_ % 4 != 3) return wrong(std::to_string(settled_) + " was accepted and withdrawn");
      if (fate.came) {
        ++crossed_;
      } else {
        ++refused_["after it was accepted: it expired"];
        gone_.insert(settled_);
      }
    }
    changed_.notify_all();
  }

  void wrong(const std::string& what) {
    if (error_.empty()) error_ = what;
    changed_.notify_all();
  }

  const std::string home_, scheme_;
  std::vector<Agent> agents_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string error_;
  std::uint64_t settled_ = 0;  // messages from the first
  std::deque<Fate> fates_;     // of those behind them
  std::deque<std::pair<std::uint64_t, Sending>> unanswered_;
  std::set<std::string> withdrawn_;  // ids
  std::set<std::uint64_t> gone_;     // withdrawn, and had not come by then
  std::uint64_t crossed_ = 0;        // came, though withdrawn: its Ack was still on its way
  std::uint64_t next_ = 0;           // no smaller number may come now
  std::uint64_t came_ = 0;
  std::map<std::string, std::uint64_t> refused_;
  std::jthread sender_, answers_;
};

/// As one step: libfaketime reads the file at every look at the clock.
void set_clock(const std::filesystem::path& file, const std::string& offset) {
  const std::filesystem::path beside = file.string() + ".new";
  std::ofstream(beside) << offset << '\n';
  std::filesystem::rename(beside, file);
}

int run(const char* sealwired, const char* faketime, int rounds, std::uint64_t seed) {
  std::mt19937_64 dice(seed);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  auto broker = SealwiredProcess::make(sealwired);
  std::vector<std::unique_ptr<Talk>> talks;
  const auto failed = [&](int round, const std::string& why) {
    if (broker) std::fputs(broker->log().c_str(), stdout);
    for (auto& talk : talks)
      std::puts(talk->report().c_str());
    std::printf("round %d: %s\n%d passed, 1 failed\n", round, why.c_str(), round);
    return 1;
  };
  if (!broker) return failed(0, broker.error().detail);
  const std::filesystem::path file = broker->folder() / "clock";
  set_clock(file, "+0");
  ::setenv("SEALWIRE_PRELOAD", faketime, 1);
  ::setenv("FAKETIME_TIMESTAMP_FILE", file.c_str(), 1);
  ::setenv("FAKETIME_NO_CACHE", "1", 1);
  ::setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1", 1);
  if (const auto started = broker->start(); !started) return failed(0, started.error().detail);
  const std::string home = (broker->folder() / "agents").string();
  for (const char* scheme : {"wss", "tcp"}) {
    talks.push_back(std::make_unique<Talk>(home, scheme));
    if (const auto begun = talks.back()->begin(broker->endpoint(scheme)); !begun)
      return failed(0, std::string(scheme) + ": " + begun.error().detail);
  }
  std::vector<double> seconds;  // until all was settled, once the clock was right again
  for (int round = 0; round < rounds; ++round) {
    for (const char* offset : kOffsets) {
      set_clock(file, offset);
      std::this_thread::sleep_for(std::chrono::milliseconds(200 + dice() % 1500));
    }
    const auto right = Clock::now();
    for (auto& talk : talks)
      if (!talk->wait_settled()) return failed(round, "not all that was accepted has come");
    seconds.push_back(std::chrono::duration<double>(Clock::now() - right).count());
  }
  for (auto& talk : talks) {
    talk->end();
    std::puts(talk->report().c_str());
    if (talk->idle()) return failed(rounds, "there was no load, or no jump");
  }
  const int status = broker->stop(SIGTERM);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return failed(rounds, "SIGTERM: status " + std::to_string(status));
  std::sort(seconds.begin(), seconds.end());
  if (!seconds.empty())
    std::printf("note: settled %.2f s after the clock was right (median), %.2f s (most)\n",
                seconds[seconds.size() / 2], seconds.back());
  std::printf("%d passed, 0 failed\n", rounds);
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: clock SEALWIRED LIBFAKETIME ROUNDS [SEED]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::uint64_t seed =
      argc == 5 ? std::strtoull(argv[4], nullptr, 10) : std::random_device{}();
  return sealwire::test::run(argv[1], argv[2], std::atoi(argv[3]), seed);
}

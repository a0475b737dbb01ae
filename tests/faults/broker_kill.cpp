// sealwired is killed (SIGKILL) under load, again and again. After every restart: whatever was
// accepted before the kill arrives, in order, and no message arrives as a second one.
//
// One pair of agents on each channel. A sender sends again, byte by byte, what it has no answer
// for; a receiver remembers the sequence up to which it has processed, acknowledges behind it, and
// compares every entry with what was sent.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "tests/support/envelopes.h"
#include "tests/support/raw_client.h"
#include "tests/support/sealwired_process.h"

namespace sealwire::test {
namespace {

constexpr std::size_t kInFlight = 128;
constexpr std::size_t kPerSend = 8;

class Pair {
 public:
  explicit Pair(Random& random) : random_(random) {}

  /// First time: contacts and conversation. Always: both sessions, resumed.
  Result<> connect(const std::string& uri) {
    from_ = std::make_unique<RawClient>();
    to_ = std::make_unique<RawClient>();
    SW_CHECK(from_->connect(uri, sender_, random_).map([](const auto&) {}));
    SW_CHECK(to_->dial(uri));
    SW_TRY(const handshake::Ready ready,
           to_->prove(receiver_, random_, [this](handshake::ClientParameters& parameters) {
             parameters.acked = acknowledged_;
             parameters.incarnation = incarnation_;
           }));
    if (incarnation_ && *incarnation_ != ready.incarnation)
      return fail(Errc::state_corrupt, "the broker lost its incarnation");
    incarnation_ = ready.incarnation;
    if (ready.mailbox_acked < acknowledged_)
      return fail(Errc::state_corrupt, "the broker forgot an acknowledgement");
    if (!opened_) SW_CHECK(open());
    in_flight_from_ = accepted_;
    next_ = accepted_;
    return {};
  }

  void listen() {
    from_->on_frame([this](const Frame& frame) { on_sender_frame(frame); });
    to_->on_frame([this](const Frame& frame) { on_receiver_frame(frame); });
    to_->credit(1'000'000'000, 1'000'000'000'000);
  }

  /// Sends until the connection goes or somebody stops it.
  void run() {
    while (true) {
      std::vector<std::vector<Bytes>> bundles;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] {
          return stopped_ || !error_.empty() || next_ + kPerSend <= accepted_ + kInFlight;
        });
        if (stopped_ || !error_.empty()) return;
        for (std::size_t i = 0; i < kPerSend; ++i, ++next_) {
          if (next_ == sent_.size())
            sent_.push_back(chain_.next(Bytes(200 + next_ % 3000), random_, system_now()));
          bundles.push_back({sent_[next_].bytes});
        }
      }
      if (!from_->send(send_frame(bundles))) return;
    }
  }

  /// Everything that was accepted until now, within patience.
  bool wait_for_delivery() {
    std::unique_lock lock(mutex_);
    const std::size_t promised = accepted_;
    return changed_.wait_for(lock, kPatience, [&] {
      return !error_.empty() || received_ >= promised;
    }) && error_.empty();
  }
  void stop(bool stopped) {
    const std::lock_guard lock(mutex_);
    stopped_ = stopped;
    changed_.notify_all();
  }
  void disconnect() {
    from_.reset();
    to_.reset();
  }
  std::string error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }
  std::size_t accepted() const { return accepted_; }
  std::size_t received() const { return received_; }
  std::size_t again() const { return again_; }

 private:
  Result<> open() {
    SW_CHECK(from_->allow(receiver_.identity.agent));
    SW_CHECK(to_->allow(sender_.identity.agent));
    auto opening = open_conversation(sender_, receiver_, random_, system_now());
    from_->send(send_frame({opening.bundle}));
    SW_TRY(const Bytes accepted, from_->expect(wire::Body::Accepted));
    chain_ = opening.creator;
    welcome_ = opening.bundle[1];
    opened_ = true;
    return {};
  }

  void wrong(std::string what) {
    if (error_.empty()) error_ = std::move(what);
    changed_.notify_all();
  }

  void on_sender_frame(const Frame& frame) {
    const std::lock_guard lock(mutex_);
    if (const auto* rejected = frame.as<wire::Rejected>())
      return wrong(std::string("rejected: ") +
                   wire::EnumNameCode(rejected->rejections()->Get(0)->code()));
    const auto* accepted = frame.as<wire::Accepted>();
    if (accepted == nullptr) return;
    const Bytes acceptance = to_bytes(span_of(accepted->acceptance()));
    for (const auto* receipt :
         *flatbuffers::GetRoot<wire::Acceptance>(acceptance.data())->receipts()) {
      if (accepted_ >= sent_.size() || value<Digest>(receipt->digest()) != sent_[accepted_].digest)
        return wrong("a receipt for something else");
      ++accepted_;
    }
    changed_.notify_all();
  }

  void on_receiver_frame(const Frame& frame) {
    const auto* deliver = frame.as<wire::Deliver>();
    if (deliver == nullptr) return;
    std::uint64_t ack = 0;
    {
      const std::lock_guard lock(mutex_);
      for (const auto* entry : *deliver->entries()) {
        const std::uint64_t sequence = entry->sequence();
        const auto* delivery = entry->item_as_Delivery();
        const std::size_t index = sequence - 2;  // the first is the welcome
        if (sequence == 0 || delivery == nullptr) return wrong("an entry that nobody sent");
        if (sequence > processed_ + 1)
          return wrong("sequence " + std::to_string(sequence) + " after " +
                       std::to_string(processed_));
        const Bytes& expected = sequence == 1 ? welcome_ : sent_.at(index).bytes;
        const ByteSpan bytes = span_of(delivery->envelope());
        if (!std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end()))
          return wrong("sequence " + std::to_string(sequence) + " is another envelope now");
        if (sequence <= processed_) {
          ++again_;
          continue;
        }
        processed_ = sequence;
        if (sequence > 1) ++received_;
      }
      // Behind what was processed, so that a kill leaves some to be delivered again.
      ack = processed_ - std::min<std::uint64_t>(processed_, processed_ % 7);
      acknowledged_ = std::max(acknowledged_, ack);
      changed_.notify_all();
    }
    if (ack > 0) to_->ack(ack);
  }

  Random& random_;
  const RawAgent sender_ = make_raw_agent(random_);
  const RawAgent receiver_ = make_raw_agent(random_);
  RawChain chain_;
  Bytes welcome_;
  bool opened_ = false;
  std::optional<BrokerIncarnation> incarnation_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string error_;
  bool stopped_ = false;
  std::vector<SealedEnvelope> sent_;
  std::size_t next_ = 0;            // to be sent on this connection
  std::size_t in_flight_from_ = 0;  // where this connection began
  std::size_t accepted_ = 0;        // of sent_, from the front
  std::uint64_t processed_ = 0;     // sequence
  std::uint64_t acknowledged_ = 0;
  std::size_t received_ = 0;
  std::size_t again_ = 0;
  std::unique_ptr<RawClient> from_, to_;
};

int run(const char* program, int rounds, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  crypto::SystemRandom random;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  auto broker = SealwiredProcess::make(program);
  if (!broker) {
    std::fprintf(stderr, "%s\n", broker.error().detail.c_str());
    return 1;
  }
  Pair pairs[] = {Pair(random), Pair(random)};
  const char* schemes[] = {"wss", "tcp"};
  const auto check = [&](int round, const std::string& what) {
    if (what.empty()) return true;
    std::printf("round %d: %s\n%d passed, 1 failed\n", round, what.c_str(), round);
    return false;
  };
  for (int round = 0; round <= rounds; ++round) {
    if (const auto started = broker->start(); !started)
      return !check(round, started.error().detail);
    for (int i = 0; i < 2; ++i) {
      if (const auto connected = pairs[i].connect(broker->endpoint(schemes[i])); !connected)
        return !check(round, std::string(schemes[i]) + ": " +
                                 std::string(name(connected.error().code)) + " " +
                                 connected.error().detail);
      pairs[i].listen();
    }
    for (int i = 0; i < 2; ++i)
      if (!pairs[i].wait_for_delivery())
        return !check(round, std::string(schemes[i]) + ": accepted " +
                                 std::to_string(pairs[i].accepted()) + ", received " +
                                 std::to_string(pairs[i].received()) + " " + pairs[i].error());
    if (round == rounds) break;
    std::vector<std::thread> senders;
    for (Pair& pair : pairs)
      senders.emplace_back([&pair] { pair.run(); });
    // Long enough for thousands of commits over all rounds, at a moment nobody chose.
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + engine() % 400));
    broker->stop(SIGKILL);
    for (Pair& pair : pairs)
      pair.stop(true);
    for (auto& sender : senders)
      sender.join();
    for (int i = 0; i < 2; ++i) {
      pairs[i].disconnect();
      pairs[i].stop(false);
      if (!check(round, pairs[i].error())) return 1;
    }
  }
  const int status = broker->stop(SIGTERM);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return !check(rounds, "SIGTERM: status " + std::to_string(status));
  for (int i = 0; i < 2; ++i)
    std::printf("%s: %zu accepted, %zu received once, %zu delivered again and recognised\n",
                schemes[i], pairs[i].accepted(), pairs[i].received(), pairs[i].again());
  if (pairs[0].accepted() == 0 || pairs[1].accepted() == 0)
    return !check(rounds, "there was no load");
  std::printf("%d passed, 0 failed\n", rounds);
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: broker_kill SEALWIRED ROUNDS [SEED]\n");
    return 2;
  }
  sealwire::crypto::initialise();
  ::signal(SIGPIPE, SIG_IGN);
  const std::uint64_t seed =
      argc == 4 ? std::strtoull(argv[3], nullptr, 10) : std::random_device{}();
  return sealwire::test::run(argv[1], std::atoi(argv[2]), seed);
}

// A sender and a receiver on one channel that notice anything lost, repeated or changed.
//
// A sender sends again, byte by byte, what it has no answer for; a receiver remembers the sequence
// up to which it has processed, acknowledges behind it, and compares every entry with what was
// sent.
#pragma once

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/envelopes.h"
#include "tests/support/raw_client.h"

namespace sealwire::test {

inline constexpr std::size_t kInFlight = 128;
inline constexpr std::size_t kPerSend = 8;

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
    next_ = accepted_;
    refusal_.clear();
    return {};
  }

  void listen() {
    from_->on_frame([this](const Frame& frame) { on_sender_frame(frame); });
    // By its own pointer: to_ is empty while the client ends, and waits for its last frame.
    to_->on_frame([this, to = to_.get()](const Frame& frame) { on_receiver_frame(*to, frame); });
    to_->credit(1'000'000'000, 1'000'000'000'000);
  }

  /// Sends until the connection goes or somebody stops it.
  void run() {
    while (true) {
      std::vector<std::vector<Bytes>> bundles;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock,
                      [this] { return is_over() || next_ + kPerSend <= accepted_ + kInFlight; });
        if (is_over()) return;
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
  /// What the store's trouble was called on this connection; empty if there was none.
  std::string refusal() {
    const std::lock_guard lock(mutex_);
    return refusal_;
  }
  bool wait_for_refusal() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] {
      return !error_.empty() || !refusal_.empty();
    }) && error_.empty();
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

  bool is_over() const { return stopped_ || !error_.empty() || !refusal_.empty(); }

  void wrong(std::string what) {
    if (error_.empty()) error_ = std::move(what);
    changed_.notify_all();
  }

  void on_sender_frame(const Frame& frame) {
    const std::lock_guard lock(mutex_);
    if (const auto* rejected = frame.as<wire::Rejected>()) {
      const std::string code = wire::EnumNameCode(rejected->rejections()->Get(0)->code());
      // What comes behind a refused message is refused as well, for its gap in the chain.
      if (refusal_.empty() && code != "unavailable" && code != "closing")
        return wrong("rejected: " + code);
      if (refusal_.empty()) refusal_ = code;
      changed_.notify_all();
      return;
    }
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

  void on_receiver_frame(RawClient& to, const Frame& frame) {
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
    if (ack > 0) to.ack(ack);
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
  std::string error_, refusal_;
  bool stopped_ = false;
  std::vector<SealedEnvelope> sent_;
  std::size_t next_ = 0;         // to be sent on this connection
  std::size_t accepted_ = 0;     // of sent_, from the front
  std::uint64_t processed_ = 0;  // sequence
  std::uint64_t acknowledged_ = 0;
  std::size_t received_ = 0;
  std::size_t again_ = 0;
  std::unique_ptr<RawClient> from_, to_;
};

}  // namespace sealwire::test

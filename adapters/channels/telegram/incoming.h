// One direction of a connection, at the end that receives: fragments in any order, and twice,
// become frames in order, once. No threads; the time is an argument; the owner guards it.
#pragma once

#include <map>
#include <optional>

#include "adapters/channels/channel.h"
#include "adapters/channels/telegram/fragment.h"

namespace sealwire::channel::telegram {

class Incoming {
 public:
  explicit Incoming(const Limits& limits) : limits_(limits) {}

  enum class Took : std::uint8_t {
    held,      // it is ours
    document,  // it is ours, and its payload is to be fetched for `fill`
    again,     // it came before
  };
  /// `document_bytes`: the fragment is a caption, its payload a document of that size. Fails with
  /// `frame_malformed` where the fragment may not be sent, with `connection_lost` where the one
  /// that is missing before it cannot be waited for.
  Result<Took> accept(Fragment fragment, std::optional<std::uint64_t> document_bytes,
                      Clock::time_point now);
  /// The document of a fragment that `accept` asked for. Fails with `frame_malformed`.
  Result<> fill(std::uint32_t number, Bytes payload, Clock::time_point now);

  /// The next frame that is whole. Fails with `frame_too_large` under the limit that holds now.
  Result<std::optional<Bytes>> next_frame();
  /// That frame was delivered: its room is the other end's again.
  void release(std::size_t frame_bytes) { released_ += frame_bytes + kLengthBytes; }
  void promote() { promoted_ = true; }

  bool opened() const { return next_ > 0; }
  /// The close fragment's reason, once everything before it has come.
  const std::optional<std::string>& closed() const { return closed_; }
  /// `connection_lost` if a fragment is missing for longer than kGapTime.
  Result<> check(Clock::time_point now) const;

  /// What this end's next fragment may tell; once it does, the other end is held to it.
  std::uint64_t credit() const { return std::max(advertised_, released_ + window()); }
  void told(std::uint64_t credit) { advertised_ = std::max(advertised_, credit); }
  /// The other end is about to run out of what it was told last.
  bool credit_due() const;
  /// Held here, of fragments and of frames that nobody took yet. Bounded by the credit.
  std::size_t held_bytes() const { return held_bytes_ + stream_.size() - begin_; }

 private:
  static constexpr std::size_t kLengthBytes = 4;
  struct Held {
    Kind kind;
    std::uint64_t bytes;
    std::optional<Bytes> payload;  // none: its document is still to come
  };

  std::size_t frame_bytes_max() const {
    return promoted_ ? limits_.frame_bytes : limits_.frame_bytes_before_proof;
  }
  std::size_t slack() const;
  std::uint64_t window() const { return frame_bytes_max() + slack() + 2 * kLengthBytes; }
  Result<> absorb(Clock::time_point now);

  const Limits limits_;
  bool promoted_ = false;
  std::map<std::uint32_t, Held> held_;
  std::size_t held_bytes_ = 0;
  std::uint32_t next_ = 0;
  Clock::time_point stuck_since_;  // where held_ is not empty
  Bytes stream_;                   // in order and not yet taken, from begin_ on
  std::size_t begin_ = 0;
  std::uint64_t received_ = 0, released_ = 0, advertised_ = 0;  // bytes of the stream
  std::optional<std::string> closed_;
};

}  // namespace sealwire::channel::telegram

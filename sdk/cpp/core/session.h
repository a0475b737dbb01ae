// One session with the broker after the other: handshake, protection of frames, signs of life, when
// to connect again. It knows frames as bytes; what they mean is the core's.
#pragma once

#include "protocol/handshake/handshake.h"
#include "sdk/cpp/core/shared.h"

namespace sealwire::sdk {

class Session {
 public:
  explicit Session(Shared& shared) : shared_(shared) {}

  struct Resume {
    std::uint64_t acked = 0;
    std::optional<BrokerIncarnation> incarnation;
  };
  /// Wants a connection as soon as its backoff allows.
  void start() { wanted_ = true; }
  /// `invite`, to be redeemed in the Proof, outlives the handshake; may be null.
  void on_open(handshake::ChannelBinding binding, const Resume& resume, const Invite* invite);
  /// The plain frame of the session, or nothing while the handshake goes on. An error ends the
  /// session: the core calls close().
  Result<std::optional<Bytes>> on_bytes(ByteSpan message);
  void on_close(const Error& why);
  void on_timer();
  UnixMillis next_timer() const;
  void on_clock_set_back(std::uint64_t ms);

  /// Queues a frame for the next flush. Only while ready().
  void send(Bytes frame);
  /// Ends the session with a Close frame.
  void close(const Error& why);
  /// Ends the session in order, and wants no other.
  void stop() {
    wanted_ = false;
    close({Errc::closed, "the agent stops"});
  }
  /// What was queued since the last flush is not to leave.
  void discard_frames() {
    frames_.clear();
    clear_frames_.clear();
  }
  /// Connects again without waiting (the reason why it failed has gone).
  void retry_now() { not_before_ = shared_.now; }

  void on_ping(std::uint64_t nonce);
  /// Its nonce is the time it was sent.
  void ping();

  bool ready() const { return state_ == State::ready; }
  const handshake::Ready& info() const { return info_; }
  /// Of this session: what a redemption signs.
  const Digest& transcript() const { return transcript_; }
  const std::optional<Error>& last_error() const { return last_error_; }

  struct Output {
    bool dial = false;
    bool promote = false;
    bool close = false;
    std::vector<Bytes> frames;
  };
  /// What the channel is to do. Frames are sealed here: each is in order and leaves once.
  Output take_output();

 private:
  enum class State : std::uint8_t { idle, dialling, hello, proof, ready, closing };
  void enter(State state);
  void schedule_retry();

  Shared& shared_;
  State state_ = State::idle;
  bool wanted_ = false;
  std::optional<handshake::Client> handshake_;
  handshake::ChannelBinding binding_;
  handshake::FrameProtection protection_;
  handshake::Ready info_;
  Digest hello_hash_;
  Digest transcript_;
  std::vector<Bytes> clear_frames_;  // of the handshake
  std::vector<Bytes> frames_;
  Output output_;
  std::optional<Error> last_error_;
  UnixMillis not_before_;  // the next dial
  std::uint32_t failures_ = 0;
  UnixMillis deadline_;  // of the handshake
  UnixMillis heard_;
  UnixMillis spoke_;
};

}  // namespace sealwire::sdk

#include "sdk/cpp/core/session.h"

#include <algorithm>

#include "protocol/limits.h"

namespace sealwire::sdk {
namespace {

constexpr std::uint64_t kDialMs = 15 * kSecondMs;  // dial and handshake together
constexpr std::uint64_t kBackoffFirstMs = 100;
constexpr std::uint64_t kBackoffLastMs = 30 * kSecondMs;

}  // namespace

void Session::enter(State state) {
  state_ = state;
  heard_ = spoke_ = shared_.now;
}

void Session::on_open(handshake::ChannelBinding binding, const Resume& resume,
                      const Invite* invite) {
  if (state_ != State::dialling) return;
  binding_ = std::move(binding);
  handshake::ClientParameters parameters;
  parameters.inception = shared_.self.inception;
  parameters.broker = shared_.config.broker;
  parameters.invite = invite;
  parameters.agent = shared_.self.agent;
  parameters.acked = resume.acked;
  parameters.incarnation = resume.incarnation;
  handshake_.emplace(shared_.key, std::move(parameters), binding_, shared_.random);
  Bytes hello = handshake_->hello();
  hello_hash_ = crypto::blake2b(hello);
  clear_frames_.push_back(std::move(hello));
  enter(State::hello);
}

Result<std::optional<Bytes>> Session::on_bytes(ByteSpan message) {
  heard_ = shared_.now;
  switch (state_) {
    case State::hello: {
      // Before anything is signed for whoever answers.
      if (!shared_.config.broker && !shared_.config.trust_first_use)
        return fail(Errc::broker_key_mismatch,
                    "no broker key is known: give one, or allow trust on first use");
      SW_TRY(Bytes proof, handshake_->on_challenge(message));
      transcript_ = handshake::transcript(hello_hash_, crypto::blake2b(message), binding_);
      clear_frames_.push_back(std::move(proof));
      state_ = State::proof;
      return std::nullopt;
    }
    case State::proof: {
      SW_TRY(info_, handshake_->on_ready(message));
      protection_ = std::move(*handshake_).protection();
      handshake_.reset();
      output_.promote = true;
      failures_ = 0;
      last_error_.reset();
      enter(State::ready);
      return std::nullopt;
    }
    case State::ready: {
      SW_TRY(Bytes frame, protection_.open(message));
      return std::optional<Bytes>(std::move(frame));
    }
    default:
      return std::nullopt;  // crossed with our close
  }
}

void Session::schedule_retry() {
  const std::uint64_t most = std::min(kBackoffLastMs, kBackoffFirstMs << std::min(failures_, 12u));
  ++failures_;
  // Full jitter over the upper half: many agents of one broker must not come back together.
  std::array<std::uint8_t, 2> draw{};
  shared_.random.fill(draw);
  const std::uint64_t share = (std::uint64_t{draw[0]} << 8 | draw[1]) % (most / 2 + 1);
  not_before_ = shared_.now + (most / 2 + share);
}

void Session::on_close(const Error& why) {
  if (state_ == State::idle) return;
  // What ended the session first is the reason: the channel's close only follows it.
  if (state_ != State::closing) last_error_ = why;
  state_ = State::idle;
  handshake_.reset();
  clear_frames_.clear();
  frames_.clear();
  protection_ = {};
  output_ = {};
  schedule_retry();
}

void Session::close(const Error& why) {
  if (state_ == State::idle || state_ == State::closing) return;
  last_error_ = why;
  // SES-032; nothing may stand between Proof and Ready (SES-018).
  if (state_ == State::hello || state_ == State::ready) {
    flatbuffers::FlatBufferBuilder b;
    Bytes frame = finish_frame(b, wire::CreateClose(b, wire_code(why.code)));
    if (state_ == State::hello)
      clear_frames_.push_back(std::move(frame));
    else
      send(std::move(frame));
  }
  state_ = State::closing;
  deadline_ = shared_.now + kDialMs;
  output_.close = true;
}

void Session::on_timer() {
  if (!wanted_) return;
  const UnixMillis now = shared_.now;
  const std::uint64_t idle_ms = std::max<std::uint64_t>(info_.terms.idle_ms, kSecondMs);
  switch (state_) {
    case State::idle:
      if (now < not_before_) return;
      output_.dial = true;
      deadline_ = now + kDialMs;
      state_ = State::dialling;
      return;
    case State::dialling:
    case State::hello:
    case State::proof:
      if (now >= deadline_) close({Errc::handshake_timeout, "no session after 15 s"});
      return;
    case State::ready:
      if (now >= heard_ + idle_ms) {
        close({Errc::idle_timeout, "the broker is silent"});
      } else if (now >= spoke_ + idle_ms / 3) {
        ping();
      }
      return;
    case State::closing:
      return;
  }
}

void Session::on_clock_set_back(std::uint64_t ms) {
  for (UnixMillis* time : {&not_before_, &deadline_, &heard_, &spoke_})
    *time = *time - ms;
}

UnixMillis Session::next_timer() const {
  const std::uint64_t idle_ms = std::max<std::uint64_t>(info_.terms.idle_ms, kSecondMs);
  if (!wanted_) return {UINT64_MAX};
  switch (state_) {
    case State::idle:
      return not_before_;
    case State::ready:
      return std::min(spoke_ + idle_ms / 3, heard_ + idle_ms);
    case State::closing:
      return {UINT64_MAX};
    default:
      return deadline_;
  }
}

void Session::send(Bytes frame) {
  if (state_ != State::ready) return;
  spoke_ = shared_.now;
  frames_.push_back(std::move(frame));
}

void Session::on_ping(std::uint64_t nonce) {
  flatbuffers::FlatBufferBuilder b;
  send(finish_frame(b, wire::CreatePong(b, nonce)));
}

void Session::ping() {
  flatbuffers::FlatBufferBuilder b;
  send(finish_frame(b, wire::CreatePing(b, shared_.now.value)));
}

Session::Output Session::take_output() {
  Output output = std::exchange(output_, {});
  output.frames = std::exchange(clear_frames_, {});
  for (Bytes& frame : std::exchange(frames_, {}))
    output.frames.push_back(protection_.seal(std::move(frame)));
  return output;
}

}  // namespace sealwire::sdk

#include "adapters/channels/telegram/incoming.h"

namespace sealwire::channel::telegram {

Result<Incoming::Took> Incoming::accept(Fragment fragment,
                                        std::optional<std::uint64_t> document_bytes,
                                        Clock::time_point now) {
  if (fragment.number < next_ || held_.contains(fragment.number)) return Took::again;
  if (closed_) return fail(Errc::frame_malformed, "a fragment after the close");
  if (fragment.number - next_ >= kFragmentsAhead)
    return fail(Errc::connection_lost, "fragment " + std::to_string(next_) + " is missing, and " +
                                           std::to_string(kFragmentsAhead) + " came after it");
  if (document_bytes && !fragment.payload.empty())
    return fail(Errc::frame_malformed, "a caption with a payload of its own");
  const std::uint64_t bytes = document_bytes.value_or(fragment.payload.size());
  if (bytes > kDocumentPayloadBytes || (document_bytes && bytes == 0))
    return fail(Errc::frame_malformed, "a document's size");
  // A reason is no part of the stream.
  const std::uint64_t free = fragment.kind == Kind::close ? 1 + kReasonBytes : 0;
  received_ += bytes - std::min(bytes, free);
  if (received_ > advertised_)
    return fail(Errc::frame_malformed, "more bytes than this end has given credit for");
  if (held_.empty()) stuck_since_ = now;
  held_bytes_ += bytes;
  held_[fragment.number] = {fragment.kind, bytes,
                            document_bytes ? std::nullopt : std::optional(fragment.payload)};
  SW_CHECK(absorb(now));
  return document_bytes ? Took::document : Took::held;
}

Result<> Incoming::fill(std::uint32_t number, Bytes payload, Clock::time_point now) {
  const auto found = held_.find(number);
  if (found == held_.end() || found->second.payload) return {};
  if (payload.size() != found->second.bytes)
    return fail(Errc::frame_malformed, "a document of another size than was said");
  found->second.payload = std::move(payload);
  return absorb(now);
}

Result<> Incoming::absorb(Clock::time_point now) {
  while (!held_.empty() && !closed_) {
    const auto first = held_.begin();
    if (first->first != next_ || !first->second.payload) return {};
    Held held = std::move(first->second);
    held_.erase(first);
    held_bytes_ -= held.bytes;
    ++next_;
    stuck_since_ = now;
    Bytes stream = std::move(*held.payload);
    if (held.kind == Kind::close) {
      SW_TRY(Ending ending, parse_ending(stream));
      closed_ = std::move(ending.reason);
      stream = std::move(ending.stream);
    }
    stream_.insert(stream_.end(), stream.begin(), stream.end());
  }
  if (closed_) {
    held_.clear();
    held_bytes_ = 0;
  }
  return {};
}

Result<std::optional<Bytes>> Incoming::next_frame() {
  const ByteSpan rest = ByteSpan(stream_).subspan(begin_);
  if (rest.size() < kLengthBytes) return std::nullopt;
  std::uint32_t size = 0;
  for (const auto byte : rest.first(kLengthBytes))
    size = size << 8 | byte;
  if (size > frame_bytes_max()) return fail(Errc::frame_too_large, "received over the limit");
  if (rest.size() - kLengthBytes < size) return std::nullopt;
  Bytes frame = to_bytes(rest.subspan(kLengthBytes, size));
  begin_ += kLengthBytes + size;
  if (begin_ > stream_.size() / 2) {
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
    if (stream_.empty()) stream_.shrink_to_fit();
  }
  return frame;
}

Result<> Incoming::check(Clock::time_point now) const {
  if (held_.empty() || now - stuck_since_ < kGapTime) return {};
  return fail(Errc::connection_lost, "fragment " + std::to_string(next_) + " did not come within " +
                                         std::to_string(kGapTime.count() / 1000) + " s");
}

// Room beyond one frame: as long as a frame is incomplete, at least this much can come.
std::size_t Incoming::slack() const {
  return std::max<std::size_t>(frame_bytes_max() / 4, 16 * 1024);
}

bool Incoming::credit_due() const {
  return !closed_ && next_ > 0 && advertised_ - std::min(advertised_, received_) < window() / 2 &&
         credit() - advertised_ >= slack() / 2;
}

}  // namespace sealwire::channel::telegram

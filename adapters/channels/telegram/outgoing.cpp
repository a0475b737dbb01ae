#include "adapters/channels/telegram/outgoing.h"

namespace sealwire::channel::telegram {

void Outgoing::push(ByteSpan frame) {
  if (begin_ > stream_.size() / 2) {
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  for (int shift = 24; shift >= 0; shift -= 8)
    stream_.push_back(static_cast<std::uint8_t>(frame.size() >> shift));
  stream_.insert(stream_.end(), frame.begin(), frame.end());
}

void Outgoing::close(std::string reason) {
  reason_ = std::move(reason);
  reason_->resize(std::min(reason_->size(), kReasonBytes));
}

std::optional<Outgoing::Part> Outgoing::next(std::uint64_t credit, bool credit_due) {
  if (closed_) return std::nullopt;
  if (number_ == 0) return part(first_, credit, {});
  if (!open_) return std::nullopt;
  const auto room = static_cast<std::size_t>(credit_ - std::min(credit_, given_));
  const std::size_t size =
      std::min({waiting_bytes(), room, kDocumentPayloadBytes - 1 - kReasonBytes});
  const bool all = size == waiting_bytes();
  const std::size_t ending = reason_ && all ? 1 + reason_->size() : 0;
  // The last bytes that the credit leaves room for wait for more of it.
  if (size + ending == 0 || (!all && size < kTextPayloadBytes)) {
    return credit_due ? std::optional(part(Kind::data, credit, {})) : std::nullopt;
  }
  if (size + ending > kTextPayloadBytes && size + ending <= kTextsForADocument * kTextPayloadBytes)
    return part(Kind::data, credit, take(std::min(size, kTextPayloadBytes)));
  if (ending == 0) return part(Kind::data, credit, take(size));
  closed_ = true;
  return part(Kind::close, credit, ending_payload(*reason_, take(size)));
}

Fragment Outgoing::farewell(std::string_view reason) {
  closed_ = true;
  stream_.clear();
  begin_ = 0;
  return part(Kind::close, 0, ending_payload(reason, {})).fragment;
}

Outgoing::Part Outgoing::part(Kind kind, std::uint64_t credit, Bytes payload) {
  const bool document = payload.size() > kTextPayloadBytes;
  return {{kind, connection_, number_++, credit, std::move(payload)}, document};
}

Bytes Outgoing::take(std::size_t size) {
  const auto from = stream_.begin() + static_cast<std::ptrdiff_t>(begin_);
  Bytes taken(from, from + static_cast<std::ptrdiff_t>(size));
  begin_ += size;
  given_ += size;
  if (begin_ == stream_.size()) {
    Bytes().swap(stream_);
    begin_ = 0;
  }
  return taken;
}

}  // namespace sealwire::channel::telegram

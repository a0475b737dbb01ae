#include "sdk/cpp/core/calls.h"

namespace sealwire::sdk {
namespace {
constexpr std::uint64_t kReplyMs = 30 * kSecondMs;
}

void Calls::send(flatbuffers::FlatBufferBuilder& builder, wire::Request type,
                 flatbuffers::Offset<void> request, OnReply on_reply) {
  const std::uint32_t id = ++last_id_;
  pending_.emplace(id, Pending{std::move(on_reply), shared_.now + kReplyMs});
  session_.send(finish_frame(builder, wire::CreateCall(builder, id, type, request)));
}

void Calls::on_reply(const wire::Reply& reply) {
  const auto found = pending_.find(reply.id());
  if (found == pending_.end()) return;  // timed out before
  const OnReply on_reply = std::move(found->second.on_reply);
  pending_.erase(found);
  if (reply.code() == wire::Code::ok)
    on_reply(&reply);
  else
    on_reply(fail(errc_of(reply.code()),
                  std::string("the broker says: ") + wire::EnumNameCode(reply.code())));
}

void Calls::fail_all(const Error& error) {
  for (auto& [id, pending] : std::exchange(pending_, {}))
    pending.on_reply(fail(error));
}

void Calls::on_session_end() {
  fail_all({Errc::closed, "the session ended before the answer"});
}

void Calls::on_timer() {
  std::vector<OnReply> late;
  for (auto at = pending_.begin(); at != pending_.end();) {
    if (at->second.deadline > shared_.now) {
      ++at;
      continue;
    }
    late.push_back(std::move(at->second.on_reply));
    at = pending_.erase(at);
  }
  for (const OnReply& on_reply : late)
    on_reply(fail(Errc::timeout, "the broker does not answer"));
}

void Calls::on_clock_set_back(std::uint64_t ms) {
  for (auto& [id, pending] : pending_)
    pending.deadline = pending.deadline - ms;
}

UnixMillis Calls::next_timer() const {
  UnixMillis next{UINT64_MAX};
  for (const auto& [id, pending] : pending_)
    next = std::min(next, pending.deadline);
  return next;
}

Errc errc_of(wire::Code code) {
  switch (code) {
    case wire::Code::unsupported:
      return Errc::version_unsupported;
    case wire::Code::unauthenticated:
      return Errc::envelope_signature;
    case wire::Code::denied:
      return Errc::denied;
    case wire::Code::unknown:
      return Errc::key_package_none;
    case wire::Code::too_large:
      return Errc::envelope_too_large;
    case wire::Code::expired:
      return Errc::envelope_expired;
    case wire::Code::stale_epoch:
      return Errc::stale_epoch;
    case wire::Code::epoch_conflict:
      return Errc::epoch_conflict;
    case wire::Code::chain_broken:
      return Errc::chain_broken;
    case wire::Code::id_conflict:
      return Errc::id_conflict;
    case wire::Code::quota_exceeded:
      return Errc::quota_exceeded;
    case wire::Code::rate_limited:
      return Errc::rate_limited;
    case wire::Code::unavailable:
      return Errc::overloaded;
    case wire::Code::replaced:
      return Errc::replaced;
    case wire::Code::undecryptable:
      return Errc::mls_undecryptable;
    case wire::Code::closing:
      return Errc::closed;
    case wire::Code::timeout:
      return Errc::timeout;
    default:
      return Errc::frame_malformed;
  }
}

}  // namespace sealwire::sdk

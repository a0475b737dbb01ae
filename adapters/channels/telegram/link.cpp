#include "adapters/channels/telegram/link.h"

#include "adapters/channels/telegram/hub.h"

namespace sealwire::channel::telegram {

Link::Link(std::shared_ptr<Hub> hub_, DeskPtr desk_, Role role_, ConnectionKey key_,
           std::string chat_, std::int64_t peer_)
    : hub(std::move(hub_)),
      desk(std::move(desk_)),
      role(role_),
      key(key_),
      chat(std::move(chat_)),
      peer(peer_),
      out(key, role == Role::dialling ? Kind::open : Kind::opened),
      in(desk->limits),
      heard(Clock::now()),
      address_("telegram:" + (peer != 0 ? std::to_string(peer) : chat)) {}

Sent Link::send(Bytes frame) {
  const std::lock_guard lock(hub->mutex);
  if (closing || ended) return Sent::closed;
  if (frame.size() >
      (promoted ? desk->limits.frame_bytes : desk->limits.frame_bytes_before_proof)) {
    hub->end(shared_from_this(), {Errc::frame_too_large, "sent over the limit"}, true);
    return Sent::closed;
  }
  const std::size_t unsent = unsent_bytes();
  if (unsent > 0 && unsent + frame.size() > desk->limits.buffered_bytes) {
    writable_wanted = true;
    return Sent::full;
  }
  out.push(frame);
  hub->want(shared_from_this());
  return Sent::taken;
}

void Link::promote() {
  const std::lock_guard lock(hub->mutex);
  if (closing || ended || promoted) return;
  promoted = true;
  in.promote();
  place.prove();
  leave_unproven();
  if (in.credit_due()) hub->want(shared_from_this());
  stir();
}

void Link::close(std::string_view reason) {
  const std::lock_guard lock(hub->mutex);
  if (!closing && !ended) begin_close({Errc::closed, std::string(reason)});
}

void Link::begin_close(Error error) {
  closing = std::move(error);
  deadline = Clock::now() + kCloseTime + hub->pace_of(chat);
  out.close(closing->detail);
  hub->want(shared_from_this());
}

std::optional<Error> Link::overdue(Clock::time_point now) const {
  if (ended) return std::nullopt;
  if (!in.opened() && now >= deadline) {
    const std::string why = hub->trouble.empty() ? "" : " (" + hub->trouble + ")";
    return Error{Errc::connect_failed, "no answer in time" + why};
  }
  if (closing && now >= deadline) return closing;
  if (const auto whole = in.check(now); !whole) return whole.error();
  if (now - heard < kIdleTime) return std::nullopt;
  return Error{Errc::connection_lost,
               "nothing came for " + std::to_string(kIdleTime.count() / 1000) + " s"};
}

void Link::leave_unproven() {
  if (unproven) --desk->unproven;
  unproven = false;
}

void Link::stir() {
  // Once its end was told nobody looks any more.
  if (queued || !desk->links.contains(shared_from_this())) return;
  queued = true;
  desk->ready.push_back(shared_from_this());
  desk->changed.notify_all();
}

}  // namespace sealwire::channel::telegram

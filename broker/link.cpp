#include "broker/link.h"

#include "broker/frames_out.h"

namespace sealwire::broker {
namespace {

handshake::ChannelBinding binding_of(const channel::Binding& binding) {
  return {static_cast<wire::Binding>(binding.type), binding.value};
}
static_assert(static_cast<int>(channel::BindingType::none) ==
              static_cast<int>(wire::Binding::none));
static_assert(static_cast<int>(channel::BindingType::tls_exporter) ==
              static_cast<int>(wire::Binding::tls_exporter));
static_assert(static_cast<int>(channel::BindingType::curve) ==
              static_cast<int>(wire::Binding::curve));

}  // namespace

Link::Link(channel::ConnectionPtr connection_, ConnectionId id_, UnixMillis opened_,
           const crypto::SigningKey& key, handshake::ServerTerms terms, Random& random,
           VerificationMode mode)
    : connection(std::move(connection_)),
      id(id_),
      opened(opened_),
      door(id_, key, terms, binding_of(connection->binding()), random, mode) {}

Link::Sent Link::send(Bytes frame, std::size_t outbox_bytes_max) {
  if (closing) return Sent::taken;
  frame = door.protection.seal(std::move(frame));
  // A channel that refuses a frame does not give it back: it is sent as a copy.
  if (outbox.empty() && connection->send(Bytes(frame)) != channel::Sent::full) return Sent::taken;
  outbox_bytes += frame.size();
  outbox.push_back(std::move(frame));
  return outbox_bytes > outbox_bytes_max ? Sent::overflow : Sent::waits;
}

bool Link::flush() {
  while (!outbox.empty()) {
    if (connection->send(Bytes(outbox.front())) == channel::Sent::full) return false;
    outbox_bytes -= outbox.front().size();
    outbox.pop_front();
  }
  return true;
}

void Link::close(Errc why) {
  if (std::exchange(closing, true)) return;
  if (outbox.empty()) {
    Bytes frame = frames::close(wire_code(why));
    if (door.ready.load()) frame = door.protection.seal(std::move(frame));
    // A refused frame is lost with the connection.
    static_cast<void>(connection->send(std::move(frame)));
  }
  outbox.clear();
  connection->close(name(why));
}

void Links::add(const LinkPtr& link) {
  const std::lock_guard lock(mutex_);
  by_connection_[link->connection.get()] = link;
  by_id_[link->id] = link;
}

LinkPtr Links::find(const channel::Connection* connection) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_connection_.find(connection);
  return found == by_connection_.end() ? nullptr : found->second;
}

LinkPtr Links::find(ConnectionId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

LinkPtr Links::remove(const channel::Connection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = by_connection_.find(connection);
  if (found == by_connection_.end()) return nullptr;
  LinkPtr link = std::move(found->second);
  by_connection_.erase(found);
  by_id_.erase(link->id);
  return link;
}

std::vector<LinkPtr> Links::unproven(UnixMillis before, UnixMillis after) const {
  const std::lock_guard lock(mutex_);
  std::vector<LinkPtr> late;
  for (const auto& [id, link] : by_id_)
    if (!link->proven && (link->opened < before || link->opened > after)) late.push_back(link);
  return late;
}

std::size_t Links::size() const {
  const std::lock_guard lock(mutex_);
  return by_id_.size();
}

}  // namespace sealwire::broker

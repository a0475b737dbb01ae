#include "sdk/cpp/agent/link.h"

#include "adapters/channels/registry.h"

namespace sealwire {

Result<> Link::dial(const channel::Endpoint& endpoint) {
  const channel::Channel* channel = channel::find_channel(endpoint.uri);
  if (channel == nullptr) return fail(Errc::address_invalid, "no channel speaks " + endpoint.uri);
  SW_TRY(running_, channel->dial(endpoint, *this));
  return {};
}

void Link::post(LinkEvent::Kind kind, const channel::ConnectionPtr& connection) {
  LinkEvent event;
  event.kind = kind;
  event.link = number_;
  event.connection = connection;
  post_(std::move(event));
}
void Link::on_open(const channel::ConnectionPtr& connection) {
  post(LinkEvent::Kind::open, connection);
}
void Link::on_bytes(const channel::ConnectionPtr& connection, ByteSpan frame) {
  const std::size_t cost = cost_of(frame.size());
  if (waiting_bytes_ + cost > kInboundBytesMax) return connection->close("more than was granted");
  waiting_bytes_ += cost;
  LinkEvent event;
  event.kind = LinkEvent::Kind::bytes;
  event.link = number_;
  event.connection = connection;
  event.bytes = to_bytes(frame);
  post_(std::move(event));
}
void Link::on_writable(const channel::ConnectionPtr& connection) {
  post(LinkEvent::Kind::writable, connection);
}
void Link::on_close(const channel::ConnectionPtr& connection, const Error& error) {
  LinkEvent event;
  event.kind = LinkEvent::Kind::close;
  event.link = number_;
  event.connection = connection;
  event.error = error;
  post_(std::move(event));
}

}  // namespace sealwire

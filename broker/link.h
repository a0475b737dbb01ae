// One connection as the pipeline holds it: the channel's end, the doorway, and what the channel
// would not take yet.
#pragma once

#include <deque>
#include <mutex>
#include <unordered_map>

#include "adapters/channels/channel.h"
#include "broker/doorway.h"
#include "broker/metrics.h"

namespace sealwire::broker {

struct Link {
  Link(channel::ConnectionPtr connection_, ConnectionId id_, UnixMillis opened_,
       const crypto::SigningKey& key, handshake::ServerTerms terms, Random& random,
       VerificationMode mode);

  const channel::ConnectionPtr connection;
  const ConnectionId id;
  const UnixMillis opened;
  Doorway door;                              // its own header says which thread may touch what
  std::atomic<bool> proven{false};           // the handshake's deadline is off
  std::atomic<std::size_t> queued_bytes{0};  // of its events that wait for the router

  // the router thread's
  std::deque<Bytes> outbox;
  std::size_t outbox_bytes = 0;
  bool closing = false;

  enum class Sent : std::uint8_t { taken, waits, overflow };
  /// Seals and sends, or puts it behind what waits. Frames leave in order or not at all.
  Sent send(Bytes frame, std::size_t outbox_bytes_max);
  /// True when nothing waits any more.
  bool flush();
  /// A last frame that says why (unless something waits: it could not come in order), then the end.
  void close(Errc why);
};

using LinkPtr = std::shared_ptr<Link>;

/// Every open connection, by the channel's pointer and by number. Thread-safe.
class Links {
 public:
  void add(const LinkPtr& link);
  LinkPtr find(const channel::Connection* connection) const;
  LinkPtr find(ConnectionId id) const;
  LinkPtr remove(const channel::Connection* connection);
  /// Those that opened before `before`, or after `after` (the clock was set back), and have not
  /// proven who they are.
  std::vector<LinkPtr> unproven(UnixMillis before, UnixMillis after) const;
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const channel::Connection*, LinkPtr> by_connection_;
  std::unordered_map<ConnectionId, LinkPtr> by_id_;
};

}  // namespace sealwire::broker

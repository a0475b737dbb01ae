#include "broker/handshake_limit.h"

namespace sealwire::broker {

bool HandshakeLimit::allow(const std::string& address, UnixMillis now) {
  if (address.empty()) return true;
  if (buckets_.size() >= addresses_max_ && !buckets_.contains(address)) {
    // At most one sweep a second, so that a full table does not cost a sweep a connection.
    if (now < swept_ + kSecondMs && swept_.value != 0) return false;
    swept_ = now;
    for (auto at = buckets_.begin(); at != buckets_.end();)
      at = at->second.full(rate_, now) ? buckets_.erase(at) : std::next(at);
    if (buckets_.size() >= addresses_max_) return false;
  }
  return buckets_[address].take(rate_, 1, now);
}

}  // namespace sealwire::broker

// One connection: frames on their way in both directions, each due at some time and never before
// the one in front of it.
#pragma once

#include <deque>

#include "broker/doorway.h"

namespace sealwire::test {

struct Parcel {
  UnixMillis due;
  std::optional<Bytes> frame;  // none: the end of the connection
};

class Way {
 public:
  void send(UnixMillis due, std::optional<Bytes> frame) {
    if (ended_) return;
    ended_ = !frame;
    last_ = std::max(last_, due);
    parcels_.push_back({last_, std::move(frame)});
  }
  /// What has arrived, if anything has.
  std::optional<Parcel> take(UnixMillis now) {
    if (parcels_.empty() || parcels_.front().due > now) return std::nullopt;
    Parcel first = std::move(parcels_.front());
    parcels_.pop_front();
    return first;
  }
  bool empty() const { return parcels_.empty(); }
  std::size_t size() const { return parcels_.size(); }
  void clear() { parcels_.clear(); }
  /// Faults of the network. True if there was something to lose or to double.
  bool drop(std::size_t at) {
    if (at >= parcels_.size() || !parcels_[at].frame) return false;
    parcels_.erase(parcels_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }
  bool duplicate(std::size_t at) {
    if (at >= parcels_.size() || !parcels_[at].frame) return false;
    parcels_.insert(parcels_.begin() + static_cast<std::ptrdiff_t>(at), Parcel(parcels_[at]));
    return true;
  }

 private:
  std::deque<Parcel> parcels_;
  UnixMillis last_;
  bool ended_ = false;
};

struct Connection {
  std::size_t agent = 0;
  std::unique_ptr<broker::Doorway> door;  // the broker's end; none when it is gone
  Way up;                                 // to the broker
  Way down;
};

}  // namespace sealwire::test

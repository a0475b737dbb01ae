// Counts a listener's connections, so that neither one address nor all together exceed their caps.
// C++17, for the WebSocket engine.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sealwire::channel {

/// Thread-safe.
class Census {
 public:
  Census(std::size_t connections, std::size_t unproven_per_address)
      : connections_max_(connections), unproven_max_(unproven_per_address) {}

  bool enter(const std::string& address) {
    const std::lock_guard lock(mutex_);
    if (connections_ >= connections_max_) return false;
    const auto found = unproven_.find(address);
    if (found != unproven_.end() && found->second >= unproven_max_) return false;
    ++unproven_[address];
    ++connections_;
    return true;
  }
  void prove(const std::string& address) {
    const std::lock_guard lock(mutex_);
    forget_unproven(address);
  }
  void leave(const std::string& address, bool proven) {
    const std::lock_guard lock(mutex_);
    if (!proven) forget_unproven(address);
    --connections_;
  }

 private:
  void forget_unproven(const std::string& address) {
    const auto found = unproven_.find(address);
    if (--found->second == 0) unproven_.erase(found);
  }

  const std::size_t connections_max_;
  const std::size_t unproven_max_;
  std::mutex mutex_;
  std::size_t connections_ = 0;
  std::unordered_map<std::string, std::size_t> unproven_;
};

/// One connection's place in the census, given back when it goes. One thread at a time.
class Place {
 public:
  Place() = default;
  /// Empty when a cap is reached.
  static Place take(std::shared_ptr<Census> census, std::string address) {
    Place place;
    if (census->enter(address)) {
      place.census_ = std::move(census);
      place.address_ = std::move(address);
    }
    return place;
  }
  Place(Place&& other) noexcept { *this = std::move(other); }
  Place& operator=(Place&& other) noexcept {
    if (this != &other) {
      release();
      census_ = std::move(other.census_);
      address_ = std::move(other.address_);
      proven_ = other.proven_;
    }
    return *this;
  }
  ~Place() { release(); }

  explicit operator bool() const { return census_ != nullptr; }
  void prove() {
    if (census_ && !proven_) census_->prove(address_);
    proven_ = true;
  }
  void release() {
    if (census_) census_->leave(address_, proven_);
    census_ = nullptr;
  }

 private:
  std::shared_ptr<Census> census_;
  std::string address_;
  bool proven_ = false;
};

}  // namespace sealwire::channel

// Counts a listener's connections, so that neither one address, nor strangers, nor all together
// exceed their caps.
// C++17, for the WebSocket engine.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sealwire::channel {

/// Under which name an address is counted: those that one peer can choose among are one, and an
/// IPv6 host has a whole /64. What is no IPv6 address is its own name.
inline std::string census_key(const std::string& address) {
  in6_addr v6{};
  const std::string number = address.substr(0, address.find('%'));  // without its zone
  if (inet_pton(AF_INET6, number.c_str(), &v6) != 1 || IN6_IS_ADDR_V4MAPPED(&v6)) return address;
  std::fill(v6.s6_addr + 8, v6.s6_addr + 16, std::uint8_t{0});
  char text[INET6_ADDRSTRLEN] = {};
  return inet_ntop(AF_INET6, &v6, text, sizeof text) == nullptr ? address : text;
}

/// Thread-safe.
class Census {
 public:
  Census(std::size_t connections, std::size_t unproven, std::size_t unproven_per_address)
      : connections_max_(connections),
        unproven_max_(unproven),
        unproven_per_address_max_(unproven_per_address) {}

  bool enter(const std::string& address) {
    const std::lock_guard lock(mutex_);
    if (connections_ >= connections_max_ || unproven_ >= unproven_max_) return false;
    const auto found = unproven_of_.find(address);
    if (found != unproven_of_.end() && found->second >= unproven_per_address_max_) return false;
    ++unproven_of_[address];
    ++unproven_;
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
    const auto found = unproven_of_.find(address);
    if (--found->second == 0) unproven_of_.erase(found);
    --unproven_;
  }

  const std::size_t connections_max_;
  const std::size_t unproven_max_;
  const std::size_t unproven_per_address_max_;
  std::mutex mutex_;
  std::size_t connections_ = 0;
  std::size_t unproven_ = 0;
  std::unordered_map<std::string, std::size_t> unproven_of_;
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

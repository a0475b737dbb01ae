// The broker's own key where it is used: never in swap, gone when the broker is.
#pragma once

#include "protocol/crypto/crypto.h"

namespace sealwire::broker {

/// Not movable: the key's pages are what is locked.
class LockedKey {
 public:
  explicit LockedKey(crypto::SigningKey key) : key_(std::move(key)) {
    locked_ = sodium_mlock(&key_, sizeof key_) == 0;
  }
  LockedKey(const LockedKey&) = delete;
  LockedKey& operator=(const LockedKey&) = delete;
  ~LockedKey() { sodium_munlock(&key_, sizeof key_); }  // wipes it too

  const crypto::SigningKey& operator*() const { return key_; }
  /// False where RLIMIT_MEMLOCK has no room: the key is used all the same.
  bool locked() const { return locked_; }

 private:
  crypto::SigningKey key_;
  bool locked_ = false;
};

}  // namespace sealwire::broker

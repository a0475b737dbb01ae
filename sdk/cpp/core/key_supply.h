// Key packages and prekeys: what lets others open conversations and write letters while this agent
// is away. Secrets are on disk before the public halves leave.
#pragma once

#include <map>

#include "protocol/mls/key_package.h"
#include "sdk/cpp/core/calls.h"

namespace sealwire::sdk {

class KeySupply {
 public:
  KeySupply(Shared& shared, Session& session, Calls& calls)
      : shared_(shared), session_(session), calls_(calls) {}
  Result<> load();

  void on_ready(std::uint32_t key_packages_at_broker);
  /// Keeps pool and prekey fresh while the session lasts; forgets what has expired.
  void on_timer();
  UnixMillis next_timer() const { return next_check_; }
  void on_clock_set_back(std::uint64_t ms) { next_check_ = next_check_ - ms; }

  /// The private half of one that a Welcome names; none if it is not ours (any more).
  Result<std::optional<mls::KeyPackageBundle>> find(ByteSpan ref);
  /// A Welcome was joined with it: it is gone, unless it is the last resort.
  void used(const mls::KeyPackageBundle& bundle);
  /// The secret of a prekey that a letter names; none once it has been erased.
  Result<std::optional<crypto::AgreementKey>> find_prekey(const PrekeyKey& key);

  std::uint32_t at_broker() const { return at_broker_; }

 private:
  struct Known {
    UnixMillis expires;
    UnixMillis created;
    bool last_resort = false;
  };
  Result<> publish();
  /// When the oldest of ours that may lie at the broker was made; none if we know of none.
  std::optional<UnixMillis> oldest_at_broker() const;
  void forget_expired();

  Shared& shared_;
  Session& session_;
  Calls& calls_;
  std::map<Bytes, Known> key_packages_;  // by reference
  std::map<PrekeyKey, Known> prekeys_;
  std::uint32_t at_broker_ = 0;
  bool publishing_ = false;
  UnixMillis next_check_{UINT64_MAX};
};

}  // namespace sealwire::sdk

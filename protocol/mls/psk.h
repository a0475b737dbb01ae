// Pre-shared keys (RFC 9420 section 8.4).
#pragma once

#include "protocol/mls/suite.h"

namespace sealwire::mls {

enum class PskType : std::uint8_t { external = 1, resumption = 2 };
enum class ResumptionUsage : std::uint8_t { application = 1, reinit = 2, branch = 3 };

// struct { PSKType psktype; select (psktype) {
//            case external: opaque psk_id<V>;
//            case resumption: ResumptionPSKUsage usage; opaque psk_group_id<V>; uint64 psk_epoch;
//            };
//          opaque psk_nonce<V>; } PreSharedKeyID;
struct PreSharedKeyId {
  PskType type = PskType::external;
  Bytes id;  // psk_id or psk_group_id
  ResumptionUsage usage = ResumptionUsage::application;
  std::uint64_t epoch{};
  Bytes nonce;
  void write(Writer& writer) const;
  bool read(Reader& reader);
  friend bool operator==(const PreSharedKeyId&, const PreSharedKeyId&) = default;
};

struct PskWithId {
  PreSharedKeyId id;
  SecretBytes psk;
};
/// psk_secret; zero for no keys.
KdfSecret psk_secret(const std::vector<PskWithId>& psks);

}  // namespace sealwire::mls

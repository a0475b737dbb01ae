// Who a leaf claims to be, and the application's judgement of it (RFC 9420 section 5.3.1).
#pragma once

#include <cstdint>
#include <functional>

#include "protocol/bytes.h"

namespace sealwire::mls {

/// Position of a member's leaf, counted from the left (RFC 9420 section 4.1.1).
enum class LeafIndex : std::uint32_t {};
constexpr std::uint32_t value(LeafIndex leaf) {
  return static_cast<std::uint32_t>(leaf);
}

/// A basic credential with the signature key that it came with.
struct LeafIdentity {
  InstanceKey signature_key;
  Bytes identity;
  friend bool operator==(const LeafIdentity&, const LeafIdentity&) = default;
};

/// True where the application accepts that `claimed.identity` belongs to `claimed.signature_key`.
/// `predecessor` is whom the leaf belonged to before, when a member replaces its own leaf, else
/// null.
using CredentialValidator =
    std::function<bool(const LeafIdentity& claimed, const LeafIdentity* predecessor)>;

}  // namespace sealwire::mls

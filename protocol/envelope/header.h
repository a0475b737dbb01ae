// The header: what the broker must see of an envelope, and no more (SPEC ENV).
#pragma once

#include <string>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/random.h"
#include "protocol/schema/envelope_generated.h"
#include "protocol/suite.h"
#include "protocol/time.h"

namespace sealwire {

using wire::Durability;
using wire::Kind;

struct Header {
  std::uint16_t suite = kSuite;
  EnvelopeId id;
  InstanceKey sender;
  Kind kind = Kind::none;
  ConversationId conversation;  // zero in a letter
  std::uint32_t incarnation = 0;
  std::uint64_t epoch = 0;
  std::vector<InstanceKey>
      recipients;  // commit: the members after it; welcome, letter: who gets it
  UnixMillis created;
  UnixMillis expires;
  Durability durability = Durability::durable;
  std::uint64_t sender_seq = 0;
  Digest previous;         // zero at the start of a chain, and in a letter
  Digest names;            // welcome: the link of its commit; otherwise zero
  std::string provenance;  // "" = native
  std::vector<std::uint16_t> critical;

  /// Chained envelopes take a position; transients and welcomes name one; letters have none.
  bool chained() const {
    return durability == Durability::durable && (kind == Kind::application || kind == Kind::commit);
  }
  friend bool operator==(const Header&, const Header&) = default;
};

Bytes encode_header(const Header& header);

/// Checks everything that can be said of a header alone: ENV-010 to ENV-020. `bytes` may be
/// unaligned. Fails with header_malformed, suite_unsupported, critical_unknown, kind_unknown,
/// provenance_invalid or lifetime_too_long.
Result<Header> decode_header(ByteSpan bytes);

/// A fresh UUIDv7 (RFC 9562) for `now`.
EnvelopeId make_envelope_id(UnixMillis now, Random& random);

}  // namespace sealwire

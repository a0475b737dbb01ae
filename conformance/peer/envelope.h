// Envelopes and chains (SPEC chapter ENV): good ones, and the same with anything wrong in them.
#pragma once

#include "conformance/peer/agent.h"

namespace conformance {

namespace kind {
enum : std::uint64_t { none = 0, application = 1, commit = 2, welcome = 3, letter = 4 };
}

/// What is left of an envelope: enough to check signature and chain.
struct Remains {
  Bytes header, body_hash, signature;
  bool empty() const { return header.empty(); }
  Bytes link() const;    // ENV-005
  Bytes digest() const;  // ENV-006
  /// Throws Failure unless `sender` signed it.
  void check(View sender) const;
  Bytes id() const;
  bool operator==(const Remains&) const = default;
};

struct Envelope {
  Bytes bytes, id;
  Bytes header, body, signature;
  Bytes link() const { return remains().link(); }
  Bytes digest() const { return remains().digest(); }
  Remains remains() const { return {header, hash(body), signature}; }
};

/// The envelope of these header bytes, signed under `label`, unless a signature is given.
Envelope seal(const Agent& sender, Bytes header, Bytes body,
              std::string_view label = "sealwire/0 envelope");
Envelope with_signature(Envelope envelope, Bytes signature);
Bytes envelope_bytes(View header, View body, View signature);

/// Header fields that every kind has, with fresh id and times of now.
Table header_table(const Agent& sender, std::uint64_t kind);
Value recipients(const std::vector<Bytes>& keys);

/// A sender's place in an incarnation. Making an envelope does not move it; `take` does.
struct Chain {
  Bytes conversation = random_bytes(16);
  std::uint64_t incarnation = 1, epoch = 0, seq = 0;
  Bytes previous;

  Table header(const Agent& sender, std::uint64_t kind) const;
  Envelope application(const Agent& sender, Bytes body = bytes_of("opaque")) const;
  Envelope transient(const Agent& sender) const;
  Envelope commit(const Agent& sender, const std::vector<Bytes>& members) const;
  Envelope welcome(const Agent& sender, const Bytes& joiner, const Envelope& commit) const;
  std::vector<Envelope> opening(const Agent& sender, const Bytes& peer) const;
  void take(const Envelope& envelope);
  void enter(std::uint64_t to) {
    epoch = to;
    seq = 0;
  }
};

/// A letter whose body is `prekey ‖ enc ‖ ct` in size only: a broker does not look into it
/// (DLV-015).
Envelope letter(const Agent& sender, const Bytes& recipient);
Table letter_header(const Agent& sender, const Bytes& recipient);

}  // namespace conformance

// How what is not an envelope lies in the store: the remains of one, and the broker's notices.
#pragma once

#include "broker/store/store.h"

namespace sealwire::broker {

Bytes encode_remains(const Remains& remains);
Result<Remains> decode_remains(ByteSpan bytes);

/// One statement (refused) or two (redeemed: redemption, inception).
Bytes encode_statements(std::initializer_list<const SignedStatement*> statements);
Result<std::vector<SignedStatement>> decode_statements(ByteSpan bytes);

/// What an item of so many stored bytes costs of a receiver's byte credit (DLV-022): its envelope,
/// its tombstone's three parts, or its statements with their signatures.
std::size_t credit_bytes(ItemType type, std::size_t stored_bytes);

/// A Refusal of one envelope, signed by `key` (the broker's).
SignedStatement make_refusal(const crypto::SigningKey& key, const EnvelopeId& id,
                             const Digest& digest, wire::Code code, UnixMillis now);
struct VerifiedRefusal {
  EnvelopeId id;
  Digest digest;
};
/// Fails with frame_field or envelope_signature unless `issuer` signed it.
Result<VerifiedRefusal> verify_refusal(const SignedStatement& refusal, const InstanceKey& issuer);

}  // namespace sealwire::broker

// The sealed letter: HPKE base mode to a signed prekey, for senders without a conversation. It has
// no forward secrecy beyond the prekey's life, and no chain (SPEC E2E).
#pragma once

#include "protocol/crypto/crypto.h"
#include "protocol/error.h"

namespace sealwire {

/// body = prekey (32) ‖ enc (32) ‖ ciphertext; the header is the AAD; the content is padded.
/// Fails with key_low_order.
Result<Bytes> seal_letter(const PrekeyKey& prekey, ByteSpan header_bytes, ByteSpan content,
                          Random& random);

/// Which prekey a letter's body is for. Fails with letter_malformed.
Result<PrekeyKey> letter_prekey(ByteSpan body);
/// The content. Fails with letter_malformed or letter_undecryptable.
Result<Bytes> open_letter(const crypto::AgreementKey& prekey, ByteSpan header_bytes, ByteSpan body);

}  // namespace sealwire

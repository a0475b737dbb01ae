// What both ends of the handshake compute alike.
#pragma once

#include "protocol/handshake/handshake.h"
#include "protocol/statement.h"

namespace sealwire::handshake {

inline constexpr char kTermsId[] = "SWTM";
inline constexpr char kClaimsId[] = "SWCL";

/// Signed by the broker over the client's exact Hello (SES-010).
inline Bytes challenge_input(const Digest& hello_hash, ByteSpan terms,
                             const ChannelBinding& binding) {
  return crypto::labelled(label::kChallenge, {hello_hash, terms, ByteSpan(binding.value)});
}

/// Signed by the client over everything before it (SES-013).
inline Bytes proof_input(const Digest& transcript, ByteSpan claims) {
  return crypto::labelled(label::kProof, {transcript, claims});
}

struct SessionKeys {
  Secret<32> client_to_broker;
  Secret<32> broker_to_client;
};

/// HKDF-SHA256 over the X25519 secret, salted with the transcript and the Proof frame's hash
/// (SES-020).
inline SessionKeys session_keys(const Secret<32>& shared, const Digest& transcript,
                                const Digest& proof_hash) {
  const Bytes salt = crypto::labelled(label::kSessionKeys, {transcript, proof_hash});
  const Secret<32> prk = crypto::hkdf_extract(salt, shared.span());
  const SecretBytes keys = crypto::hkdf_expand(prk.span(), as_bytes(label::kSessionKeys), 64);
  return {*Secret<32>::from(keys.span().first(32)), *Secret<32>::from(keys.span().last(32))};
}

}  // namespace sealwire::handshake

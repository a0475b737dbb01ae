// The envelope and the stages it passes: Envelope (well-formed) → VerifiedEnvelope (its signature
// holds). The exact received bytes are what is signed, hashed, stored and forwarded.
#pragma once

#include "protocol/crypto/crypto.h"
#include "protocol/envelope/header.h"

namespace sealwire {

/// A well-formed envelope of unknown origin. It owns the exact bytes; moving it keeps the spans
/// valid.
class Envelope {
 public:
  /// Fails with envelope_too_large, envelope_malformed, or an error of decode_header.
  static Result<Envelope> parse(Bytes bytes);
  Envelope(Envelope&&) noexcept = default;
  Envelope& operator=(Envelope&&) noexcept = default;
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  const Header& header() const { return header_; }
  const Bytes& bytes() const { return bytes_; }
  ByteSpan header_bytes() const { return slice(header_at_); }
  ByteSpan body() const { return slice(body_at_); }
  const Signature& signature() const { return signature_; }

  /// BLAKE2b-256 of the body.
  const Digest& body_hash() const { return body_hash_; }
  /// Hash of the signing input: what the next envelope of the chain calls `previous`.
  const Digest& link() const { return link_; }
  /// Identifies the envelope with its signature; what receipts name.
  const Digest& digest() const { return digest_; }

  Bytes release() && { return std::move(bytes_); }

 private:
  struct Slice {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  Envelope() = default;
  ByteSpan slice(Slice at) const { return ByteSpan(bytes_).subspan(at.offset, at.size); }

  Bytes bytes_;
  Header header_;
  Slice header_at_;
  Slice body_at_;
  Signature signature_;
  Digest body_hash_;
  Digest link_;
  Digest digest_;
};

/// How the sender of a VerifiedEnvelope is known (DESIGN "Verification at ingress").
enum class Verification : std::uint8_t {
  signature,  // the envelope's own signature was checked
  session,    // the authenticated session's key is the sender; the signature is still to be checked
};

/// An envelope whose sender is known. Only the functions below make one.
class VerifiedEnvelope {
 public:
  const Envelope& envelope() const { return envelope_; }
  const Header& header() const { return envelope_.header(); }
  Verification verification() const { return verification_; }
  Envelope release() && { return std::move(envelope_); }

 private:
  VerifiedEnvelope(Envelope envelope, Verification how)
      : envelope_(std::move(envelope)), verification_(how) {}
  friend Result<VerifiedEnvelope> verify_signature(Envelope envelope);
  friend Result<VerifiedEnvelope> verify_session(Envelope envelope, const InstanceKey& session_key);
  Envelope envelope_;
  Verification verification_;
};

/// Fails with envelope_signature.
Result<VerifiedEnvelope> verify_signature(Envelope envelope);
/// For application envelopes only; any other kind has its signature checked. Fails with
/// sender_mismatch or envelope_signature.
Result<VerifiedEnvelope> verify_session(Envelope envelope, const InstanceKey& session_key);

/// Created, expires and now make sense together. Fails with envelope_expired or
/// created_out_of_range.
Result<> check_times(const Header& header, UnixMillis now);

/// `label ‖ header ‖ BLAKE2b-256(body)`, each part length-prefixed: what is signed (ENV-004).
Bytes signing_input(ByteSpan header_bytes, const Digest& body_hash);
Digest link_of(ByteSpan header_bytes, const Digest& body_hash);
Digest digest_of(ByteSpan header_bytes, const Digest& body_hash, const Signature& signature);
/// Hash of the header alone: MLS authenticated_data of what the envelope carries (E2E-004).
Digest header_hash(ByteSpan header_bytes);
/// Checks the signature of an envelope of which only this is left (tombstones, last_header).
bool verify_remains(const Header& header, ByteSpan header_bytes, const Digest& body_hash,
                    const Signature& signature);

/// Signs and encodes. `key` is the header's sender's.
struct SealedEnvelope {
  Bytes bytes;
  Digest link;
  Digest digest;
};
SealedEnvelope seal_envelope(ByteSpan header_bytes, ByteSpan body, const crypto::SigningKey& key);

}  // namespace sealwire

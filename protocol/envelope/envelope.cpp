#include "protocol/envelope/envelope.h"

#include "protocol/limits.h"
#include "protocol/statement.h"

namespace sealwire {
namespace {
constexpr char kIdentifier[] = "SWEN";
}

Bytes signing_input(ByteSpan header_bytes, const Digest& body_hash) {
  return crypto::labelled(label::kEnvelope, {header_bytes, body_hash});
}

Digest link_of(ByteSpan header_bytes, const Digest& body_hash) {
  return crypto::blake2b(signing_input(header_bytes, body_hash));
}

Digest digest_of(ByteSpan header_bytes, const Digest& body_hash, const Signature& signature) {
  return crypto::blake2b(
      crypto::labelled(label::kEnvelopeDigest, {header_bytes, body_hash, signature}));
}

Digest header_hash(ByteSpan header_bytes) {
  return crypto::blake2b(crypto::labelled(label::kHeader, {header_bytes}));
}

Result<Envelope> Envelope::parse(Bytes bytes) {
  if (bytes.size() > limits::kEnvelopeBytes) return fail(Errc::envelope_too_large);
  SW_TRY(const wire::Envelope* from,
         verified_root<wire::Envelope>(bytes, kIdentifier, Errc::envelope_malformed,
                                       limits::kEnvelopeBytes,
                                       /*max_depth=*/2, /*max_tables=*/2));
  if (from->body()->size() > limits::kBodyBytes) return fail(Errc::envelope_too_large, "body");
  const auto signature = Signature::from({from->signature()->data(), from->signature()->size()});
  if (!signature) return fail(Errc::envelope_malformed, "signature size");

  Envelope envelope;
  const auto slice = [&bytes](const flatbuffers::Vector<std::uint8_t>& part) {
    return Slice{static_cast<std::size_t>(part.data() - bytes.data()), part.size()};
  };
  envelope.header_at_ = slice(*from->header());
  envelope.body_at_ = slice(*from->body());
  envelope.signature_ = *signature;
  envelope.bytes_ = std::move(bytes);
  SW_TRY(envelope.header_, decode_header(envelope.header_bytes()));
  envelope.body_hash_ = crypto::blake2b(envelope.body());
  envelope.link_ = link_of(envelope.header_bytes(), envelope.body_hash_);
  envelope.digest_ = digest_of(envelope.header_bytes(), envelope.body_hash_, envelope.signature_);
  return envelope;
}

Result<VerifiedEnvelope> verify_signature(Envelope envelope) {
  if (!verify_remains(envelope.header(), envelope.header_bytes(), envelope.body_hash(),
                      envelope.signature()))
    return fail(Errc::envelope_signature);
  return VerifiedEnvelope(std::move(envelope), Verification::signature);
}

Result<VerifiedEnvelope> verify_session(Envelope envelope, const InstanceKey& session_key) {
  if (envelope.header().sender != session_key) return fail(Errc::sender_mismatch);
  if (envelope.header().kind != Kind::application) return verify_signature(std::move(envelope));
  return VerifiedEnvelope(std::move(envelope), Verification::session);
}

Result<> check_times(const Header& header, UnixMillis now) {
  if (header.created > now + limits::kClockSkewMs)
    return fail(Errc::created_out_of_range, "created in the future: check the clocks");
  if (header.expires <= now) return fail(Errc::envelope_expired);
  return {};
}

bool verify_remains(const Header& header, ByteSpan header_bytes, const Digest& body_hash,
                    const Signature& signature) {
  return crypto::verify(header.sender.bytes, signing_input(header_bytes, body_hash), signature);
}

SealedEnvelope seal_envelope(ByteSpan header_bytes, ByteSpan body, const crypto::SigningKey& key) {
  const Digest body_hash = crypto::blake2b(body);
  const Bytes input = signing_input(header_bytes, body_hash);
  const Signature signature = key.sign(input);
  flatbuffers::FlatBufferBuilder b(header_bytes.size() + body.size() + 160);
  const auto signature_at = b.CreateVector(signature.bytes.data(), signature.bytes.size());
  const auto header_at = b.CreateVector(header_bytes.data(), header_bytes.size());
  const auto body_at = b.CreateVector(body.data(), body.size());
  Bytes bytes =
      finish_statement(b, wire::CreateEnvelope(b, header_at, body_at, signature_at), kIdentifier);
  return {std::move(bytes), crypto::blake2b(input), digest_of(header_bytes, body_hash, signature)};
}

}  // namespace sealwire

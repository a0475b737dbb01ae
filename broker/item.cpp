#include "broker/item.h"

#include "protocol/frame/frame.h"

namespace sealwire::broker {
namespace {

constexpr char kRefusalId[] = "SWNK";
constexpr std::size_t kLengthBytes = 4;

}  // namespace

// body hash ‖ signature ‖ header
Bytes encode_remains(const Remains& remains) {
  Bytes bytes;
  bytes.reserve(Digest::kSize + Signature::kSize + remains.header.size());
  bytes.insert(bytes.end(), remains.body_hash.bytes.begin(), remains.body_hash.bytes.end());
  bytes.insert(bytes.end(), remains.signature.bytes.begin(), remains.signature.bytes.end());
  bytes.insert(bytes.end(), remains.header.begin(), remains.header.end());
  return bytes;
}

Result<Remains> decode_remains(ByteSpan bytes) {
  constexpr std::size_t kFixed = Digest::kSize + Signature::kSize;
  if (bytes.size() < kFixed) return fail(Errc::store_failed, "tombstone");
  return Remains{to_bytes(bytes.subspan(kFixed)), *Digest::from(bytes.first(Digest::kSize)),
                 *Signature::from(bytes.subspan(Digest::kSize, Signature::kSize))};
}

// each: u32 length ‖ statement ‖ signature
Bytes encode_statements(std::initializer_list<const SignedStatement*> statements) {
  Bytes bytes;
  for (const SignedStatement* signed_statement : statements) {
    const auto size = static_cast<std::uint32_t>(signed_statement->statement.size());
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(size >> shift));
    bytes.insert(bytes.end(), signed_statement->statement.begin(),
                 signed_statement->statement.end());
    bytes.insert(bytes.end(), signed_statement->signature.bytes.begin(),
                 signed_statement->signature.bytes.end());
  }
  return bytes;
}

Result<std::vector<SignedStatement>> decode_statements(ByteSpan bytes) {
  std::vector<SignedStatement> statements;
  while (!bytes.empty()) {
    if (bytes.size() < kLengthBytes) return fail(Errc::store_failed, "notice");
    std::size_t size = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i)
      size = size << 8 | bytes[i];
    bytes = bytes.subspan(kLengthBytes);
    if (bytes.size() < Signature::kSize || bytes.size() - Signature::kSize < size)
      return fail(Errc::store_failed, "notice");
    statements.push_back(
        {to_bytes(bytes.first(size)), *Signature::from(bytes.subspan(size, Signature::kSize))});
    bytes = bytes.subspan(size + Signature::kSize);
  }
  return statements;
}

std::size_t credit_bytes(ItemType type, std::size_t stored_bytes) {
  switch (type) {
    case ItemType::refused:
      return stored_bytes - kLengthBytes;
    case ItemType::redeemed:
      return stored_bytes - 2 * kLengthBytes;
    case ItemType::envelope:
    case ItemType::tombstone:
      break;
  }
  return stored_bytes;
}

SignedStatement make_refusal(const crypto::SigningKey& key, const EnvelopeId& id,
                             const Digest& digest, wire::Code code, UnixMillis now) {
  flatbuffers::FlatBufferBuilder b(256);
  const auto issuer_at = put(b, key.public_bytes());
  const auto id_at = put(b, id.bytes);
  const auto digest_at = put(b, digest.bytes);
  SignedStatement refusal{
      finish_statement(b, wire::CreateRefusal(b, issuer_at, id_at, digest_at, code, now.value),
                       kRefusalId),
      {}};
  refusal.signature = sign_statement(key, label::kRefusal, refusal.statement);
  return refusal;
}

Result<VerifiedRefusal> verify_refusal(const SignedStatement& refusal, const InstanceKey& issuer) {
  SW_TRY(const wire::Refusal* from,
         verified_root<wire::Refusal>(refusal.statement, kRefusalId, Errc::frame_field));
  const auto id = EnvelopeId::from(span_of(from->id()));
  const auto digest = Digest::from(span_of(from->digest()));
  if (!id || !digest || InstanceKey::from(span_of(from->issuer())) != issuer ||
      from->code() > wire::Code::MAX)
    return fail(Errc::frame_field, "refusal");
  if (!verify_statement(issuer.bytes, label::kRefusal, refusal))
    return fail(Errc::envelope_signature, "refusal");
  return VerifiedRefusal{*id, *digest};
}

}  // namespace sealwire::broker

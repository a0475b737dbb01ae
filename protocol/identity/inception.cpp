#include "protocol/identity/inception.h"

#include "protocol/frame/frame.h"

namespace sealwire {
namespace {
constexpr char kInceptionId[] = "SWIN";
constexpr char kPrekeyId[] = "SWPK";
}  // namespace

SignedStatement make_inception(const crypto::SigningKey& key, UnixMillis now) {
  flatbuffers::FlatBufferBuilder b;
  const auto key_at = put(b, key.public_bytes());
  SignedStatement result{
      finish_statement(b, wire::CreateInception(b, kSuite, key_at, now.value), kInceptionId), {}};
  result.signature = sign_statement(key, label::kInception, result.statement);
  return result;
}

Result<AgentIdentity> verify_inception(SignedStatement inception) {
  SW_TRY(
      const wire::Inception* from,
      verified_root<wire::Inception>(inception.statement, kInceptionId, Errc::inception_invalid));
  if (from->suite() != kSuite) return fail(Errc::inception_invalid, "suite");
  const auto key = InstanceKey::from(span_of(from->key()));
  if (!key) return fail(Errc::inception_invalid, "key size");
  if (!verify_statement(key->bytes, label::kInception, inception))
    return fail(Errc::inception_invalid, "signature");
  AgentIdentity identity;
  identity.agent.bytes =
      crypto::blake2b(
          crypto::labelled(label::kAgentId, {ByteSpan(inception.statement), inception.signature}))
          .bytes;
  identity.instance = *key;
  identity.created = {from->created_ms()};
  identity.inception = std::move(inception);
  return identity;
}

SignedStatement make_prekey(const crypto::SigningKey& key, const PrekeyKey& prekey, UnixMillis now,
                            UnixMillis expires) {
  flatbuffers::FlatBufferBuilder b;
  const auto instance_at = put(b, key.public_bytes());
  const auto key_at = put(b, prekey.bytes);
  SignedStatement result{
      finish_statement(b,
                       wire::CreatePrekey(b, kSuite, instance_at, key_at, now.value, expires.value),
                       kPrekeyId),
      {}};
  result.signature = sign_statement(key, label::kPrekey, result.statement);
  return result;
}

Result<VerifiedPrekey> verify_prekey(const SignedStatement& prekey, const InstanceKey& instance,
                                     UnixMillis now) {
  SW_TRY(const wire::Prekey* from,
         verified_root<wire::Prekey>(prekey.statement, kPrekeyId, Errc::prekey_invalid));
  const auto key = PrekeyKey::from(span_of(from->key()));
  const auto owner = InstanceKey::from(span_of(from->instance()));
  if (from->suite() != kSuite || !key || owner != instance) return fail(Errc::prekey_invalid);
  if (!verify_statement(instance.bytes, label::kPrekey, prekey))
    return fail(Errc::prekey_invalid, "signature");
  const UnixMillis created{from->created_ms()}, expires{from->expires_ms()};
  if (created > now + limits::kClockSkewMs || expires <= now || expires <= created ||
      expires.value - created.value > limits::kPrekeyLifetimeMs)
    return fail(Errc::prekey_invalid, "lifetime");
  return VerifiedPrekey{*key, instance, created, expires};
}

}  // namespace sealwire

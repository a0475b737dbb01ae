#include "protocol/handshake/transcript.h"

namespace sealwire::handshake {

Digest transcript(const Digest& hello_hash, const Digest& challenge_hash,
                  const ChannelBinding& binding) {
  const auto type = static_cast<std::uint8_t>(binding.type);
  return crypto::blake2b(
      crypto::labelled(label::kTranscript,
                       {hello_hash, challenge_hash, ByteSpan(&type, 1), ByteSpan(binding.value)}));
}

Server::Server(const crypto::SigningKey& key, ServerTerms terms, ChannelBinding binding,
               Random& random)
    : key_(key),
      terms_(terms),
      binding_(std::move(binding)),
      ephemeral_(crypto::AgreementKey::generate(random)),
      nonce_(random.make<Nonce>()) {}

Result<Bytes> Server::on_hello(ByteSpan message) {
  if (state_ != State::hello) return fail(Errc::frame_unexpected, "a second Hello");
  state_ = State::failed;  // until all of it has passed
  SW_TRY(Bytes challenge, answer(message));
  state_ = State::proof;
  return challenge;
}

Result<Bytes> Server::answer(ByteSpan message) {
  SW_TRY(const Frame frame, Frame::parse(message, limits::kFrameBytesBeforeProof));
  const auto* hello = frame.as<wire::Hello>();
  if (hello == nullptr) return fail(Errc::frame_unexpected, "before Hello");
  const auto& versions = *hello->versions();
  if (std::find(versions.begin(), versions.end(), kVersion) == versions.end())
    return fail(Errc::version_unsupported, "client offers other versions than sealwire/0");
  if (hello->suite() != kSuite)
    return fail(Errc::suite_unsupported, std::to_string(hello->suite()));
  // SES-003: a client that cannot bind gets sealed frames; one whose "none" was put there on the
  // way will not accept our signature over that Hello.
  if (hello->binding() == wire::Binding::none) binding_ = {};
  if (hello->binding() != binding_.type)
    return fail(Errc::binding_mismatch, wire::EnumNameBinding(hello->binding()));

  client_ = value<InstanceKey>(hello->key());
  client_ephemeral_ = value<EphemeralKey>(hello->ephemeral());
  hello_hash_ = crypto::blake2b(message);

  flatbuffers::FlatBufferBuilder terms_builder;
  const auto broker_at = put(terms_builder, key_.public_bytes());
  const auto nonce_at = put(terms_builder, nonce_.bytes);
  const auto ephemeral_at = put(terms_builder, ephemeral_.public_key);
  const Bytes terms =
      finish_statement(terms_builder,
                       wire::CreateTerms(terms_builder, kVersion, kSuite, broker_at, nonce_at,
                                         ephemeral_at, binding_.type, terms_.frame_bytes_max,
                                         terms_.envelope_bytes_max, terms_.idle_ms),
                       kTermsId);
  const Signature signature = key_.sign(challenge_input(hello_hash_, terms, binding_));

  flatbuffers::FlatBufferBuilder b;
  const auto terms_at = put(b, terms);
  const auto signature_at = put(b, signature.bytes);
  Bytes challenge = finish_frame(b, wire::CreateChallenge(b, terms_at, signature_at));
  challenge_hash_ = crypto::blake2b(challenge);
  return challenge;
}

Result<ProvenPeer> Server::on_proof(ByteSpan message) {
  if (state_ != State::proof) return fail(Errc::frame_unexpected, "Proof out of turn");
  state_ = State::failed;
  SW_TRY(ProvenPeer peer, check(message));
  state_ = State::proven;
  return peer;
}

Result<ProvenPeer> Server::check(ByteSpan message) {
  SW_TRY(const Frame frame, Frame::parse(message, limits::kFrameBytesBeforeProof));
  const auto* proof = frame.as<wire::Proof>();
  if (proof == nullptr) return fail(Errc::frame_unexpected, "before Proof");

  const Bytes claims_bytes = to_bytes(span_of(proof->claims()));
  const Digest so_far = transcript(hello_hash_, challenge_hash_, binding_);
  if (!crypto::verify(client_.bytes, proof_input(so_far, claims_bytes),
                      value<Signature>(proof->signature())))
    return fail(Errc::handshake_signature);
  SW_TRY(const wire::Claims* claims,
         verified_root<wire::Claims>(claims_bytes, kClaimsId, Errc::frame_malformed));

  ProvenPeer peer;
  SW_TRY(peer.identity, verify_inception(from_wire(*claims->inception())));
  if (peer.identity.instance != client_) return fail(Errc::inception_invalid, "another key's");
  peer.acked = claims->acked();
  peer.transcript = so_far;
  if (claims->incarnation() != nullptr) {
    peer.incarnation = BrokerIncarnation::from(span_of(claims->incarnation()));
    if (!peer.incarnation) return fail(Errc::frame_field, "incarnation");
  }
  if (claims->redemption() != nullptr) {
    SignedStatement redemption = from_wire(*claims->redemption());
    SW_TRY(const VerifiedRedemption verified, verify_redemption(redemption));
    if (verified.agent != peer.identity.agent || verified.transcript != so_far)
      return fail(Errc::invite_invalid, "of another agent or session");
    peer.redeemed_invite = verified.invite;
    peer.redemption = std::move(redemption);
  }
  if (binding_.type == wire::Binding::none) {
    SW_TRY(const Secret<32> shared, crypto::agree(ephemeral_.secret, client_ephemeral_.bytes));
    SessionKeys keys = session_keys(shared, so_far, crypto::blake2b(message));
    protection_ =
        FrameProtection(std::move(keys.broker_to_client), std::move(keys.client_to_broker));
  }
  return peer;
}

FrameProtection Server::protection() && {
  return std::move(protection_);
}

}  // namespace sealwire::handshake

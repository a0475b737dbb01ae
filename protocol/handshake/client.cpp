#include "protocol/handshake/transcript.h"

namespace sealwire::handshake {

Client::Client(const crypto::SigningKey& key, ClientParameters parameters, ChannelBinding binding,
               Random& random)
    : key_(key),
      parameters_(std::move(parameters)),
      binding_(std::move(binding)),
      ephemeral_(crypto::AgreementKey::generate(random)),
      nonce_(random.make<Nonce>()) {}

Bytes Client::hello() {
  flatbuffers::FlatBufferBuilder b;
  const auto versions_at = b.CreateVector(std::vector<std::uint16_t>{kVersion});
  const auto key_at = put(b, key_.public_bytes());
  const auto nonce_at = put(b, nonce_.bytes);
  const auto ephemeral_at = put(b, ephemeral_.public_key);
  Bytes hello = finish_frame(
      b, wire::CreateHello(b, versions_at, kSuite, key_at, nonce_at, ephemeral_at, binding_.type));
  hello_hash_ = crypto::blake2b(hello);
  return hello;
}

namespace {

// A broker that refuses says why before it closes.
Error refusal(const Frame& frame, std::string_view expected) {
  if (const auto* close = frame.as<wire::Close>()) {
    const auto code = close->code();
    const Errc error = code == wire::Code::denied            ? Errc::not_admitted
                       : code == wire::Code::unauthenticated ? Errc::handshake_signature
                       : code == wire::Code::unsupported     ? Errc::version_unsupported
                       : code == wire::Code::rate_limited    ? Errc::rate_limited
                       : code == wire::Code::unavailable     ? Errc::overloaded
                                                             : Errc::closed;
    return {error, std::string("the broker says: ") + wire::EnumNameCode(code)};
  }
  return {Errc::frame_unexpected, "instead of " + std::string(expected)};
}

}  // namespace

Result<Bytes> Client::on_challenge(ByteSpan message) {
  SW_TRY(const Frame frame, Frame::parse(message, limits::kFrameBytesBeforeProof));
  const auto* challenge = frame.as<wire::Challenge>();
  if (challenge == nullptr) return fail(refusal(frame, "Challenge"));

  const Bytes terms_bytes = to_bytes(span_of(challenge->terms()));
  SW_TRY(const wire::Terms* terms,
         verified_root<wire::Terms>(terms_bytes, kTermsId, Errc::frame_malformed));
  const auto broker = BrokerKey::from(span_of(terms->broker()));
  const auto broker_ephemeral = EphemeralKey::from(span_of(terms->ephemeral()));
  if (!broker || !broker_ephemeral || !Nonce::from(span_of(terms->nonce())))
    return fail(Errc::frame_field, "Terms");
  if (parameters_.broker && *parameters_.broker != *broker)
    return fail(Errc::broker_key_mismatch, "this is not the broker that the context names");
  if (!crypto::verify(broker->bytes, challenge_input(hello_hash_, terms_bytes, binding_),
                      value<Signature>(challenge->signature())))
    return fail(Errc::handshake_signature, "of the broker");
  if (terms->version() != kVersion) return fail(Errc::version_unsupported);
  if (terms->suite() != kSuite) return fail(Errc::suite_unsupported);
  if (terms->binding() != binding_.type) return fail(Errc::binding_mismatch);
  broker_ = *broker;
  terms_ = {std::min<std::uint32_t>(terms->frame_bytes_max(), limits::kFrameBytes),
            std::min<std::uint32_t>(terms->envelope_bytes_max(), limits::kEnvelopeBytes),
            terms->idle_ms()};

  const Digest so_far = transcript(hello_hash_, crypto::blake2b(message), binding_);
  flatbuffers::FlatBufferBuilder claims_builder;
  const auto inception_at = to_wire(claims_builder, parameters_.inception);
  flatbuffers::Offset<wire::Signed> redemption_at = 0;
  if (parameters_.invite != nullptr)
    redemption_at = to_wire(claims_builder,
                            make_redemption(parameters_.invite->seed, parameters_.agent, so_far));
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> incarnation_at = 0;
  if (parameters_.incarnation) incarnation_at = put(claims_builder, parameters_.incarnation->bytes);
  const Bytes claims =
      finish_statement(claims_builder,
                       wire::CreateClaims(claims_builder, inception_at, redemption_at,
                                          parameters_.acked, incarnation_at),
                       kClaimsId);

  flatbuffers::FlatBufferBuilder b;
  const auto claims_at = put(b, claims);
  const auto signature_at = put(b, key_.sign(proof_input(so_far, claims)).bytes);
  Bytes proof = finish_frame(b, wire::CreateProof(b, claims_at, signature_at));
  if (binding_.type == wire::Binding::none) {
    SW_TRY(const Secret<32> shared, crypto::agree(ephemeral_.secret, broker_ephemeral->bytes));
    SessionKeys keys = session_keys(shared, so_far, crypto::blake2b(proof));
    protection_ =
        FrameProtection(std::move(keys.client_to_broker), std::move(keys.broker_to_client));
  }
  return proof;
}

Result<Ready> Client::on_ready(ByteSpan message) {
  // A refusal after Proof comes in clear: there is no session that could seal it.
  auto opened = protection_.open(message);
  if (!opened) {
    const auto clear = Frame::parse(message, limits::kFrameBytesBeforeProof);
    return fail(clear && clear->type() == wire::Body::Close ? refusal(*clear, "Ready")
                                                            : opened.error());
  }
  SW_TRY(const Frame frame, Frame::parse(*opened, limits::kFrameBytesBeforeProof));
  const auto* ready = frame.as<wire::Ready>();
  if (ready == nullptr) return fail(refusal(frame, "Ready"));
  return Ready{broker_,
               value<SessionId>(ready->session()),
               value<BrokerIncarnation>(ready->incarnation()),
               {ready->now_ms()},
               ready->mailbox_acked(),
               ready->mailbox_last(),
               ready->key_packages(),
               terms_};
}

}  // namespace sealwire::handshake

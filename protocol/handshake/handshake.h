// The session handshake, the same on every channel (SPEC SES): Hello → Challenge → Proof → Ready.
// Mutual, bound to the transport where it can be, and sealing every later frame where it cannot.
#pragma once

#include <functional>
#include <optional>

#include "protocol/crypto/crypto.h"
#include "protocol/frame/frame.h"
#include "protocol/identity/inception.h"
#include "protocol/identity/invite.h"

namespace sealwire::handshake {

inline constexpr std::uint16_t kVersion = 0;  // sealwire/0

/// What both ends know of the transport: the type is in Hello and Terms, the value is signed.
struct ChannelBinding {
  wire::Binding type = wire::Binding::none;
  Bytes value;
};

/// Directional AEAD for the frames of an unbound session; passes frames through on a bound one.
/// Frames of one direction are sealed and opened in order: the counter is the nonce.
class FrameProtection {
 public:
  FrameProtection() = default;  // a bound session
  FrameProtection(Secret<32> send_key, Secret<32> receive_key);
  Bytes seal(Bytes frame);
  /// Fails with frame_unsealed; the session is then over.
  Result<Bytes> open(ByteSpan message);
  bool sealed() const { return keys_.has_value(); }

 private:
  struct Keys {
    Secret<32> send;
    Secret<32> receive;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };
  std::optional<Keys> keys_;
};

struct ServerTerms {
  std::uint32_t frame_bytes_max = limits::kFrameBytes;
  std::uint32_t envelope_bytes_max = limits::kEnvelopeBytes;
  std::uint32_t idle_ms = limits::kIdleMs;
};

/// What a client claims, proven: the session key signed it over the transcript and the binding.
struct ProvenPeer {
  AgentIdentity identity;
  std::optional<SignedStatement> redemption;  // verified: of this agent, for this transcript
  InviteKey redeemed_invite;                  // if there is a redemption
  Digest transcript;                          // that a later redemption has to name
  std::uint64_t acked = 0;
  std::optional<BrokerIncarnation> incarnation;
};

/// The broker's end. Holds a few hundred bytes; touches no state of any agent.
class Server {
 public:
  Server(const crypto::SigningKey& key, ServerTerms terms, ChannelBinding binding, Random& random);

  /// Hello in, Challenge out.
  Result<Bytes> on_hello(ByteSpan message);
  /// Proof in. Fails with handshake_signature, inception_invalid, invite_invalid, …
  Result<ProvenPeer> on_proof(ByteSpan message);
  /// After on_proof: what protects the session's frames, Ready the first of them.
  FrameProtection protection() &&;

 private:
  enum class State : std::uint8_t { hello, proof, proven, failed };
  Result<Bytes> answer(ByteSpan message);
  Result<ProvenPeer> check(ByteSpan message);

  const crypto::SigningKey& key_;
  ServerTerms terms_;
  ChannelBinding binding_;
  State state_ = State::hello;
  InstanceKey client_;
  EphemeralKey client_ephemeral_;
  crypto::AgreementKey ephemeral_;
  Nonce nonce_;
  Digest hello_hash_;
  Digest challenge_hash_;
  FrameProtection protection_;
};

struct ClientParameters {
  SignedStatement inception;
  std::optional<BrokerKey> broker;  // pinned; without one, the first seen is trusted (by flag only)
  const Invite* invite = nullptr;   // to redeem; outlives the handshake
  AgentId agent;
  std::uint64_t acked = 0;
  std::optional<BrokerIncarnation> incarnation;
};

struct Ready {
  BrokerKey broker;
  SessionId session;
  BrokerIncarnation incarnation;
  UnixMillis now;
  std::uint64_t mailbox_acked = 0;
  std::uint64_t mailbox_last = 0;
  std::uint32_t key_packages = 0;
  ServerTerms terms;
};

/// The agent's end.
class Client {
 public:
  Client(const crypto::SigningKey& key, ClientParameters parameters, ChannelBinding binding,
         Random& random);

  Bytes hello();
  /// Challenge in, Proof out. Fails with broker_key_mismatch, handshake_signature,
  /// version_unsupported, binding_mismatch, key_low_order.
  Result<Bytes> on_challenge(ByteSpan message);
  /// The first message after Proof. A Close in its place fails with what it says.
  Result<Ready> on_ready(ByteSpan message);
  /// After on_ready.
  FrameProtection protection() && { return std::move(protection_); }

 private:
  const crypto::SigningKey& key_;
  ClientParameters parameters_;
  ChannelBinding binding_;
  crypto::AgreementKey ephemeral_;
  Nonce nonce_;
  Digest hello_hash_;
  BrokerKey broker_;
  ServerTerms terms_;
  FrameProtection protection_;
};

/// `hash of Hello ‖ hash of Challenge`: what Proof and redemptions sign over.
Digest transcript(const Digest& hello_hash, const Digest& challenge_hash,
                  const ChannelBinding& binding);

}  // namespace sealwire::handshake

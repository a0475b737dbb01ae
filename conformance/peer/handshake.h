// SPEC chapter SES from the client's side, step by step, so that a case can do each step wrong.
#pragma once

#include "conformance/peer/agent.h"
#include "conformance/transport/connection.h"

namespace conformance {

struct Target {
  Endpoint endpoint;
  Bytes broker_key;
};

/// What a session was bound with, or sealed under.
struct Keys {
  Bytes out, in;  // empty on a bound session
};

class Handshake {
 public:
  /// `sealed`: says `none` in Hello whatever the transport could do (a browser's place).
  Handshake(const Target& target, const Agent& agent, bool sealed);
  Handshake(std::unique_ptr<Connection> connection, const Target& target, const Agent& agent,
            bool sealed);

  Table hello() const;  // a good one
  void send_hello(const Table& hello);
  /// The raw answer to Hello; throws Failure when it is a Close or nothing.
  Bytes receive_challenge();
  /// SES-010 to SES-012; `transcript` is T afterwards.
  void check_challenge(const Bytes& challenge);
  void greet() {
    send_hello(hello());
    check_challenge(receive_challenge());
  }

  Table claims() const;  // good ones
  Table proof(const Table& claims) const;
  void send_proof(const Table& proof);
  void send(const Bytes& message);

  /// The code of the Close with which the target ends the handshake; nothing where it closes
  /// without.
  std::optional<Code> refusal();

  Keys keys() const;

  const Agent agent;
  const wire::Binding binding;
  const Bytes binding_value;
  std::unique_ptr<Connection> connection;
  Bytes transcript;
  AgreementKey ephemeral = make_agreement_key();
  Bytes nonce = random_bytes(32);
  Bytes hello_bytes, challenge_bytes, proof_bytes;
  std::uint64_t frame_bytes_max = 0, envelope_bytes_max = 0, idle_ms = 0;
  Bytes broker_key, broker_ephemeral, broker_nonce;
};

}  // namespace conformance

#include "conformance/peer/handshake.h"

#include "conformance/runner/failure.h"
#include "conformance/runner/trace.h"

namespace conformance {

Handshake::Handshake(const Target& target, const Agent& from, bool sealed)
    : Handshake(dial(target.endpoint), target, from, sealed) {}

Handshake::Handshake(std::unique_ptr<Connection> open, const Target& target, const Agent& from,
                     bool sealed)
    : agent(from),
      binding(sealed ? wire::Binding::none : open->binding()),
      binding_value(binding == wire::Binding::none ? Bytes() : open->binding_value()),
      connection(std::move(open)),
      broker_key(target.broker_key) {}

Table Handshake::hello() const {
  return {"Hello",
          {{"versions", std::vector<std::uint64_t>{0}},
           {"suite", 1},
           {"key", agent.key},
           {"nonce", nonce},
           {"ephemeral", ephemeral.key},
           {"binding", binding}}};
}

void Handshake::send(const Bytes& message) {
  Trace::sent(message);
  connection->send(message);
}

void Handshake::send_hello(const Table& hello) {
  hello_bytes = frame(hello);
  send(hello_bytes);
}

Bytes Handshake::receive_challenge() {
  const auto message = connection->receive();
  if (!message) throw Failure("the target closed instead of sending a Challenge");
  Trace::received(*message);
  if (const auto code = Frame::close_code(*message))
    throw Failure("Close(" + code_name(*code) + ") instead of a Challenge");
  return *message;
}

void Handshake::check_challenge(const Bytes& challenge) {
  challenge_bytes = challenge;
  const Frame frame(challenge);
  const auto* body = frame.as<wire::Challenge>();
  if (body == nullptr) throw Failure(frame.name() + " instead of a Challenge");
  const Bytes hello_hash = hash(hello_bytes);
  if (!verify(broker_key,
              labelled("sealwire/0 challenge", {hello_hash, view(body->terms()), binding_value}),
              view(body->signature())))
    throw Failure("the Challenge's signature does not verify under the broker's key (SES-010)");
  Bytes held;
  const auto* terms = statement<wire::Terms>(held, view(body->terms()), "SWTM");
  if (copy(terms->broker()) != broker_key) throw Failure("Terms name another broker key (SES-010)");
  if (terms->version() != 0 || terms->suite() != 1 || terms->binding() != binding)
    throw Failure("Terms differ from what Hello offered (SES-012)");
  expect_size(view(terms->nonce()), 32, "Terms.nonce");
  expect_size(view(terms->ephemeral()), 32, "Terms.ephemeral");
  frame_bytes_max = terms->frame_bytes_max();
  envelope_bytes_max = terms->envelope_bytes_max();
  idle_ms = terms->idle_ms();
  broker_nonce = copy(terms->nonce());
  broker_ephemeral = copy(terms->ephemeral());
  const Bytes type{static_cast<std::uint8_t>(binding)};
  transcript = hash(
      labelled("sealwire/0 transcript", {hello_hash, hash(challenge_bytes), type, binding_value}));
}

Table Handshake::claims() const {
  return {"Claims", {{"inception", agent.inception}}};
}

Table Handshake::proof(const Table& claims) const {
  const Bytes bytes = finish("SWCL", claims);
  return {"Proof",
          {{"claims", bytes},
           {"signature", sign(agent.seed, labelled("sealwire/0 proof", {transcript, bytes}))}}};
}

void Handshake::send_proof(const Table& proof) {
  proof_bytes = frame(proof);
  send(proof_bytes);
}

std::optional<Code> Handshake::refusal() {
  for (;;) {
    const auto message = connection->receive();
    if (!message) {
      Trace::note("< the connection closed");
      return std::nullopt;
    }
    Trace::received(*message);
    if (const auto code = Frame::close_code(*message)) return code;
    // A Challenge may still be on its way; anything sealed or a Ready is no refusal.
    if (!identified(*message, "SWFR") || Frame(*message).type() != wire::Body::Challenge)
      throw Failure("the target goes on instead of closing");
  }
}

Keys Handshake::keys() const {
  if (binding != wire::Binding::none) return {};
  const auto shared = agree(ephemeral.secret, broker_ephemeral);
  if (!shared) throw Failure("the target's ephemeral key has small order (SES-023)");
  const Bytes okm = hkdf(labelled("sealwire/0 session keys", {transcript, hash(proof_bytes)}),
                         *shared, bytes_of("sealwire/0 session keys"), 64);
  return {Bytes(okm.begin(), okm.begin() + 32), Bytes(okm.begin() + 32, okm.end())};
}

}  // namespace conformance

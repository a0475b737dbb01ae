#include "conformance/peer/hosted.h"

#include "conformance/runner/failure.h"
#include "conformance/runner/trace.h"

namespace conformance {

Hosted::Hosted(std::unique_ptr<ServedSocket> socket, HostStore& store)
    : socket_(std::move(socket)), store_(store), binding_(socket_->binding()) {
  if (binding_ != wire::Binding::none) binding_value_ = socket_->binding_value();
}

// --- the handshake

void Hosted::take_hello() {
  const auto message = socket_->receive();
  if (!message) throw Failure("the agent closed instead of sending Hello (SES-001)");
  hello_ = *message;
  Trace::received(hello_);
  const Frame frame(hello_);
  const auto* hello = frame.as<wire::Hello>();
  if (hello == nullptr) throw Failure(frame.name() + " instead of Hello (SES-001)");
  bool offers_0 = false;
  for (const auto version : *hello->versions())
    offers_0 = offers_0 || version == 0;
  if (!offers_0) throw Failure("Hello does not offer version 0 (SES-001)");
  if (hello->suite() != 1) throw Failure("Hello's suite is not 1 (SES-001)");
  expect_size(view(hello->key()), 32, "Hello.key");
  expect_size(view(hello->nonce()), 32, "Hello.nonce");
  expect_size(view(hello->ephemeral()), 32, "Hello.ephemeral");
  if (hello->binding() != binding_)
    throw Failure(std::string("Hello's binding is ") + wire::EnumNameBinding(hello->binding()) +
                  " and not " + wire::EnumNameBinding(binding_) + " (SES-002)");
  for (auto& [seen, value] : {std::pair{&store_.nonces, copy(hello->nonce())},
                              {&store_.ephemerals, copy(hello->ephemeral())}}) {
    if (std::find(seen->begin(), seen->end(), value) != seen->end())
      throw Failure("Hello's nonce or ephemeral key has come before (SES-001)");
    seen->push_back(value);
  }
  store_.agent_key = copy(hello->key());
  hello_ephemeral_ = copy(hello->ephemeral());
}

Table Hosted::terms() const {
  return {"Terms",
          {{"version", 0},
           {"suite", 1},
           {"broker", store_.key},
           {"nonce", random_bytes(32)},
           {"ephemeral", ephemeral_.key},
           {"binding", binding_},
           {"frame_bytes_max", 4'194'304},
           {"envelope_bytes_max", 1'053'696},
           {"idle_ms", store_.idle_ms}}};
}

Bytes Hosted::challenge_input(View terms) const {
  return labelled("sealwire/0 challenge", {hash(hello_), terms, binding_value_});
}

Bytes Hosted::challenge(const Table& terms, View seed) const {
  const Bytes bytes = finish("SWTM", terms);
  return frame(
      {"Challenge", {{"terms", bytes}, {"signature", sign(seed, challenge_input(bytes))}}});
}

void Hosted::send_challenge(const Bytes& bytes) {
  challenge_ = bytes;
  const Bytes type{static_cast<std::uint8_t>(binding_)};
  transcript_ = hash(
      labelled("sealwire/0 transcript", {hash(hello_), hash(challenge_), type, binding_value_}));
  send_raw(bytes);
}

void Hosted::take_proof() {
  const auto message = socket_->receive();
  if (!message) throw Failure("the agent closed instead of sending Proof");
  proof_ = *message;
  Trace::received(proof_);
  const Frame frame(proof_);
  if (const auto* close = frame.as<wire::Close>())
    throw Failure("Close(" + code_name(close->code()) + ") instead of Proof");
  const auto* proof = frame.as<wire::Proof>();
  if (proof == nullptr) throw Failure(frame.name() + " instead of Proof");
  if (!verify(store_.agent_key, labelled("sealwire/0 proof", {transcript_, view(proof->claims())}),
              view(proof->signature())))
    throw Failure("the Proof's signature does not verify (SES-013)");
  Bytes held, inner;
  const auto* claims = statement<wire::Claims>(held, view(proof->claims()), "SWCL");
  const Signed inception{copy(claims->inception()->statement()),
                         copy(claims->inception()->signature())};
  const auto* root = statement<wire::Inception>(inner, inception.statement, "SWIN");
  if (copy(root->key()) != store_.agent_key || root->suite() != 1 ||
      !verify(store_.agent_key, labelled("sealwire/0 inception", {inception.statement}),
              inception.signature))
    throw Failure("the inception in Claims is not valid, or not Hello's key's (KEY-003)");
  store_.agent_inception = inception;
  store_.agent_id = agent_id(inception);
  if (claims->redemption() != nullptr) check_redemption(*claims->redemption());
  claims_acked = claims->acked();
  claims_incarnation = copy(claims->incarnation());
  if (claims_incarnation == store_.incarnation) store_.acked = std::max(store_.acked, claims_acked);
}

void Hosted::check_redemption(const wire::Signed& redemption) {
  Bytes held;
  const auto* root = statement<wire::Redemption>(held, view(redemption.statement()), "SWIV");
  const Bytes invite = public_key(store_.invite_seed);
  if (copy(root->invite()) != invite)
    throw Failure("the redemption names another invite (KEY-020)");
  if (copy(root->agent()) != store_.agent_id)
    throw Failure("the redemption names another agent id (KEY-020)");
  if (copy(root->transcript()) != transcript_)
    throw Failure("the redemption names another transcript (KEY-020)");
  if (!verify(invite, labelled("sealwire/0 redemption", {view(redemption.statement())}),
              view(redemption.signature())))
    throw Failure("the redemption's signature does not verify under the seed (KEY-020)");
  store_.redeemed = true;
}

Bytes Hosted::ready() const {
  return frame({"Ready",
                {{"session", random_bytes(16)},
                 {"incarnation", store_.incarnation},
                 {"now_ms", now_ms()},
                 {"mailbox_acked", store_.acked},
                 {"mailbox_last", store_.mailbox.size()},
                 {"key_packages", store_.key_packages.size()}}});
}

void Hosted::send_ready() {
  if (binding_ == wire::Binding::none) {
    const auto shared = agree(ephemeral_.secret, hello_ephemeral_);
    if (!shared) throw Failure("the agent's ephemeral key has small order");
    const Bytes okm = hkdf(labelled("sealwire/0 session keys", {transcript_, hash(proof_)}),
                           *shared, bytes_of("sealwire/0 session keys"), 64);
    keys_ = {Bytes(okm.begin() + 32, okm.end()), Bytes(okm.begin(), okm.begin() + 32)};
  }
  delivered_ = store_.acked;
  send_frame(ready());
  ready_ = true;
}

void Hosted::greet() {
  take_hello();
  send_challenge(challenge(terms()));
  take_proof();
  if (!store_.admits && !store_.redeemed) {
    send({"Close", {{"code", Code::denied}}});
    return;
  }
  send_ready();
}

// --- anything

void Hosted::send_raw(const Bytes& message) {
  Trace::sent(message);
  socket_->send(message);
}

void Hosted::send_frame(const Bytes& bytes) {
  Trace::sent(bytes);
  socket_->send(seal(bytes));
}

Frame Hosted::open(const Bytes& message) {
  if (!ready_ || !sealed()) {
    Trace::received(message);
    return Frame(message);
  }
  const auto opened = aead_open(keys_.in, received_, message);
  if (!opened) throw Failure("the agent's sealed frame does not open (SES-021)");
  ++received_;
  Trace::received(*opened);
  return Frame(*opened);
}

bool Hosted::pump() {
  const auto message = socket_->receive();
  if (!message) {
    Trace::note("< the connection closed");
    return false;
  }
  const Frame frame = open(*message);
  if (const auto* close = frame.as<wire::Close>()) {
    closed = close->code();
    return true;
  }
  if (closed) throw Failure(frame.name() + " after Close");
  if (!ready_) throw Failure(frame.name() + " before Ready (SES-018)");
  switch (frame.type()) {
    case wire::Body::Ping:
      ++pings;
      send({"Pong", {{"nonce", frame.as<wire::Ping>()->nonce()}}});
      break;
    case wire::Body::Pong:
      pongs.insert(frame.as<wire::Pong>()->nonce());
      break;
    case wire::Body::Call:
      on_call(*frame.as<wire::Call>());
      break;
    case wire::Body::Send:
      accept(*frame.as<wire::Send>());
      break;
    case wire::Body::Credit: {
      const auto* credit = frame.as<wire::Credit>();
      if (credit->entries() < credit_entries_ || credit->bytes() < credit_bytes_)
        throw Failure("Credit was lowered (DLV-023)");
      credit_entries_ = credit->entries();
      credit_bytes_ = credit->bytes();
      break;
    }
    case wire::Body::Ack: {
      const std::uint64_t upto = frame.as<wire::Ack>()->sequence();
      if (upto > delivered_) throw Failure("an Ack of what was not delivered (DLV-025)");
      store_.acked = std::max(store_.acked, upto);
      break;
    }
    case wire::Body::Nack:
      on_nack(*frame.as<wire::Nack>());
      break;
    default:
      throw Failure("the agent sent " + frame.name() + ", which it may not");
  }
  deliver();
  return true;
}

Code Hosted::closing_code() {
  while (pump()) {
  }
  if (!closed) throw Failure("the connection ended without Close (SES-032)");
  return *closed;
}

void Hosted::silence(int ms) {
  if (!socket_->waiting(ms)) return;
  if (!pump()) throw Failure("the agent closed");
  throw Failure("the agent sent a frame before Ready (SES-018)");
}

}  // namespace conformance

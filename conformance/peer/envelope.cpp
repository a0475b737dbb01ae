#include "conformance/peer/envelope.h"

#include "conformance/runner/failure.h"
#include "conformance/wire/read.h"

namespace conformance {

Bytes Remains::link() const {
  return hash(labelled("sealwire/0 envelope", {header, body_hash}));
}
Bytes Remains::digest() const {
  return hash(labelled("sealwire/0 envelope digest", {header, body_hash, signature}));
}
void Remains::check(View sender) const {
  if (!verify(sender, labelled("sealwire/0 envelope", {header, body_hash}), signature))
    throw Failure("the remains of an envelope do not verify under its sender's key");
}
Bytes Remains::id() const {
  Bytes held;
  return copy(statement<wire::Header>(held, header, "SWHD")->id());
}

Bytes envelope_bytes(View header, View body, View signature) {
  return finish("SWEN",
                {"Envelope",
                 {{"signature", copy(signature)}, {"header", copy(header)}, {"body", copy(body)}}});
}

Envelope with_signature(Envelope envelope, Bytes signature) {
  envelope.signature = std::move(signature);
  envelope.bytes = envelope_bytes(envelope.header, envelope.body, envelope.signature);
  return envelope;
}

Envelope seal(const Agent& sender, Bytes header, Bytes body, std::string_view label) {
  Envelope envelope;
  Bytes signature = sign(sender.seed, labelled(label, {header, hash(body)}));
  if (identified(header, "SWHD")) {
    Bytes held = header;
    flatbuffers::Verifier verifier(held.data(), held.size(), 8, 4096);
    if (verifier.VerifyBuffer<wire::Header>("SWHD"))
      envelope.id = copy(flatbuffers::GetRoot<wire::Header>(held.data())->id());
  }
  envelope.header = std::move(header);
  envelope.body = std::move(body);
  return with_signature(std::move(envelope), std::move(signature));
}

Table header_table(const Agent& sender, std::uint64_t kind) {
  const std::uint64_t now = now_ms();
  return {"Header",
          {{"suite", 1},
           {"id", uuid7(now)},
           {"sender", sender.key},
           {"kind", kind},
           {"created_ms", now},
           {"expires_ms", now + kHour}}};
}

Value recipients(const std::vector<Bytes>& keys) {
  std::vector<Table> tables;
  for (const Bytes& key : keys)
    tables.push_back({"Recipient", {{"instance", key}}});
  return tables;
}

Table Chain::header(const Agent& sender, std::uint64_t kind) const {
  Table header = header_table(sender, kind)
                     .with("conversation", conversation)
                     .with("incarnation", incarnation)
                     .with("epoch", epoch)
                     .with("sender_seq", seq);
  return previous.empty() ? header : header.with("previous", previous);
}

Envelope Chain::application(const Agent& sender, Bytes body) const {
  return seal(sender, finish("SWHD", header(sender, kind::application)), std::move(body));
}

Envelope Chain::transient(const Agent& sender) const {
  return seal(sender, finish("SWHD", header(sender, kind::application).with("durability", 1)),
              bytes_of("typing"));
}

Envelope Chain::commit(const Agent& sender, const std::vector<Bytes>& members) const {
  return seal(sender,
              finish("SWHD", header(sender, kind::commit).with("recipients", recipients(members))),
              bytes_of("a commit"));
}

Envelope Chain::welcome(const Agent& sender, const Bytes& joiner, const Envelope& commit) const {
  return seal(sender,
              finish("SWHD", header(sender, kind::welcome)
                                 .with("recipients", recipients({joiner}))
                                 .with("names", commit.link())),
              bytes_of("a welcome"));
}

std::vector<Envelope> Chain::opening(const Agent& sender, const Bytes& peer) const {
  const Envelope first = commit(sender, {sender.key, peer});
  return {first, welcome(sender, peer, first)};
}

void Chain::take(const Envelope& envelope) {
  ++seq;
  previous = envelope.link();
}

Table letter_header(const Agent& sender, const Bytes& recipient) {
  return header_table(sender, kind::letter).with("recipients", recipients({recipient}));
}

Envelope letter(const Agent& sender, const Bytes& recipient) {
  return seal(sender, finish("SWHD", letter_header(sender, recipient)), random_bytes(96));
}

}  // namespace conformance

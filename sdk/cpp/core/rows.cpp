#include "sdk/cpp/core/rows.h"

namespace sealwire::sdk {

SecretBytes encode(const Unit& unit) {
  Writer out;
  std::size_t size = 256 + unit.plaintext.size();
  for (const Bytes& envelope : unit.envelopes)
    size += envelope.size() + 4;
  out.reserve(size);
  out.u8(static_cast<std::uint8_t>(unit.kind)).raw(unit.peer).bytes(unit.plaintext);
  out.u32(unit.items).u64(unit.expires.value).text(unit.provenance).flag(unit.id.has_value());
  out.raw(unit.id.value_or(EnvelopeId{}))
      .raw(unit.conversation)
      .u32(unit.incarnation)
      .u64(unit.epoch)
      .u64(unit.sender_seq)
      .raw(unit.previous)
      .raw(unit.link)
      .raw(unit.digest)
      .u32(static_cast<std::uint32_t>(unit.envelopes.size()));
  for (const Bytes& envelope : unit.envelopes)
    out.bytes(envelope);
  return std::move(out).take();
}

Result<Unit> decode_unit(std::uint64_t number, ByteSpan row) {
  Reader in(row);
  Unit unit;
  unit.number = number;
  unit.kind = static_cast<Unit::Kind>(in.u8());
  unit.peer = in.opaque<AgentId>();
  unit.plaintext = to_bytes(in.bytes());
  unit.items = static_cast<std::uint16_t>(in.u32());
  unit.expires = {in.u64()};
  unit.provenance = in.text();
  const bool named = in.flag();
  const auto id = in.opaque<EnvelopeId>();
  if (named) unit.id = id;
  unit.conversation = in.opaque<ConversationId>();
  unit.incarnation = in.u32();
  unit.epoch = in.u64();
  unit.sender_seq = in.u64();
  unit.previous = in.opaque<Digest>();
  unit.link = in.opaque<Digest>();
  unit.digest = in.opaque<Digest>();
  const std::uint32_t envelopes = in.u32();
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(envelopes, 2); ++i)
    unit.envelopes.push_back(to_bytes(in.bytes()));
  SW_CHECK(in.done("the outbox"));
  return unit;
}

SecretBytes encode(const Received& received) {
  Writer out;
  out.reserve(256 + received.content.data.size());
  out.raw(received.id).raw(received.from).raw(received.conversation);
  out.bytes(encode_content(std::span(&received.content, 1)));
  out.u64(received.sent.value).text(received.provenance).u64(received.sequence);
  out.flag(received.letter);
  return std::move(out).take();
}

Result<Received> decode_received(std::uint64_t number, ByteSpan row) {
  Reader in(row);
  Received received;
  received.number = number;
  received.id = in.opaque<MessageId>();
  received.from = in.opaque<AgentId>();
  received.conversation = in.opaque<ConversationId>();
  const ByteSpan content = in.bytes();
  received.sent = {in.u64()};
  received.provenance = in.text();
  received.sequence = in.u64();
  received.letter = in.flag();
  SW_CHECK(in.done("the inbox"));
  SW_TRY(auto contents, decode_content(content));
  received.content = std::move(contents.front());
  return received;
}

SecretBytes encode(const PeerRow& row) {
  Writer out;
  out.raw(row.agent).text(row.nickname).u8(static_cast<std::uint8_t>(row.contact));
  out.flag(row.confirmed).flag(row.inception.has_value());
  if (row.inception)
    out.bytes(row.inception->statement).raw(row.inception->signature).raw(row.instance);
  return std::move(out).take();
}

Result<PeerRow> decode_peer(ByteSpan from) {
  Reader in(from);
  PeerRow row;
  row.agent = in.opaque<AgentId>();
  row.nickname = in.text();
  row.contact = static_cast<Peer::Contact>(std::min<std::uint8_t>(in.u8(), 2));
  row.confirmed = in.flag();
  if (in.flag()) {
    SignedStatement inception;
    inception.statement = to_bytes(in.bytes());
    inception.signature = in.opaque<Signature>();
    row.inception = std::move(inception);
    row.instance = in.opaque<InstanceKey>();
  }
  SW_CHECK(in.done("the peers"));
  return row;
}

SecretBytes encode(const HeldRow& row) {
  Writer out;
  out.u64(row.conversation_sequence).bytes(row.envelope);
  return std::move(out).take();
}

Result<HeldRow> decode_held(std::uint64_t number, ByteSpan from) {
  Reader in(from);
  HeldRow row;
  row.number = number;
  row.conversation_sequence = in.u64();
  row.envelope = to_bytes(in.bytes());
  SW_CHECK(in.done("the held envelopes"));
  return row;
}

}  // namespace sealwire::sdk

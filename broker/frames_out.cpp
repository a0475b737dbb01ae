#include "broker/frames_out.h"

#include "broker/item.h"

namespace sealwire::broker::frames {
namespace {

using flatbuffers::FlatBufferBuilder;
constexpr char kAcceptanceId[] = "SWAC";

struct RemainsAt {
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> header, body_hash, signature;
};
RemainsAt put_remains(FlatBufferBuilder& b, const Remains* remains) {
  if (remains == nullptr) return {};
  return {put(b, remains->header), put(b, remains->body_hash.bytes),
          put(b, remains->signature.bytes)};
}

template <class Response>
Bytes reply(FlatBufferBuilder& b, std::uint32_t call, flatbuffers::Offset<Response> response) {
  return finish_frame(
      b, wire::CreateReply(b, call, wire::Code::ok, wire::ResponseTraits<Response>::enum_value,
                           response.Union()));
}

struct ItemAt {
  wire::Item type = wire::Item::NONE;
  flatbuffers::Offset<void> offset;
};
Result<ItemAt> put_item(FlatBufferBuilder& b, const Delivery& delivery) {
  const ByteSpan bytes = *delivery.bytes;
  switch (delivery.type) {
    case ItemType::envelope:
      return ItemAt{wire::Item::Delivery, wire::CreateDelivery(b, put(b, bytes)).Union()};
    case ItemType::tombstone: {
      SW_TRY(const Remains remains, decode_remains(bytes));
      const RemainsAt at = put_remains(b, &remains);
      return ItemAt{wire::Item::Tombstone,
                    wire::CreateTombstone(b, at.header, at.body_hash, at.signature).Union()};
    }
    case ItemType::refused: {
      SW_TRY(const auto statements, decode_statements(bytes));
      if (statements.size() != 1) break;
      return ItemAt{wire::Item::Refused, wire::CreateRefused(b, to_wire(b, statements[0])).Union()};
    }
    case ItemType::redeemed: {
      SW_TRY(const auto statements, decode_statements(bytes));
      if (statements.size() != 2) break;
      const auto redemption = to_wire(b, statements[0]);
      const auto inception = to_wire(b, statements[1]);
      return ItemAt{wire::Item::Redeemed, wire::CreateRedeemed(b, redemption, inception).Union()};
    }
  }
  return fail(Errc::store_failed, "item");
}

}  // namespace

Bytes ready(const Session& session, const BrokerIncarnation& incarnation, const Agent& agent,
            UnixMillis now) {
  FlatBufferBuilder b(256);
  const auto session_at = put(b, session.id.bytes);
  const auto incarnation_at = put(b, incarnation.bytes);
  const MailboxState& mailbox = agent.committed.mailbox;
  return finish_frame(
      b, wire::CreateReady(b, session_at, incarnation_at, now.value, mailbox.acked, mailbox.last,
                           static_cast<std::uint32_t>(agent.state.pool.size())));
}

Bytes accepted(const crypto::SigningKey& key, std::span<const Receipt> receipts, UnixMillis now,
               const BrokerIncarnation& incarnation) {
  FlatBufferBuilder acceptance(64 + 96 * receipts.size());
  std::vector<flatbuffers::Offset<wire::Receipt>> receipts_at;
  receipts_at.reserve(receipts.size());
  for (const Receipt& receipt : receipts) {
    const auto id = put(acceptance, receipt.id.bytes);
    const auto digest = put(acceptance, receipt.digest.bytes);
    receipts_at.push_back(wire::CreateReceipt(acceptance, id, digest, receipt.sequence));
  }
  const auto list = acceptance.CreateVector(receipts_at);
  const auto incarnation_at = put(acceptance, incarnation.bytes);
  const Bytes statement = finish_statement(
      acceptance, wire::CreateAcceptance(acceptance, list, now.value, incarnation_at),
      kAcceptanceId);
  const Signature signature = sign_statement(key, label::kAcceptance, statement);

  FlatBufferBuilder b(statement.size() + 128);
  const auto statement_at = put(b, statement);
  const auto signature_at = put(b, signature.bytes);
  return finish_frame(b, wire::CreateAccepted(b, statement_at, signature_at));
}

Bytes rejected(std::span<const Rejection> rejections) {
  FlatBufferBuilder b(512);
  std::vector<flatbuffers::Offset<wire::Rejection>> list;
  for (const Rejection& rejection : rejections) {
    const auto id = put(b, rejection.id.bytes);
    const RemainsAt last = put_remains(b, rejection.last ? &*rejection.last : nullptr);
    list.push_back(wire::CreateRejection(b, id, wire_code(rejection.code), rejection.incarnation,
                                         rejection.epoch, last.header, last.body_hash,
                                         last.signature));
  }
  const auto list_at = b.CreateVector(list);
  return finish_frame(b, wire::CreateRejected(b, list_at));
}

Result<Bytes> deliver(std::span<const Delivery> deliveries) {
  std::size_t bytes = 256;
  for (const Delivery& delivery : deliveries)
    bytes += delivery.bytes->size() + 96;
  FlatBufferBuilder b(bytes);
  std::vector<flatbuffers::Offset<wire::Entry>> entries;
  entries.reserve(deliveries.size());
  for (const Delivery& delivery : deliveries) {
    SW_TRY(const ItemAt item, put_item(b, delivery));
    entries.push_back(wire::CreateEntry(b, delivery.sequence, delivery.conversation_sequence,
                                        item.type, item.offset));
  }
  const auto entries_at = b.CreateVector(entries);
  return finish_frame(b, wire::CreateDeliver(b, entries_at));
}

Bytes ping(std::uint64_t nonce) {
  FlatBufferBuilder b(64);
  return finish_frame(b, wire::CreatePing(b, nonce));
}
Bytes pong(std::uint64_t nonce) {
  FlatBufferBuilder b(64);
  return finish_frame(b, wire::CreatePong(b, nonce));
}
Bytes close(wire::Code code) {
  FlatBufferBuilder b(64);
  return finish_frame(b, wire::CreateClose(b, code));
}

Bytes refused(std::uint32_t call, wire::Code code) {
  FlatBufferBuilder b(64);
  return finish_frame(b, wire::CreateReply(b, call, code));
}
Bytes done(std::uint32_t call) {
  FlatBufferBuilder b(64);
  return reply(b, call, wire::CreateDone(b));
}
Bytes published(std::uint32_t call, std::uint64_t key_packages) {
  FlatBufferBuilder b(64);
  return reply(b, call, wire::CreatePublished(b, static_cast<std::uint32_t>(key_packages)));
}
Bytes found(std::uint32_t call, const Agent& agent) {
  FlatBufferBuilder b(1024);
  const auto inception = to_wire(b, agent.identity.inception);
  const auto prekey = agent.prekey ? to_wire(b, *agent.prekey) : 0;
  return reply(b, call, wire::CreateFound(b, inception, prekey));
}
Bytes claimed(std::uint32_t call, const Agent& agent, ByteSpan key_package) {
  FlatBufferBuilder b(1024);
  const auto inception = to_wire(b, agent.identity.inception);
  const auto key_package_at = put(b, key_package);
  return reply(b, call, wire::CreateClaimed(b, inception, key_package_at));
}
Bytes contacts(std::uint32_t call, const Agent& agent) {
  FlatBufferBuilder b(1024);
  std::vector<std::pair<AgentId, Contact>> sorted(agent.contacts.begin(), agent.contacts.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<flatbuffers::Offset<wire::ContactEntry>> list;
  list.reserve(sorted.size());
  for (const auto& [other, contact] : sorted)
    list.push_back(wire::CreateContactEntry(b, put(b, other.bytes), contact));
  const auto list_at = b.CreateVector(list);
  return reply(b, call, wire::CreateContacts(b, list_at));
}
Bytes conversation(std::uint32_t call, const ConversationRecord& record, const ChainHead* own) {
  FlatBufferBuilder b(1024);
  const RemainsAt last = put_remains(b, own == nullptr ? nullptr : &own->last);
  return reply(b, call,
               wire::CreateConversationState(b, record.incarnation, record.epoch, record.sequence,
                                             last.header, last.body_hash, last.signature));
}

}  // namespace sealwire::broker::frames

#include "protocol/envelope/header.h"

#include "protocol/limits.h"
#include "protocol/random.h"
#include "protocol/statement.h"

namespace sealwire {
namespace {

constexpr char kIdentifier[] = "SWHD";

template <class OpaqueType>
flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> put_unless_zero(
    flatbuffers::FlatBufferBuilder& b, const OpaqueType& value) {
  if (value.is_zero()) return 0;
  return b.CreateVector(value.bytes.data(), value.bytes.size());
}

template <class OpaqueType>
bool read(const flatbuffers::Vector<std::uint8_t>* from, bool required, OpaqueType& to) {
  if (from == nullptr) return !required;
  if (from->size() != OpaqueType::kSize) return false;
  std::copy(from->begin(), from->end(), to.bytes.begin());
  return true;
}

bool is_uuid_v7(const EnvelopeId& id) {
  return id.bytes[6] >> 4 == 7 && id.bytes[8] >> 6 == 2;
}

// "bridged:" and 1 to 56 of [a-z0-9.-] (ENV-020).
bool is_provenance(std::string_view text) {
  constexpr std::string_view kPrefix = "bridged:";
  if (text.size() > limits::kProvenanceBytes || !text.starts_with(kPrefix)) return false;
  text.remove_prefix(kPrefix.size());
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

Result<> check_recipients(const Header& header) {
  auto sorted = header.recipients;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return fail(Errc::header_malformed, "a recipient twice");
  const std::size_t count = header.recipients.size();
  const bool lists_sender = std::binary_search(sorted.begin(), sorted.end(), header.sender);
  switch (header.kind) {
    case Kind::application:
      return count == 0 ? Result<>{}
                        : fail(Errc::header_malformed, "recipients of an application envelope");
    case Kind::commit:
      return count >= 1 && lists_sender ? Result<>{}
                                        : fail(Errc::header_malformed, "members of a commit");
    case Kind::welcome:
      return count >= 1 && !lists_sender ? Result<>{}
                                         : fail(Errc::header_malformed, "joiners of a welcome");
    case Kind::letter:
      return count == 1 && !lists_sender
                 ? Result<>{}
                 : fail(Errc::header_malformed, "a letter has one recipient");
    case Kind::none:
      break;
  }
  return fail(Errc::kind_unknown);
}

// Which fields a kind has: one that it has not must be absent, so that equal meaning is equal
// fields.
Result<> check_shape(const Header& header) {
  const bool letter = header.kind == Kind::letter;
  if (letter != header.conversation.is_zero()) return fail(Errc::header_malformed, "conversation");
  if (letter != (header.incarnation == 0)) return fail(Errc::header_malformed, "incarnation");
  if (letter && (header.epoch != 0 || header.sender_seq != 0 || !header.previous.is_zero()))
    return fail(Errc::header_malformed, "a letter has no chain position");
  if ((header.kind == Kind::welcome) == header.names.is_zero())
    return fail(Errc::header_malformed, "names");
  if (header.durability == Durability::transient && header.kind != Kind::application)
    return fail(Errc::header_malformed, "only application envelopes are transient");
  return check_recipients(header);
}

}  // namespace

Bytes encode_header(const Header& header) {
  flatbuffers::FlatBufferBuilder b(512);
  std::vector<flatbuffers::Offset<wire::Recipient>> recipients;
  for (const InstanceKey& key : header.recipients)
    recipients.push_back(
        wire::CreateRecipient(b, b.CreateVector(key.bytes.data(), key.bytes.size())));
  const auto recipients_at =
      recipients.empty()
          ? flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::Recipient>>>(0)
          : b.CreateVector(recipients);
  const auto critical = header.critical.empty()
                            ? flatbuffers::Offset<flatbuffers::Vector<std::uint16_t>>(0)
                            : b.CreateVector(header.critical);
  const auto provenance = header.provenance.empty() ? flatbuffers::Offset<flatbuffers::String>(0)
                                                    : b.CreateString(header.provenance);
  const auto id = b.CreateVector(header.id.bytes.data(), header.id.bytes.size());
  const auto sender = b.CreateVector(header.sender.bytes.data(), header.sender.bytes.size());
  const auto conversation = put_unless_zero(b, header.conversation);
  const auto previous = put_unless_zero(b, header.previous);
  const auto names = put_unless_zero(b, header.names);
  return finish_statement(
      b,
      wire::CreateHeader(b, header.suite, id, sender, header.kind, conversation, header.incarnation,
                         header.epoch, recipients_at, header.created.value, header.expires.value,
                         header.durability, header.sender_seq, previous, names, provenance,
                         critical),
      kIdentifier);
}

Result<Header> decode_header(ByteSpan bytes) {
  const Bytes aligned = to_bytes(bytes.first(std::min(bytes.size(), limits::kHeaderBytes + 1)));
  SW_TRY(const wire::Header* from,
         verified_root<wire::Header>(aligned, kIdentifier, Errc::header_malformed,
                                     limits::kHeaderBytes));

  if (from->suite() != kSuite) return fail(Errc::suite_unsupported, std::to_string(from->suite()));
  if (from->critical() != nullptr && from->critical()->size() != 0)
    return fail(Errc::critical_unknown, std::to_string(from->critical()->Get(0)));
  if (from->kind() == Kind::none || from->kind() > Kind::MAX) return fail(Errc::kind_unknown);
  if (from->durability() > Durability::MAX) return fail(Errc::header_malformed, "durability");

  Header header;
  header.suite = from->suite();
  header.kind = from->kind();
  header.incarnation = from->incarnation();
  header.epoch = from->epoch();
  header.created = {from->created_ms()};
  header.expires = {from->expires_ms()};
  header.durability = from->durability();
  header.sender_seq = from->sender_seq();
  if (!read(from->id(), true, header.id) || !is_uuid_v7(header.id))
    return fail(Errc::header_malformed, "id");
  if (!read(from->sender(), true, header.sender)) return fail(Errc::header_malformed, "sender");
  if (!read(from->conversation(), false, header.conversation))
    return fail(Errc::header_malformed, "conversation");
  if (!read(from->previous(), false, header.previous))
    return fail(Errc::header_malformed, "previous");
  if (!read(from->names(), false, header.names)) return fail(Errc::header_malformed, "names");
  if (from->recipients() != nullptr) {
    if (from->recipients()->size() > limits::kRecipients)
      return fail(Errc::header_malformed, "recipients");
    for (const wire::Recipient* recipient : *from->recipients()) {
      InstanceKey key;
      if (!read(recipient->instance(), true, key)) return fail(Errc::header_malformed, "recipient");
      header.recipients.push_back(key);
    }
  }
  if (from->provenance() != nullptr) {
    header.provenance = from->provenance()->str();
    if (!is_provenance(header.provenance)) return fail(Errc::provenance_invalid);
  }

  const std::uint64_t lifetime_max =
      header.kind == Kind::letter ? limits::kLetterLifetimeMs : limits::kLifetimeMs;
  if (header.expires <= header.created)
    return fail(Errc::header_malformed, "expires before it is created");
  if (header.expires.value - header.created.value > lifetime_max)
    return fail(Errc::lifetime_too_long);
  SW_CHECK(check_shape(header));
  return header;
}

EnvelopeId make_envelope_id(UnixMillis now, Random& random) {
  auto id = random.make<EnvelopeId>();
  for (int i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(now.value >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

}  // namespace sealwire

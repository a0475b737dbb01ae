#include "protocol/content/content.h"

#include "protocol/limits.h"
#include "protocol/statement.h"

namespace sealwire {
namespace {

constexpr char kIdentifier[] = "SWCO";

// RFC 6838 restricted names with optional parameters: printable ASCII with one slash inside.
bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return text.size() <= limits::kMediaTypeBytes && slash != std::string_view::npos && slash > 0 &&
         slash + 1 < text.size() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

MessageId message_id(const EnvelopeId& envelope, std::uint16_t index) {
  MessageId id;
  std::copy(envelope.bytes.begin(), envelope.bytes.end(), id.bytes.begin());
  id.bytes[16] = static_cast<std::uint8_t>(index >> 8);
  id.bytes[17] = static_cast<std::uint8_t>(index);
  return id;
}

bool is_of(const MessageId& message, const EnvelopeId& envelope) {
  return std::equal(envelope.bytes.begin(), envelope.bytes.end(), message.bytes.begin());
}

Bytes encode_content(std::span<const Content> items) {
  flatbuffers::FlatBufferBuilder b(256);
  std::vector<flatbuffers::Offset<wire::Content>> offsets;
  offsets.reserve(items.size());
  for (const Content& item : items) {
    const auto media_type = b.CreateString(item.media_type);
    const auto data = b.CreateVector(item.data);
    flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> reply_to = 0;
    if (item.reply_to) reply_to = b.CreateVector(item.reply_to->bytes.data(), MessageId::kSize);
    flatbuffers::Offset<flatbuffers::String> trace = 0;
    if (!item.trace.empty()) trace = b.CreateString(item.trace);
    offsets.push_back(
        wire::CreateContent(b, item.kind, media_type, data, reply_to, item.deadline.value, trace));
  }
  return finish_statement(b, wire::CreateContentBatch(b, b.CreateVector(offsets)), kIdentifier);
}

Result<std::vector<Content>> decode_content(ByteSpan plaintext) {
  const Bytes aligned =
      to_bytes(plaintext.first(std::min(plaintext.size(), limits::kBodyBytes + 1)));
  SW_TRY(const wire::ContentBatch* from,
         verified_root<wire::ContentBatch>(aligned, kIdentifier, Errc::content_malformed,
                                           limits::kBodyBytes, limits::kContentDepth,
                                           limits::kContentItems + 8));
  if (from->items()->size() == 0 || from->items()->size() > limits::kContentItems)
    return fail(Errc::content_malformed, "items");
  std::vector<Content> items;
  items.reserve(from->items()->size());
  for (const wire::Content* item : *from->items()) {
    Content content;
    if (item->kind() > ContentKind::MAX) return fail(Errc::content_malformed, "kind");
    content.kind = item->kind();
    content.media_type = item->media_type()->str();
    if (!is_media_type(content.media_type)) return fail(Errc::content_malformed, "media type");
    content.data.assign(item->data()->begin(), item->data()->end());
    if (item->reply_to() != nullptr) {
      content.reply_to = MessageId::from({item->reply_to()->data(), item->reply_to()->size()});
      if (!content.reply_to) return fail(Errc::content_malformed, "reply_to");
    }
    content.deadline = {item->deadline_ms()};
    if (item->trace() != nullptr) content.trace = item->trace()->str();
    items.push_back(std::move(content));
  }
  return items;
}

}  // namespace sealwire

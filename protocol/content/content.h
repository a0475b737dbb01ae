// Typed content: what only the members of a conversation read (SPEC E2E).
#pragma once

#include <string>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/schema/content_generated.h"
#include "protocol/time.h"

namespace sealwire {

using wire::ContentKind;

/// Names one content of one envelope: envelope id ‖ u16 index, big-endian.
using MessageId = Opaque<struct MessageIdTag, 18>;
MessageId message_id(const EnvelopeId& envelope, std::uint16_t index);
bool is_of(const MessageId& message, const EnvelopeId& envelope);

struct Content {
  ContentKind kind = ContentKind::message;
  std::string media_type;
  Bytes data;
  std::optional<MessageId> reply_to;
  UnixMillis deadline;  // 0 = none
  std::string trace;
  friend bool operator==(const Content&, const Content&) = default;
};

/// One plaintext: 1 to limits::kContentItems contents.
Bytes encode_content(std::span<const Content> items);
/// Fails with content_malformed.
Result<std::vector<Content>> decode_content(ByteSpan plaintext);

}  // namespace sealwire

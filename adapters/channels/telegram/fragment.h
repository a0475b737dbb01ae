// One fragment: what a text message, or a document with its caption, carries (WIRE.md).
#pragma once

#include <string>

#include "adapters/channels/telegram/limits.h"
#include "protocol/bytes.h"
#include "protocol/error.h"

namespace sealwire::channel::telegram {

using ConnectionKey = Opaque<struct ConnectionKeyTag, 16>;

enum class Kind : std::uint8_t { open = 0, opened = 1, data = 2, close = 3 };

struct Fragment {
  Kind kind = Kind::data;
  ConnectionKey connection;
  std::uint32_t number = 0;  // of this direction of this connection, from 0
  std::uint64_t credit = 0;  // bytes of the stream that the other end may have sent in all
  Bytes payload;             // in a caption: empty, since the document is the payload
  friend bool operator==(const Fragment&, const Fragment&) = default;
};

/// "sealwire.0 " and base64url without padding. One fragment has one such text.
std::string armour(const Fragment& fragment);
/// Fails with frame_malformed; whatever is no fragment, a person's words among it, does.
Result<Fragment> parse_fragment(std::string_view text);

/// Payload of a close fragment: its reason, cut to kReasonBytes, then the end of the stream.
struct Ending {
  std::string reason;
  Bytes stream;
};
Bytes ending_payload(std::string_view reason, ByteSpan stream);
/// Fails with frame_malformed.
Result<Ending> parse_ending(ByteSpan payload);

}  // namespace sealwire::channel::telegram

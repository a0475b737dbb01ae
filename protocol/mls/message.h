// MLSMessage (RFC 9420 section 6): the one thing that travels.
#pragma once

#include "protocol/mls/private_message.h"
#include "protocol/mls/public_message.h"
#include "protocol/mls/welcome.h"

namespace sealwire::mls {

// struct { ProtocolVersion version = mls10; WireFormat wire_format;
//          select (wire_format) { … }; } MLSMessage;
struct MlsMessage {
  std::variant<PublicMessage, PrivateMessage, Welcome, GroupInfo, KeyPackage> body;

  WireFormat wire_format() const { return static_cast<WireFormat>(body.index() + 1); }
  void write(Writer& writer) const;
  bool read(Reader& reader);
};

}  // namespace sealwire::mls

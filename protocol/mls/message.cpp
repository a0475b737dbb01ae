#include "protocol/mls/message.h"

namespace sealwire::mls {

void MlsMessage::write(Writer& writer) const {
  writer.put(ProtocolVersion::mls10, wire_format());
  std::visit([&writer](const auto& message) { writer.put(message); }, body);
}

bool MlsMessage::read(Reader& reader) {
  ProtocolVersion version{};
  WireFormat format{};
  if (!reader.get(version, format) || version != ProtocolVersion::mls10) return false;
  switch (format) {
    case WireFormat::public_message:
      return reader.get(body.emplace<PublicMessage>());
    case WireFormat::private_message: {
      auto& message = body.emplace<PrivateMessage>();
      return reader.get(message) && message.content_type >= ContentType::application &&
             message.content_type <= ContentType::commit;
    }
    case WireFormat::welcome:
      return reader.get(body.emplace<Welcome>());
    case WireFormat::group_info:
      return reader.get(body.emplace<GroupInfo>());
    case WireFormat::key_package:
      return reader.get(body.emplace<KeyPackage>());
  }
  return false;
}

}  // namespace sealwire::mls

#include "protocol/mls/public_message.h"

namespace sealwire::mls {
namespace {

// AuthenticatedContentTBM: FramedContentTBS, then FramedContentAuthData.
Hash membership_tag(const FramedContent& content, const ContentAuth& auth,
                    const KdfSecret& membership_key, ByteSpan group_context) {
  Writer writer;
  writer.raw(content_to_be_signed(WireFormat::public_message, content, group_context));
  auth.write(writer, content.type());
  return crypto::hmac_sha256(membership_key.span(), writer.span());
}

}  // namespace

void PublicMessage::write(Writer& writer) const {
  writer.put(content);
  auth.write(writer, content.type());
  if (content.sender.type == SenderType::member) writer.put(membership_tag);
}

bool PublicMessage::read(Reader& reader) {
  return reader.get(content) && auth.read(reader, content.type()) &&
         (content.sender.type != SenderType::member || reader.get(membership_tag));
}

PublicMessage protect_public(AuthenticatedContent content, const KdfSecret& membership_key,
                             ByteSpan group_context) {
  PublicMessage message{std::move(content.content), std::move(content.auth), {}};
  if (message.content.sender.type == SenderType::member)
    message.membership_tag =
        to_bytes(membership_tag(message.content, message.auth, membership_key, group_context));
  return message;
}

Result<AuthenticatedContent> unprotect_public(PublicMessage message,
                                              const KdfSecret& membership_key,
                                              ByteSpan group_context) {
  if (message.content.type() == ContentType::application)
    return fail(Errc::mls_malformed, "application data in a PublicMessage");
  if (message.content.sender.type == SenderType::member) {
    const Hash expected =
        membership_tag(message.content, message.auth, membership_key, group_context);
    if (!equal_constant_time(expected, message.membership_tag))
      return fail(Errc::mls_membership_tag);
  }
  return AuthenticatedContent{WireFormat::public_message, std::move(message.content),
                              std::move(message.auth)};
}

}  // namespace sealwire::mls

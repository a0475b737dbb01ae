#include "protocol/mls/framing.h"

namespace sealwire::mls {

void Sender::write(Writer& writer) const {
  writer.put(type);
  if (type == SenderType::member || type == SenderType::external) writer.put(index);
}

bool Sender::read(Reader& reader) {
  if (!reader.get(type)) return false;
  if (type == SenderType::member || type == SenderType::external) return reader.get(index);
  return type == SenderType::new_member_proposal || type == SenderType::new_member_commit;
}

void FramedContent::write(Writer& writer) const {
  writer.put(group_id, epoch, sender, authenticated_data, type());
  std::visit([&writer](const auto& content) { writer.put(content); }, body);
}

bool FramedContent::read(Reader& reader) {
  ContentType type{};
  if (!reader.get(group_id, epoch, sender, authenticated_data, type)) return false;
  switch (type) {
    case ContentType::application:
      return reader.get(body.emplace<Bytes>());
    case ContentType::proposal:
      return reader.get(body.emplace<Proposal>());
    case ContentType::commit:
      return reader.get(body.emplace<Commit>());
  }
  return false;
}

void ContentAuth::write(Writer& writer, ContentType type) const {
  writer.put(signature);
  if (type == ContentType::commit) writer.put(confirmation_tag);
}

bool ContentAuth::read(Reader& reader, ContentType type) {
  return reader.get(signature) && (type != ContentType::commit || reader.get(confirmation_tag));
}

void AuthenticatedContent::write(Writer& writer) const {
  writer.put(wire_format, content);
  auth.write(writer, content.type());
}

bool AuthenticatedContent::read(Reader& reader) {
  return reader.get(wire_format, content) && auth.read(reader, content.type());
}

ProposalRef AuthenticatedContent::proposal_ref() const {
  return ref_hash("MLS 1.0 Proposal Reference", encode(*this));
}

Bytes AuthenticatedContent::confirmed_transcript_input() const {
  Writer writer;
  writer.put(wire_format, content, auth.signature);
  return writer.take();
}

Bytes content_to_be_signed(WireFormat format, const FramedContent& content,
                           ByteSpan group_context) {
  Writer writer;
  writer.put(ProtocolVersion::mls10, format, content);
  if (content.sender.type == SenderType::member ||
      content.sender.type == SenderType::new_member_commit)
    writer.raw(group_context);
  return writer.take();
}

AuthenticatedContent sign_content(WireFormat format, FramedContent content, ByteSpan group_context,
                                  const crypto::SigningKey& key) {
  AuthenticatedContent result{format, std::move(content), {}};
  result.auth.signature = sign_with_label(
      key, "FramedContentTBS", content_to_be_signed(format, result.content, group_context));
  return result;
}

Result<VerifiedContent> verify_content(AuthenticatedContent content, ByteSpan signature_key,
                                       ByteSpan group_context) {
  const Bytes input = content_to_be_signed(content.wire_format, content.content, group_context);
  if (!verify_with_label(signature_key, "FramedContentTBS", input, content.auth.signature))
    return fail(Errc::mls_signature, "framed content");
  return VerifiedContent(std::move(content));
}

}  // namespace sealwire::mls

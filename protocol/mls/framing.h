// Message framing (RFC 9420 section 6): contents, who sent them, and what is signed.
#pragma once

#include "protocol/mls/key_schedule.h"
#include "protocol/mls/proposal.h"

namespace sealwire::mls {

enum class WireFormat : std::uint16_t {
  public_message = 1,
  private_message = 2,
  welcome = 3,
  group_info = 4,
  key_package = 5,
};
enum class ContentType : std::uint8_t { application = 1, proposal = 2, commit = 3 };
enum class SenderType : std::uint8_t {
  member = 1,
  external = 2,
  new_member_proposal = 3,
  new_member_commit = 4,
};

// struct { SenderType sender_type; select (sender_type) { case member: uint32 leaf_index;
//          case external: uint32 sender_index; … struct{}; }; } Sender;
struct Sender {
  SenderType type = SenderType::member;
  std::uint32_t index{};
  void write(Writer& writer) const;
  bool read(Reader& reader);
  static Sender member(LeafIndex leaf) { return {SenderType::member, value(leaf)}; }
};

// struct { opaque group_id<V>; uint64 epoch; Sender sender; opaque authenticated_data<V>;
//          ContentType content_type; select (content_type) { case application:
//          opaque application_data<V>; case proposal: Proposal; case commit: Commit; }; }
// FramedContent;
struct FramedContent {
  Bytes group_id;
  std::uint64_t epoch{};
  Sender sender;
  Bytes authenticated_data;
  std::variant<Bytes, Proposal, Commit> body;

  ContentType type() const { return static_cast<ContentType>(body.index() + 1); }
  void write(Writer& writer) const;
  bool read(Reader& reader);
};

// struct { opaque signature<V>; select (content_type) { case commit: MAC confirmation_tag; … }; }
// FramedContentAuthData;
struct ContentAuth {
  Bytes signature;
  Bytes confirmation_tag;  // commits
  void write(Writer& writer, ContentType type) const;
  bool read(Reader& reader, ContentType type);
};

// struct { WireFormat wire_format; FramedContent content; FramedContentAuthData auth; }
// AuthenticatedContent;
struct AuthenticatedContent {
  WireFormat wire_format = WireFormat::public_message;
  FramedContent content;
  ContentAuth auth;
  void write(Writer& writer) const;
  bool read(Reader& reader);

  ProposalRef proposal_ref() const;
  /// ConfirmedTranscriptHashInput { wire_format; content; signature; } (section 8.2)
  Bytes confirmed_transcript_input() const;
};

/// Content whose signature was checked against a key that the caller vouches for.
class VerifiedContent {
 public:
  const AuthenticatedContent& operator*() const { return authenticated_; }
  const AuthenticatedContent* operator->() const { return &authenticated_; }
  AuthenticatedContent take() && { return std::move(authenticated_); }

 private:
  friend Result<VerifiedContent> verify_content(AuthenticatedContent, ByteSpan, ByteSpan);
  explicit VerifiedContent(AuthenticatedContent content) : authenticated_(std::move(content)) {}
  AuthenticatedContent authenticated_;
};

/// FramedContentTBS: the encoded group context belongs to it for members and external committers.
Bytes content_to_be_signed(WireFormat format, const FramedContent& content, ByteSpan group_context);
AuthenticatedContent sign_content(WireFormat format, FramedContent content, ByteSpan group_context,
                                  const crypto::SigningKey& key);
Result<VerifiedContent> verify_content(AuthenticatedContent content, ByteSpan signature_key,
                                       ByteSpan group_context);

}  // namespace sealwire::mls

// PublicMessage (RFC 9420 section 6.2): signed, and tagged so that only members can have sent it.
#pragma once

#include "protocol/mls/framing.h"

namespace sealwire::mls {

// struct { FramedContent content; FramedContentAuthData auth;
//          select (sender_type) { case member: MAC membership_tag; … }; } PublicMessage;
struct PublicMessage {
  FramedContent content;
  ContentAuth auth;
  Bytes membership_tag;  // members
  void write(Writer& writer) const;
  bool read(Reader& reader);
};

PublicMessage protect_public(AuthenticatedContent content, const KdfSecret& membership_key,
                             ByteSpan group_context);
/// Checks the membership tag of a member; the signature is left to verify_content(). Fails with
/// `mls_membership_tag`.
Result<AuthenticatedContent> unprotect_public(PublicMessage message,
                                              const KdfSecret& membership_key,
                                              ByteSpan group_context);

}  // namespace sealwire::mls

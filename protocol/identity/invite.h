// Invites: a seed handed over out of band, of which the broker knows the public key only, and the
// redemption that binds the invitee to its session (SPEC KEY).
#pragma once

#include "protocol/identity/inception.h"

namespace sealwire {

/// An invite as the invitee reads it. The text form is "sealwire-invite:" + base64url.
struct Invite {
  AgentIdentity inviter;
  BrokerKey broker;
  std::vector<std::string> endpoints;
  UnixMillis expires;
  crypto::SigningSeed seed;

  InviteKey key() const;
};

std::string invite_text(const Invite& invite);
/// Fails with invite_malformed, inception_invalid.
Result<Invite> parse_invite(std::string_view text);

struct VerifiedRedemption {
  InviteKey invite;
  AgentId agent;
  Digest transcript;
};
SignedStatement make_redemption(const crypto::SigningSeed& seed, const AgentId& agent,
                                const Digest& transcript);
/// Fails with invite_invalid. The caller compares agent and, if it has one, transcript.
Result<VerifiedRedemption> verify_redemption(const SignedStatement& redemption);

}  // namespace sealwire

// Stage: VerifiedEnvelope → AuthorizedEnvelope. Default deny: only what every receiver's contact
// policy allows, and its mailbox can take, goes on.
#pragma once

#include "broker/conversation.h"
#include "broker/directory.h"
#include "protocol/envelope/envelope.h"

namespace sealwire::broker {

/// An envelope that its sender may send to everybody in `audience`. Only `authorize` makes one.
class AuthorizedEnvelope {
 public:
  const Envelope& envelope() const { return *envelope_; }
  const Header& header() const { return envelope_->header(); }
  const std::shared_ptr<const Envelope>& shared() const { return envelope_; }
  AgentNumber sender() const { return sender_; }
  /// Who is to read it, the sender not among them.
  const std::vector<AgentNumber>& audience() const { return audience_; }

 private:
  AuthorizedEnvelope() = default;
  friend Result<AuthorizedEnvelope> authorize(VerifiedEnvelope envelope, const Agent& sender,
                                              Directory& directory, Conversations& conversations,
                                              const RouterConfig& config);
  std::shared_ptr<const Envelope> envelope_;
  AgentNumber sender_ = 0;
  std::vector<AgentNumber> audience_;
};

/// Fails with sender_mismatch, conversation_unknown, not_a_member, recipient_unknown, denied (all
/// but the first are one code on the wire), quota_exceeded, or what the store fails with.
Result<AuthorizedEnvelope> authorize(VerifiedEnvelope envelope, const Agent& sender,
                                     Directory& directory, Conversations& conversations,
                                     const RouterConfig& config);

}  // namespace sealwire::broker

#include "broker/authorize.h"

namespace sealwire::broker {
namespace {

// Whom the header addresses: by name, or by the conversation's membership.
Result<std::vector<AgentNumber>> audience_of(const Header& header, const Agent& sender,
                                             Directory& directory, Conversations& conversations) {
  if (header.kind != Kind::letter) {
    SW_TRY(const Conversation* conversation, conversations.find(header.conversation));
    if (conversation != nullptr && conversation->member(sender.number) == nullptr)
      return fail(Errc::not_a_member);
    if (header.kind == Kind::application) {
      if (conversation == nullptr) return fail(Errc::conversation_unknown);
      std::vector<AgentNumber> others;
      for (const Member& member : conversation->members)
        if (member.agent != sender.number) others.push_back(member.agent);
      return others;
    }
  }
  std::vector<AgentNumber> named;
  for (const InstanceKey& recipient : header.recipients) {
    if (recipient == header.sender) continue;
    const Agent* agent = directory.find(recipient);
    if (agent == nullptr) return fail(Errc::recipient_unknown);
    named.push_back(agent->number);
  }
  return named;
}

Result<> check_receiver(const Agent* receiver, const Agent& sender, std::size_t bytes,
                        const RouterConfig& config) {
  if (receiver == nullptr) return fail(Errc::recipient_unknown);
  if (!receiver->allows(sender)) return fail(Errc::denied, "contact policy");
  const MailboxState& mailbox = receiver->state.mailbox;
  if (mailbox.entries() >= config.mailbox_entries_max ||
      mailbox.bytes() + bytes > config.mailbox_bytes_max)
    return fail(Errc::quota_exceeded, "mailbox of the receiver");
  return {};
}

}  // namespace

Result<AuthorizedEnvelope> authorize(VerifiedEnvelope verified, const Agent& sender,
                                     Directory& directory, Conversations& conversations,
                                     const RouterConfig& config) {
  if (verified.header().sender != sender.identity.instance) return fail(Errc::sender_mismatch);
  AuthorizedEnvelope authorized;
  SW_TRY(authorized.audience_, audience_of(verified.header(), sender, directory, conversations));
  for (const AgentNumber receiver : authorized.audience_)
    SW_CHECK(
        check_receiver(directory.at(receiver), sender, verified.envelope().bytes().size(), config));
  authorized.sender_ = sender.number;
  authorized.envelope_ = std::make_shared<const Envelope>(std::move(verified).release());
  return authorized;
}

}  // namespace sealwire::broker

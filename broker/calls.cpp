#include "broker/calls.h"

#include "broker/frames_out.h"
#include "broker/item.h"
#include "broker/route.h"

namespace sealwire::broker {
namespace {

struct Call {
  Core& core;
  Session& session;
  Agent& caller;
  std::uint32_t id;
};

// Whom the caller may ask about: itself, and who allows it. Nobody learns who else exists.
Result<Agent*> askable(const Call& call, const AgentId& id) {
  Agent* agent = call.core.directory.find(id);
  if (agent == nullptr) return fail(Errc::unknown_agent);
  if (agent != &call.caller && !agent->allows(call.caller)) return fail(Errc::denied);
  return agent;
}

Result<> set_contact(Core& core, Agent& owner, const AgentId& other, Contact contact) {
  if (contact != Contact::none && !owner.contacts.contains(other) &&
      owner.contacts.size() >= core.config.contacts_max)
    return fail(Errc::quota_exceeded, "contacts");
  core.changes.touch(owner);
  core.changes.add(PutContact{{owner.number, other, contact}});
  if (contact == Contact::none)
    owner.contacts.erase(other);
  else
    owner.contacts[other] = contact;
  return {};
}

Result<Bytes> answer(const Call& call, const PublishRequest& request) {
  Changes& changes = call.core.changes;
  KeyPackagePool& pool = call.caller.state.pool;
  changes.touch(call.caller);
  for (const Bytes& key_package : request.key_packages) {
    changes.bytes += key_package.size();
    changes.add(PutKeyPackage{call.caller.number, pool.next++, key_package});
  }
  // A full pool drops its oldest: they expire first.
  if (pool.size() > limits::kKeyPackagePool) {
    pool.first = pool.next - limits::kKeyPackagePool;
    changes.add(DropKeyPackages{call.caller.number, pool.first});
  }
  if (!request.last_resort.empty()) {
    changes.add(PutKeyPackage{call.caller.number, 0, request.last_resort});
    pool.last_resort = true;
  }
  if (request.prekey) {
    call.caller.prekey = request.prekey;
    changes.add(PutPrekey{call.caller.number, *request.prekey});
  }
  return frames::published(call.id, pool.size());
}

Result<Bytes> answer(const Call& call, const LookupRequest& request) {
  SW_TRY(const Agent* agent, askable(call, request.agent));
  return frames::found(call.id, *agent);
}

Result<Bytes> answer(const Call& call, const ClaimRequest& request) {
  Core& core = call.core;
  if (!call.caller.claims.take(core.config.claims, 1, core.now)) return fail(Errc::rate_limited);
  SW_TRY(Agent * agent, askable(call, request.agent));
  KeyPackagePool& pool = agent->state.pool;
  // What is published and not yet on disk is not handed out yet.
  const bool single_use = pool.first < agent->committed.pool.next;
  SW_TRY(const auto key_package,
         core.store.read_key_package(agent->number, single_use ? pool.first : 0));
  if (!key_package) return fail(Errc::key_package_none);
  if (single_use) {
    ++pool.first;
    core.changes.touch(*agent);
    core.changes.add(DropKeyPackages{agent->number, pool.first});
  }
  return frames::claimed(call.id, *agent, *key_package);
}

Result<Bytes> answer(const Call& call, const SetContactRequest& request) {
  if (request.agent == call.caller.identity.agent) return fail(Errc::denied, "own agent id");
  SW_CHECK(set_contact(call.core, call.caller, request.agent, request.contact));
  return frames::done(call.id);
}

Result<Bytes> answer(const Call& call, const ListContactsRequest&) {
  return frames::contacts(call.id, call.caller);
}

Result<Bytes> answer(const Call& call, const IssueInviteRequest& request) {
  Core& core = call.core;
  if (request.expires <= core.now || request.expires > core.now + limits::kInviteLifetimeMs)
    return fail(Errc::invite_invalid, "expiry");
  if (core.directory.find_invite(request.key) != nullptr)
    return fail(Errc::invite_invalid, "the key is in use");
  if (call.caller.invites >= core.config.invites_max) return fail(Errc::quota_exceeded, "invites");
  const InviteRecord invite{request.key, call.caller.number, request.expires};
  core.directory.put_invite(invite);
  core.changes.invites.insert(invite.key);
  core.changes.add(PutInvite{invite});
  return frames::done(call.id);
}

Result<Bytes> answer(const Call& call, const RedeemRequest& request) {
  if (request.verified.agent != call.caller.identity.agent ||
      request.verified.transcript != call.session.transcript)
    return fail(Errc::invite_invalid, "of another agent or session");
  SW_CHECK(redeem(call.core, call.caller, request.redemption, request.verified.invite));
  return frames::done(call.id);
}

Result<Bytes> answer(const Call& call, const GetConversationRequest& request) {
  SW_TRY(const Conversation* conversation, call.core.conversations.find(request.conversation));
  if (conversation == nullptr) return fail(Errc::conversation_unknown);
  if (conversation->member(call.caller.number) == nullptr) return fail(Errc::not_a_member);
  return frames::conversation(call.id, conversation->record,
                              conversation->head(call.caller.number));
}

}  // namespace

Bytes answer_call(Core& core, Session& session, const Called& called) {
  const Call call{core, session, core.agent_of(session), called.id};
  ++core.metrics.calls;
  Result<Bytes> reply = fail(Errc::rate_limited);
  if (called.refused)
    reply = fail(*called.refused);
  else if (call.caller.calls.take(core.config.calls, 1, core.now))
    reply =
        std::visit([&call](const auto& request) { return answer(call, request); }, called.request);
  if (reply) return std::move(*reply);
  ++core.metrics.calls_refused;
  core.log.write(LogLevel::info, "call refused: " + std::string(name(reply.error().code)) + " " +
                                     reply.error().detail);
  return frames::refused(called.id, wire_code(reply.error().code));
}

Result<Agent*> redeemable(Core& core, const AgentId& invitee, const InviteKey& key) {
  const InviteRecord* invite = core.directory.find_invite(key);
  if (invite == nullptr || invite->expires <= core.now)
    return fail(Errc::invite_invalid, "unknown, used or expired");
  Agent* inviter = core.directory.at(invite->inviter);
  if (inviter == nullptr || inviter->identity.agent == invitee ||
      inviter->contact_of(invitee) == Contact::blocked)
    return fail(Errc::invite_invalid, "not for this agent");
  if (inviter->contacts.size() >= core.config.contacts_max)
    return fail(Errc::quota_exceeded, "contacts of the inviter");
  return inviter;
}

Result<> redeem(Core& core, Agent& invitee, const SignedStatement& redemption,
                const InviteKey& key) {
  SW_TRY(Agent * inviter, redeemable(core, invitee.identity.agent, key));
  SW_CHECK(set_contact(core, invitee, inviter->identity.agent, Contact::allowed));
  SW_CHECK(set_contact(core, *inviter, invitee.identity.agent, Contact::allowed));
  core.directory.drop_invite(key);
  core.changes.invites.insert(key);
  core.changes.add(DropInvite{key});
  put_notice(core, *inviter, ItemType::redeemed,
             encode_statements({&redemption, &invitee.identity.inception}));
  return {};
}

}  // namespace sealwire::broker

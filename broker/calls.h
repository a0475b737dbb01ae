// The calls of a session: key packages, contacts, invites, conversations (SPEC DLV "Calls").
#pragma once

#include "broker/core.h"

namespace sealwire::broker {

/// Decides one call and gives the Reply that is sent once its changes are on disk.
Bytes answer_call(Core& core, Session& session, const Called& call);

/// Whether the agent may redeem the invite: the inviter, if so. Fails with invite_invalid or
/// quota_exceeded.
Result<Agent*> redeemable(Core& core, const AgentId& invitee, const InviteKey& invite);

/// Makes inviter and invitee contacts of each other and tells the inviter (KEY-022, KEY-023).
/// Fails with invite_invalid or quota_exceeded.
Result<> redeem(Core& core, Agent& invitee, const SignedStatement& redemption,
                const InviteKey& invite);

}  // namespace sealwire::broker

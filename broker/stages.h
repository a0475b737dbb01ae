// The life of an envelope in three functions, bodies in pipeline.cpp: the only caller of the
// stages.
#pragma once

#include "broker/core.h"
#include "broker/doorway.h"

namespace sealwire::broker {

/// What came of one message.
struct Ingressed {
  std::optional<Bytes> answer;  // to be sent at once: Challenge
  std::optional<Event> event;   // for the router
};

/// bytes → Frame → Envelope → VerifiedEnvelope, or a session's event. On the connection's I/O
/// thread. An error ends the connection.
Result<Ingressed> ingress(Doorway& door, ByteSpan message, UnixMillis now);

/// VerifiedEnvelope → AuthorizedEnvelope → SequencedEnvelope → RoutePlan; for the other events,
/// what they change. On the router's thread, at `core.now`. Nothing that must wait for the disk
/// leaves.
void decide(Core& core, Event event);

/// After the commit: Accepted (made by the committer), Rejected, Reply, Ready, Deliver.
void settle(Core& core, std::vector<Consequence> consequences);

/// After a failed commit: everything that would have followed is refused with `why`.
void refuse_all(Core& core, const std::vector<Consequence>& consequences, const Error& why);

}  // namespace sealwire::broker

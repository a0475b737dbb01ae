// Stage: → Delivery. What is on disk goes to its receiver: from memory while the receiver keeps up,
// from the store when it does not; never beyond its credit, never ahead of its policy.
#pragma once

#include "broker/core.h"

namespace sealwire::broker {

/// A committed entry: delivered now if its owner is connected and has been given all before it.
void deliver_fresh(Core& core, const MailboxEntry& entry);
/// A transient: now or never.
void deliver_passing(Core& core, const Passing& passing);

/// Delivers stored entries to `session` while it has credit: one read's worth. Puts it on, or takes
/// it off, the backlog. An entry that may not be delivered any more (expired, or its sender is no
/// longer allowed) is buried first, and delivery waits for that commit.
void deliver_stored(Core& core, Session& session);

/// Makes Deliver frames of what was collected for the session.
void flush(Core& core, Session& session);

}  // namespace sealwire::broker

// What waits too long, or may no longer be delivered, becomes a tombstone, and its sender is told.
#pragma once

#include "broker/core.h"

namespace sealwire::broker {

/// Decides that a waiting envelope is replaced by its tombstone, and the Refused item for its
/// sender (DLV-027, DLV-029). Does nothing if that has been decided.
void bury(Core& core, const MailboxEntry& entry, Errc why);

/// Buries what has expired, some at a time; drops invites that have. True if more may have expired.
bool sweep(Core& core);

}  // namespace sealwire::broker

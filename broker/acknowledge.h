// What a receiver says of its mailbox: done up to here, or this one could not be processed.
#pragma once

#include "broker/core.h"

namespace sealwire::broker {

/// Fails with frame_unexpected for a sequence that was not delivered in this session (DLV-025).
Result<> acknowledge(Core& core, Session& session, std::uint64_t sequence);

/// Forwards the receiver's refusal to the sender. The entry counts as acknowledged, those before it
/// do not. Fails with frame_unexpected if it was not delivered or is not the entry that the refusal
/// names.
Result<> refuse(Core& core, Session& session, const Nacked& nack);

/// The resume cursor of a handshake (DLV-026). Fails with frame_unexpected for one beyond the
/// mailbox's end (DLV-035).
Result<> resume(Core& core, Agent& agent, const handshake::ProvenPeer& peer);

}  // namespace sealwire::broker

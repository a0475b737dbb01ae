// A sender's chain in one incarnation of a conversation (ENV-030 to ENV-034).
#pragma once

#include "broker/store/store.h"
#include "protocol/envelope/envelope.h"

namespace sealwire::broker {

/// Whether `header` stands where the chain that ends in `head` (null: has not begun) goes on. It is
/// the same question for a chained envelope, which takes the position, and a transient, which names
/// it. Fails with chain_broken.
Result<> check_position(const ChainHead* head, const Header& header);

/// The chain's end once `envelope` is part of it.
ChainHead advance(const Envelope& envelope);

}  // namespace sealwire::broker

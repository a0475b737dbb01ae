// The channel within one process, and the template for others: memory://name, no options. It has no
// binding. Each listener and each dialled connection makes its callbacks on a thread of its own.
#pragma once

#include "adapters/channels/channel.h"

namespace sealwire::channel {

const Channel& memory_channel();

}  // namespace sealwire::channel

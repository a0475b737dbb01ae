// Every channel there is: adding one adds its folder and one line in registry.cpp.
#pragma once

#include <span>

#include "adapters/channels/channel.h"

namespace sealwire::channel {

std::span<const Channel* const> all_channels();

/// The channel whose scheme `uri` has, or null.
const Channel* find_channel(std::string_view uri);

}  // namespace sealwire::channel

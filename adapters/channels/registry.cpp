#include "adapters/channels/registry.h"

#include <array>

#include "adapters/channels/memory/memory.h"
#include "adapters/channels/telegram/telegram.h"
#include "adapters/channels/websocket/websocket.h"
#include "adapters/channels/zeromq/zeromq.h"

namespace sealwire::channel {

std::span<const Channel* const> all_channels() {
  static const std::array<const Channel*, 4> channels{
      &memory_channel(),
      &telegram_channel(),
      &websocket_channel(),
      &zeromq_channel(),
  };
  return channels;
}

const Channel* find_channel(std::string_view uri) {
  const auto scheme = uri.substr(0, uri.find("://"));
  for (const auto* channel : all_channels()) {
    for (const auto known : channel->schemes()) {
      if (known == scheme) return channel;
    }
  }
  return nullptr;
}

}  // namespace sealwire::channel

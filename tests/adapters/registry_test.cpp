#include "adapters/channels/registry.h"

#include <gtest/gtest.h>

#include <set>

namespace sealwire::channel {
namespace {

TEST(Registry, FindsEveryChannelByEachOfItsSchemesAndNoOther) {
  std::set<std::string_view> schemes;
  for (const auto* channel : all_channels()) {
    for (const auto scheme : channel->schemes()) {
      EXPECT_TRUE(schemes.insert(scheme).second) << scheme << " is taken twice";
      EXPECT_EQ(find_channel(std::string(scheme) + "://x"), channel);
    }
  }
  EXPECT_EQ(schemes, (std::set<std::string_view>{"memory", "telegram", "ws", "wss", "tcp"}));
  for (const auto* uri : {"", "http://x", "://x", "w://x", "wsss://x"})
    EXPECT_EQ(find_channel(uri), nullptr) << uri;
}

}  // namespace
}  // namespace sealwire::channel

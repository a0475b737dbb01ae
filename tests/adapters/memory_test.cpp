#include "adapters/channels/memory/memory.h"

#include <atomic>

#include "adapters/channels/contract_suite.h"

namespace sealwire::channel::contract {
namespace {

ContractCase memory_case() {
  ContractCase result;
  result.name = "memory";
  result.channel = &memory_channel();
  result.listen = [] {
    static std::atomic<int> names = 0;
    Endpoint endpoint;
    endpoint.uri = "memory://listener-" + std::to_string(++names);
    return endpoint;
  };
  result.nobody_uri = "memory://nobody";
  return result;
}

INSTANTIATE_TEST_SUITE_P(Memory, ChannelContract, testing::Values(memory_case()), case_name);

TEST(MemoryChannel, ANameIsListenedOnOnce) {
  Recorder recorder;
  const Endpoint endpoint{.uri = "memory://once", .options = {}, .limits = {}};
  const auto first = memory_channel().listen(endpoint, recorder);
  ASSERT_TRUE(first.has_value());
  const auto second = memory_channel().listen(endpoint, recorder);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::connect_failed);
}

}  // namespace
}  // namespace sealwire::channel::contract

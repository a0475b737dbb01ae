// The contract suite on Telegram's sealed mode, through the double of the Bot API.
#include "adapters/channels/telegram/telegram.h"

#include "adapters/channels/contract_suite.h"
#include "tests/adapters/telegram/telegram_double.h"

namespace sealwire::channel::contract {
namespace {

using test::TelegramDouble;

ContractCase telegram_case() {
  const auto& telegram = TelegramDouble::shared();
  ContractCase result;
  result.name = "sealed";
  result.channel = &telegram_channel();
  result.listen = [&telegram] {
    Endpoint endpoint;
    endpoint.uri = TelegramDouble::uri(TelegramDouble::kBroker);
    endpoint.options = telegram.options(TelegramDouble::kBroker);
    return endpoint;
  };
  result.dial_options = telegram.options(TelegramDouble::kAgent);
  result.nobody_uri = "telegram://777";
  return result;
}

std::vector<ContractCase> cases() {
  if (!TelegramDouble::available()) return {};
  return {telegram_case()};
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ChannelContract);
INSTANTIATE_TEST_SUITE_P(Telegram, ChannelContract, testing::ValuesIn(cases()), case_name);

}  // namespace
}  // namespace sealwire::channel::contract

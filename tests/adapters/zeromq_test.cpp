#include "adapters/channels/zeromq/zeromq.h"

#include "adapters/channels/contract_suite.h"
#include "adapters/channels/zeromq/curve.h"

namespace sealwire::channel::contract {
namespace {

const std::string kSecret(64, '7');

ContractCase plain_case() {
  ContractCase result;
  result.name = "tcp";
  result.channel = &zeromq_channel();
  result.listen = [] {
    Endpoint endpoint;
    endpoint.uri = "tcp://127.0.0.1:0";
    return endpoint;
  };
  result.nobody_uri = "tcp://127.0.0.1:1";
  result.insecure_uri = "tcp://192.0.2.1:5000";
  return result;
}

ContractCase curve_case(std::string name, unsigned threads) {
  ContractCase result;
  result.name = std::move(name);
  result.channel = &zeromq_channel();
  result.listen = [threads] {
    Endpoint endpoint;
    endpoint.uri = "tcp://127.0.0.1:0";
    endpoint.options = {{"curve_secret", kSecret}};
    endpoint.threads = threads;
    return endpoint;
  };
  result.nobody_uri = "tcp://127.0.0.1:1?curve=" + std::string(64, 'a');
  return result;
}

INSTANTIATE_TEST_SUITE_P(ZeroMq, ChannelContract,
                         testing::Values(plain_case(), curve_case("curve", 1),
                                         curve_case("curve_two_threads", 2)),
                         case_name);

}  // namespace
}  // namespace sealwire::channel::contract

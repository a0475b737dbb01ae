#include "adapters/channels/websocket/websocket.h"

#include "adapters/channels/contract_suite.h"
#include "tests/adapters/test_certificate.h"

namespace sealwire::channel::contract {
namespace {

ContractCase plain_case() {
  ContractCase result;
  result.name = "ws";
  result.channel = &websocket_channel();
  result.listen = [] {
    Endpoint endpoint;
    endpoint.uri = "ws://127.0.0.1:0/";
    return endpoint;
  };
  result.nobody_uri = "ws://127.0.0.1:1/";
  result.insecure_uri = "ws://192.0.2.1:80/";
  return result;
}

ContractCase tls_case(std::string name, unsigned threads) {
  ContractCase result;
  result.name = std::move(name);
  result.channel = &websocket_channel();
  result.listen = [threads] {
    Endpoint endpoint;
    endpoint.uri = "wss://127.0.0.1:0/agents";
    endpoint.options = {{"certificate_file", test_certificate().certificate_file},
                        {"private_key_file", test_certificate().private_key_file}};
    endpoint.threads = threads;
    return endpoint;
  };
  result.dial_options = {{"ca_file", test_certificate().certificate_file}};
  result.nobody_uri = "wss://127.0.0.1:1/";
  return result;
}

INSTANTIATE_TEST_SUITE_P(WebSocket, ChannelContract,
                         testing::Values(plain_case(), tls_case("wss", 1),
                                         tls_case("wss_two_threads", 2)),
                         case_name);

}  // namespace
}  // namespace sealwire::channel::contract

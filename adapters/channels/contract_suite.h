// What every channel must do, as one GoogleTest suite. A channel is done when
//   INSTANTIATE_TEST_SUITE_P(Mine, ChannelContract, Values(my_case()), case_name);
// passes; link sealwire_channel_contract.
#pragma once

#include <gtest/gtest.h>

#include "adapters/channels/channel.h"
#include "adapters/channels/contract_recorder.h"

namespace sealwire::channel::contract {

struct ContractCase {
  std::string name;
  const Channel* channel = nullptr;
  std::function<Endpoint()> listen;  // each call: an endpoint that is free
  std::map<std::string, std::string> dial_options;
  std::string nobody_uri;    // well-formed, and nobody is there
  std::string insecure_uri;  // plaintext off loopback; empty where the channel has none
};

inline std::string case_name(const testing::TestParamInfo<ContractCase>& info) {
  return info.param.name;
}

/// A listener, and as many dialled connections as a test wants.
class ChannelContract : public testing::TestWithParam<ContractCase> {
 protected:
  struct Pair {
    ConnectionPtr listening;
    ConnectionPtr dialling;
  };

  void TearDown() override;
  void listen(const Limits& limits = {});
  void dial(const Limits& limits = {});
  /// Dials and waits until both ends are open.
  Pair open(const Limits& limits = {});
  /// `open`, then both ends promoted as after a handshake.
  Pair open_promoted(const Limits& limits = {});
  void expect_cap_before_proof(std::size_t Limits::*cap);
  Pair promote(const Pair& pair);
  Endpoint dial_endpoint(const std::string& uri, const Limits& limits = {}) const;

  Recorder at_listener_;
  Recorder at_dialler_;
  std::unique_ptr<Running> listening_;
  std::vector<std::unique_ptr<Running>> dialled_;
};

}  // namespace sealwire::channel::contract

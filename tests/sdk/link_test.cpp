// What an agent holds for its core before the core has taken it.
#include "sdk/cpp/agent/link.h"

#include <gtest/gtest.h>

#include "adapters/channels/contract_recorder.h"
#include "adapters/channels/memory/memory.h"

namespace sealwire {
namespace {

using channel::contract::Recorder;

class LinkTest : public testing::Test {
 protected:
  void SetUp() override {
    channel::Endpoint endpoint;
    endpoint.uri = "memory://link";
    auto listening = channel::memory_channel().listen(endpoint, broker_);
    ASSERT_TRUE(listening) << listening.error().detail;
    listening_ = std::move(*listening);
    ASSERT_TRUE(link_.dial(endpoint));
    connection_ = broker_.wait_open();
    connection_->promote();
  }
  /// True once the frame is on its way; false when the connection has closed.
  bool broker_sends(std::size_t bytes) {
    return channel::contract::send_patiently(connection_, Bytes(bytes)) == channel::Sent::taken;
  }

  Recorder broker_;
  std::unique_ptr<channel::Running> listening_;
  std::atomic<std::size_t> frames_ = 0;
  std::atomic<bool> taking_ = false;
  Link link_{1, [this](LinkEvent event) {
               if (event.kind == LinkEvent::Kind::open) event.connection->promote();
               if (event.kind != LinkEvent::Kind::bytes) return;
               ++frames_;
               if (taking_) link_.taken(event.bytes.size());
             }};
  channel::ConnectionPtr connection_;
};

TEST_F(LinkTest, ABrokerThatSendsBeyondWhatTheAgentTakesIsCutOff) {
  constexpr std::size_t kFrame = limits::kFrameBytes / 2;
  std::size_t sent = 0;
  while (sent < 64 && broker_sends(kFrame))
    ++sent;
  broker_.wait_close(connection_);
  EXPECT_EQ(frames_, kInboundBytesMax / kFrame - 1);
}

TEST_F(LinkTest, SmallFramesCostMemoryToo) {
  while (broker_sends(1) && frames_ < kInboundBytesMax)
    continue;
  broker_.wait_close(connection_);
  EXPECT_LE(frames_, kInboundBytesMax / 256);
}

TEST_F(LinkTest, WhatIsTakenMakesRoomForMore) {
  taking_ = true;
  for (int i = 0; i < 64; ++i)
    ASSERT_TRUE(broker_sends(limits::kFrameBytes / 2));
  EXPECT_FALSE(broker_.has_closed(connection_));
}

}  // namespace
}  // namespace sealwire

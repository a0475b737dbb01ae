// Frames: whole, in order, within limits, and with back-pressure.
#include <thread>

#include "adapters/channels/contract_frames.h"

namespace sealwire::channel::contract {

TEST_P(ChannelContract, FramesArriveWholeAndInOrderBothWaysBeforeProof) {
  const std::vector<std::size_t> sizes{1,           2, 125, 126, 127, 1000, 4096, kSmallFrames - 1,
                                       kSmallFrames};
  listen(small_limits());
  const auto pair = open(small_limits());
  exchange(pair.dialling, at_listener_, pair.listening, sizes);
  exchange(pair.listening, at_dialler_, pair.dialling, sizes);
}

TEST_P(ChannelContract, FramesArriveWholeAndInOrderBothWaysAfterProof) {
  const std::vector<std::size_t> sizes{1,     125,    126,   kSmallFrames + 1, 65535,
                                       65536, 200000, 65537, kLargeFrames,     3};
  listen(small_limits());
  const auto pair = open_promoted(small_limits());
  exchange(pair.dialling, at_listener_, pair.listening, sizes);
  exchange(pair.listening, at_dialler_, pair.dialling, sizes);
}

TEST_P(ChannelContract, OrderHoldsWhileBothEndsSendAcrossPromotion) {
  constexpr std::uint32_t kFrames = 400;
  const Bytes hello{'h'}, ready{'r'};
  const auto stream = [](const ConnectionPtr& connection) {
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      ASSERT_EQ(send_patiently(connection, numbered(i % 50 == 49 ? kSmallFrames * 2 : 40, i)),
                Sent::taken);
    }
  };
  std::thread listener_stream;
  at_listener_.set_hook([&](const ConnectionPtr& connection, ByteSpan frame) {
    if (to_bytes(frame) != hello) return;
    connection->promote();
    ASSERT_EQ(send(connection, ready), Sent::taken);
    listener_stream = std::thread(stream, connection);
  });
  std::thread dialler_stream;
  at_dialler_.set_hook([&](const ConnectionPtr& connection, ByteSpan frame) {
    if (to_bytes(frame) != ready) return;
    connection->promote();
    dialler_stream = std::thread(stream, connection);
  });
  listen();
  const auto pair = open();
  ASSERT_EQ(send(pair.dialling, hello), Sent::taken);
  const auto at_listener = at_listener_.wait_frames(pair.listening, kFrames + 1);
  const auto at_dialler = at_dialler_.wait_frames(pair.dialling, kFrames + 1);
  if (listener_stream.joinable()) listener_stream.join();
  if (dialler_stream.joinable()) dialler_stream.join();
  ASSERT_EQ(at_listener.size(), kFrames + 1);
  ASSERT_EQ(at_dialler.size(), kFrames + 1);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    ASSERT_EQ(number_of(at_listener[i + 1]), i);
    ASSERT_EQ(number_of(at_dialler[i + 1]), i);
  }
}

TEST_P(ChannelContract, FrameOverTheLimitBeforeProofClosesByNameAndOthersAreServed) {
  listen(small_limits());
  const auto other = open(small_limits());
  const auto pair = open(unbounded_limits());
  send(pair.dialling, Bytes(kSmallFrames + 1, 7));
  EXPECT_EQ(at_listener_.wait_close(pair.listening).code, Errc::frame_too_large);
  at_dialler_.wait_close(pair.dialling);
  exchange(other.dialling, at_listener_, other.listening, {10});
}

TEST_P(ChannelContract, FrameOverTheLimitAfterProofClosesByNameAndOthersAreServed) {
  listen(small_limits());
  const auto other = open_promoted(small_limits());
  const auto pair = open_promoted(unbounded_limits());
  send(pair.dialling, Bytes(kLargeFrames + 1, 7));
  EXPECT_EQ(at_listener_.wait_close(pair.listening).code, Errc::frame_too_large);
  at_dialler_.wait_close(pair.dialling);
  exchange(other.dialling, at_listener_, other.listening, {10});
}

TEST_P(ChannelContract, TheDiallingEndKeepsToItsLimitToo) {
  listen(unbounded_limits());
  const auto pair = open(small_limits());
  send(pair.listening, Bytes(kSmallFrames + 1, 7));
  EXPECT_EQ(at_dialler_.wait_close(pair.dialling).code, Errc::frame_too_large);
}

TEST_P(ChannelContract, SendingOverTheOwnLimitClosesByName) {
  listen(small_limits());
  const auto pair = open(small_limits());
  EXPECT_EQ(send(pair.listening, Bytes(kSmallFrames + 1, 7)), Sent::closed);
  EXPECT_EQ(at_listener_.wait_close(pair.listening).code, Errc::frame_too_large);
  at_dialler_.wait_close(pair.dialling);
}

TEST_P(ChannelContract, FullThenWritableWhenThePeerDoesNotReadAndOthersAreServed) {
  constexpr std::size_t kFrame = 64 * 1024, kBuffer = 512 * 1024, kTransportMax = 128 * 1024 * 1024;
  auto limits = small_limits();
  limits.buffered_bytes = kBuffer;
  listen(limits);
  const auto pair = open_promoted(limits);
  at_dialler_.hold();
  std::uint32_t taken = 0;
  auto sent = Sent::taken;
  while (sent == Sent::taken && taken * kFrame < kTransportMax) {
    // The pause lets the transport fill: full must come from its bound, not from our haste.
    if (taken % 4 == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    sent = send(pair.listening, numbered(kFrame, taken));
    if (sent == Sent::taken) ++taken;
  }
  ASSERT_EQ(sent, Sent::full);
  at_dialler_.release();
  ASSERT_TRUE(at_listener_.wait_writable(pair.listening));
  ASSERT_EQ(send(pair.listening, numbered(kFrame, taken)), Sent::taken);
  const auto frames = at_dialler_.wait_frames(pair.dialling, taken + 1);
  for (std::uint32_t i = 0; i <= taken; ++i)
    ASSERT_EQ(number_of(frames.at(i)), i);
}

TEST_P(ChannelContract, APeerThatDoesNotReadDoesNotStopAnother) {
  constexpr std::size_t kFrame = 64 * 1024;
  auto limits = small_limits();
  limits.buffered_bytes = 512 * 1024;
  listen(limits);
  const auto deaf = open_promoted(limits);
  Recorder at_other;
  auto other = GetParam().channel->dial(dial_endpoint(listening_->uri(), limits), at_other);
  ASSERT_TRUE(other.has_value());
  const auto dialling = at_other.wait_open();
  const auto listening = at_listener_.wait_open(2);
  promote({listening, dialling});
  at_dialler_.hold();
  for (int i = 0; i < 4000 && send(deaf.listening, Bytes(kFrame, 1)) == Sent::taken;)
    ++i;
  exchange(listening, at_other, dialling, {1, 1000, kSmallFrames * 2});
  exchange(dialling, at_listener_, listening, {1, 1000, kSmallFrames * 2});
  at_dialler_.release();
  other->reset();
  EXPECT_EQ(at_other.violations(), std::vector<std::string>());
}

TEST_P(ChannelContract, CloseSendsWhatWasTaken) {
  constexpr std::uint32_t kFrames = 30;
  listen();
  const auto pair = open_promoted();
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    ASSERT_EQ(send_patiently(pair.listening, numbered(20000, i)), Sent::taken);
  }
  pair.listening->close("flushed");
  EXPECT_EQ(send(pair.listening, {1}), Sent::closed);
  EXPECT_EQ(at_dialler_.wait_close(pair.dialling).code, Errc::closed);
  EXPECT_EQ(at_dialler_.wait_frames(pair.dialling, kFrames).size(), kFrames);
}

TEST_P(ChannelContract, AnyThreadMaySendAndEachThreadsOrderIsKept) {
  constexpr std::uint32_t kThreads = 4, kFrames = 500;
  listen();
  const auto pair = open_promoted();
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < kFrames; ++i) {
        ASSERT_EQ(send_patiently(pair.dialling, numbered(32, t * kFrames + i)), Sent::taken);
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  std::vector<std::uint32_t> next(kThreads, 0);
  for (const auto& frame : at_listener_.wait_frames(pair.listening, kThreads * kFrames)) {
    const auto number = number_of(frame);
    ASSERT_EQ(number % kFrames, next.at(number / kFrames)++);
  }
}

TEST_P(ChannelContract, SendAndCloseFromWithinCallbacksDoNotReenter) {
  constexpr std::uint8_t kRounds = 50;
  const auto bounce = [](const ConnectionPtr& connection, ByteSpan frame) {
    if (frame[0] == kRounds) {
      connection->close("enough");
    } else {
      send(connection, {static_cast<std::uint8_t>(frame[0] + 1)});
    }
  };
  at_listener_.set_hook(bounce);
  at_dialler_.set_hook(bounce);
  listen();
  const auto pair = open();
  send(pair.dialling, {0});
  EXPECT_EQ(at_dialler_.wait_close(pair.dialling).code, Errc::closed);
  EXPECT_EQ(at_listener_.wait_close(pair.listening).code, Errc::closed);
}

}  // namespace sealwire::channel::contract

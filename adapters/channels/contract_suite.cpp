#include "adapters/channels/contract_suite.h"

#include <thread>

namespace sealwire::channel::contract {
namespace {

constexpr std::size_t kSmallFrames = 16 * 1024;
constexpr std::size_t kLargeFrames = 1024 * 1024;

Limits small_limits() {
  Limits limits;
  limits.frame_bytes_before_proof = kSmallFrames;
  limits.frame_bytes = kLargeFrames;
  return limits;
}

// A peer whose own limits do not keep it from sending what the other end refuses.
Limits unbounded_limits() {
  Limits limits;
  limits.frame_bytes_before_proof = limits.frame_bytes = 2 * kLargeFrames;
  return limits;
}

Bytes numbered(std::size_t size, std::uint32_t number) {
  Bytes frame(size, static_cast<std::uint8_t>(number * 31 + size));
  for (std::size_t i = 0; i < 4 && i < size; ++i)
    frame[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return frame;
}

std::uint32_t number_of(const Bytes& frame) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number |= static_cast<std::uint32_t>(frame.at(i)) << (8 * i);
  return number;
}

// Equality without printing megabytes when it fails.
void expect_frames(const std::vector<Bytes>& got, const std::vector<Bytes>& sent) {
  ASSERT_EQ(got.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_TRUE(got[i] == sent[i])
        << "frame " << i << ": " << got[i].size() << " bytes for " << sent[i].size();
  }
}

void exchange(const ConnectionPtr& from, Recorder& to_at, const ConnectionPtr& to,
              const std::vector<std::size_t>& sizes) {
  std::vector<Bytes> sent;
  for (const auto size : sizes) {
    sent.push_back(numbered(size, static_cast<std::uint32_t>(sent.size())));
    ASSERT_EQ(send_patiently(from, sent.back()), Sent::taken);
  }
  expect_frames(to_at.wait_frames(to, sent.size()), sent);
}

}  // namespace

void ChannelContract::TearDown() {
  at_listener_.release();
  at_dialler_.release();
  dialled_.clear();
  listening_ = nullptr;
  EXPECT_EQ(at_listener_.violations(), std::vector<std::string>());
  EXPECT_EQ(at_dialler_.violations(), std::vector<std::string>());
}

void ChannelContract::listen(const Limits& limits) {
  auto endpoint = GetParam().listen();
  endpoint.limits = limits;
  auto running = GetParam().channel->listen(endpoint, at_listener_);
  ASSERT_TRUE(running.has_value()) << running.error().detail;
  listening_ = std::move(*running);
}

Endpoint ChannelContract::dial_endpoint(const std::string& uri, const Limits& limits) const {
  Endpoint endpoint;
  endpoint.uri = uri;
  endpoint.options = GetParam().dial_options;
  endpoint.limits = limits;
  return endpoint;
}

void ChannelContract::dial(const Limits& limits) {
  auto running = GetParam().channel->dial(dial_endpoint(listening_->uri(), limits), at_dialler_);
  ASSERT_TRUE(running.has_value()) << running.error().detail;
  dialled_.push_back(std::move(*running));
}

ChannelContract::Pair ChannelContract::open(const Limits& limits) {
  const auto listening = at_listener_.opened() + 1;
  const auto dialling = at_dialler_.opened() + 1;
  dial(limits);
  return {at_listener_.wait_open(listening), at_dialler_.wait_open(dialling)};
}

ChannelContract::Pair ChannelContract::promote(const Pair& pair) {
  pair.listening->promote();
  pair.dialling->promote();
  return pair;
}

ChannelContract::Pair ChannelContract::open_promoted(const Limits& limits) {
  return promote(open(limits));
}

TEST_P(ChannelContract, OpensBothEndsAndClosesEachOnceInOrder) {
  listen();
  const auto pair = open();
  ASSERT_EQ(send(pair.dialling, {1}), Sent::taken);
  at_listener_.wait_frames(pair.listening, 1);
  pair.dialling->close("done");
  pair.dialling->close("done twice");
  EXPECT_EQ(at_dialler_.wait_close(pair.dialling).code, Errc::closed);
  EXPECT_EQ(at_listener_.wait_close(pair.listening).code, Errc::closed);
}

TEST_P(ChannelContract, TheListeningEndCanCloseToo) {
  listen();
  const auto pair = open_promoted();
  pair.listening->close("go");
  const auto error = at_dialler_.wait_close(pair.dialling);
  EXPECT_EQ(error.code, Errc::closed);
  EXPECT_NE(error.detail.find("go"), std::string::npos) << error.detail;
  EXPECT_EQ(at_listener_.wait_close(pair.listening).code, Errc::closed);
}

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

TEST_P(ChannelContract, CallsAfterTheCloseDoNothing) {
  listen();
  const auto pair = open();
  pair.listening->close("over");
  at_listener_.wait_close(pair.listening);
  at_dialler_.wait_close(pair.dialling);
  for (const auto& connection : {pair.listening, pair.dialling}) {
    EXPECT_EQ(send(connection, {1}), Sent::closed);
    connection->promote();
    connection->close("again");
  }
  dialled_.clear();
  listening_ = nullptr;
  for (const auto& connection : {pair.listening, pair.dialling}) {
    EXPECT_EQ(send(connection, {1}), Sent::closed);
    connection->promote();
    connection->close("again");
  }
}

TEST_P(ChannelContract, DialToNobodyEndsInConnectFailed) {
  Limits limits;
  limits.handshake_ms = 300;
  auto running =
      GetParam().channel->dial(dial_endpoint(GetParam().nobody_uri, limits), at_dialler_);
  ASSERT_TRUE(running.has_value()) << running.error().detail;
  EXPECT_EQ(at_dialler_.wait_failure().code, Errc::connect_failed);
  running->reset();
  EXPECT_EQ(at_dialler_.callbacks(), 1u);
}

TEST_P(ChannelContract, DestructionWhileBusyClosesAndNoCallbackFollows) {
  listen();
  const auto pair = open_promoted();
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (const auto& connection : {pair.listening, pair.dialling}) {
    threads.emplace_back([&stop, connection] {
      while (!stop)
        send(connection, Bytes(5000, 1));
    });
  }
  at_listener_.wait_frames(pair.listening, 20);
  dialled_.clear();
  EXPECT_TRUE(at_dialler_.has_closed(pair.dialling));
  const auto callbacks = at_dialler_.callbacks();
  listening_ = nullptr;
  EXPECT_TRUE(at_listener_.has_closed(pair.listening));
  EXPECT_EQ(at_dialler_.callbacks(), callbacks);
  stop = true;
  for (auto& thread : threads)
    thread.join();
}

TEST_P(ChannelContract, DestructionOfTheListenerFirstClosesTheDiallingEnd) {
  listen();
  const auto pair = open();
  listening_ = nullptr;
  EXPECT_TRUE(at_listener_.has_closed(pair.listening));
  EXPECT_EQ(at_dialler_.wait_close(pair.dialling).code, Errc::closed);
}

TEST_P(ChannelContract, PlaintextOffLoopbackIsRefused) {
  if (GetParam().insecure_uri.empty()) GTEST_SKIP() << "this case has no plaintext";
  auto endpoint = dial_endpoint(GetParam().insecure_uri);
  const auto dialled = GetParam().channel->dial(endpoint, at_dialler_);
  ASSERT_FALSE(dialled.has_value());
  EXPECT_EQ(dialled.error().code, Errc::transport_insecure);
  endpoint.options.clear();
  const auto listening = GetParam().channel->listen(endpoint, at_listener_);
  ASSERT_FALSE(listening.has_value());
  EXPECT_EQ(listening.error().code, Errc::transport_insecure);
}

TEST_P(ChannelContract, AnUnknownOptionIsRefusedByName) {
  auto endpoint = GetParam().listen();
  endpoint.options["certificat"] = "x";
  const auto listening = GetParam().channel->listen(endpoint, at_listener_);
  ASSERT_FALSE(listening.has_value());
  EXPECT_EQ(listening.error().code, Errc::config_invalid);
  EXPECT_NE(listening.error().detail.find("certificat"), std::string::npos);
  endpoint = dial_endpoint(GetParam().nobody_uri);
  endpoint.options["certificat"] = "x";
  const auto dialled = GetParam().channel->dial(endpoint, at_dialler_);
  ASSERT_FALSE(dialled.has_value());
  EXPECT_EQ(dialled.error().code, Errc::config_invalid);
}

TEST_P(ChannelContract, TheBindingIsEqualAtBothEndsAndDiffersPerConnection) {
  listen();
  const auto first = open();
  const auto second = open();
  EXPECT_EQ(first.listening->binding(), first.dialling->binding());
  EXPECT_EQ(second.listening->binding(), second.dialling->binding());
  if (first.listening->binding().type == BindingType::none) {
    EXPECT_TRUE(first.listening->binding().value.empty());
  } else {
    EXPECT_TRUE(GetParam().channel->capabilities().binding);
    EXPECT_NE(first.listening->binding(), second.listening->binding());
  }
}

TEST_P(ChannelContract, TheCapOnConnectionsHoldsAndAPlaceIsGivenBack) {
  Limits limits;
  limits.connections = 2;
  listen(limits);
  open();
  const auto pair = open();
  Limits brief;
  brief.handshake_ms = 1000;
  dial(brief);
  EXPECT_EQ(at_dialler_.wait_failure().code, Errc::connect_failed);
  pair.listening->close("make room");
  at_listener_.wait_close(pair.listening);
  at_dialler_.wait_close(pair.dialling);
  open();
}

TEST_P(ChannelContract, TheCapPerAddressCountsUnprovenConnectionsOnly) {
  Limits limits;
  limits.connections_per_address = 1;
  listen(limits);
  const auto pair = open();
  Limits brief;
  brief.handshake_ms = 1000;
  dial(brief);
  EXPECT_EQ(at_dialler_.wait_failure().code, Errc::connect_failed);
  pair.listening->promote();
  pair.dialling->promote();
  exchange(pair.dialling, at_listener_, pair.listening, {5});
  open();
}

TEST_P(ChannelContract, StopAcceptingRefusesNewConnectionsAndKeepsOpenOnes) {
  listen();
  const auto pair = open();
  listening_->stop_accepting();
  exchange(pair.dialling, at_listener_, pair.listening, {5});
  Limits brief;
  brief.handshake_ms = 1000;
  dial(brief);
  EXPECT_EQ(at_dialler_.wait_failure().code, Errc::connect_failed);
  exchange(pair.listening, at_dialler_, pair.dialling, {5});
}

}  // namespace sealwire::channel::contract

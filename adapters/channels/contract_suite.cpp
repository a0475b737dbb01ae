// Life of a connection: opening, closing, caps, options.
#include "adapters/channels/contract_suite.h"

#include <thread>

#include "adapters/channels/contract_frames.h"

namespace sealwire::channel::contract {

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
  const auto end = at_dialler_.wait_close(pair.dialling);
  EXPECT_EQ(end.code, Errc::closed) << end.detail;
}

TEST_P(ChannelContract, PlaintextOffLoopbackIsRefused) {
  if (GetParam().insecure_uri.empty()) return;  // no plaintext in this case: nothing to refuse
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

void ChannelContract::expect_cap_before_proof(std::size_t Limits::*cap) {
  Limits limits;
  limits.*cap = 1;
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

TEST_P(ChannelContract, TheCapOfStrangersCountsUnprovenConnectionsOnly) {
  expect_cap_before_proof(&Limits::unproven);
}

TEST_P(ChannelContract, TheCapPerAddressCountsUnprovenConnectionsOnly) {
  expect_cap_before_proof(&Limits::unproven_per_address);
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

// The handshake: both ends know each other afterwards, or neither goes on (SPEC SES).
#include "protocol/handshake/handshake.h"

#include <gtest/gtest.h>

#include "protocol/handshake/transcript.h"
#include "tests/support/envelopes.h"

namespace sealwire::handshake {
namespace {

using test::kNow;

const ChannelBinding kExporter{wire::Binding::tls_exporter, Bytes(32, 0x5a)};

class HandshakeTest : public testing::Test {
 protected:
  ClientParameters parameters() {
    ClientParameters p;
    p.inception = identity_.inception;
    p.agent = identity_.agent;
    p.broker = broker_.public_key<BrokerKey>();
    return p;
  }
  Client client(ChannelBinding binding, ClientParameters p) {
    return Client(key_, std::move(p), std::move(binding), random_);
  }
  Server server(ChannelBinding binding) { return Server(broker_, {}, std::move(binding), random_); }
  static Bytes ready_frame() {
    flatbuffers::FlatBufferBuilder b;
    const auto session = put(b, Bytes(16, 1));
    const auto incarnation = put(b, Bytes(16, 2));
    return finish_frame(b, wire::CreateReady(b, session, incarnation, kNow.value, 3, 9, 50));
  }
  test::SeededRandom random_{7};
  crypto::SigningKey broker_ = crypto::SigningKey::generate(random_);
  crypto::SigningKey key_ = crypto::SigningKey::generate(random_);
  crypto::SigningKey other_ = crypto::SigningKey::generate(random_);
  AgentIdentity identity_ = *verify_inception(make_inception(key_, kNow));
};

TEST_F(HandshakeTest, BoundSessionsProveBothEndsAndPassFramesThrough) {
  auto c = client(kExporter, parameters());
  auto s = server(kExporter);
  const auto challenge = s.on_hello(c.hello());
  ASSERT_TRUE(challenge) << challenge.error().detail;
  const auto proof = c.on_challenge(*challenge);
  ASSERT_TRUE(proof) << proof.error().detail;
  const auto peer = s.on_proof(*proof);
  ASSERT_TRUE(peer) << peer.error().detail;
  EXPECT_EQ(peer->identity.agent, identity_.agent);
  EXPECT_EQ(peer->identity.instance, identity_.instance);
  auto protection = std::move(s).protection();
  EXPECT_FALSE(protection.sealed());
  const auto ready = c.on_ready(protection.seal(ready_frame()));
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->mailbox_last, 9u);
  EXPECT_EQ(ready->broker, broker_.public_key<BrokerKey>());
}

TEST_F(HandshakeTest, SES_021_UnboundSessionsSealEveryFrameInOrder) {
  auto c = client({}, parameters());
  auto s = server({});
  const auto proof = c.on_challenge(*s.on_hello(c.hello()));
  ASSERT_TRUE(proof);
  ASSERT_TRUE(s.on_proof(*proof));
  auto broker_end = std::move(s).protection();
  ASSERT_TRUE(broker_end.sealed());
  const Bytes sealed = broker_end.seal(ready_frame());
  EXPECT_EQ(sealed.size(), ready_frame().size() + limits::kSealedFrameOverheadBytes);
  ASSERT_TRUE(c.on_ready(sealed));
  auto client_end = std::move(c).protection();

  const Bytes first = client_end.seal(to_bytes(as_bytes("one")));
  const Bytes second = client_end.seal(to_bytes(as_bytes("two")));
  EXPECT_EQ(broker_end.open(second).error().code, Errc::frame_unsealed) << "out of order";
  EXPECT_EQ(as_text(*broker_end.open(first)), "one");
  EXPECT_EQ(broker_end.open(first).error().code, Errc::frame_unsealed) << "replayed";
  EXPECT_EQ(client_end.open(second).error().code, Errc::frame_unsealed) << "reflected";
  Bytes changed = second;
  changed[0] ^= 1;
  EXPECT_EQ(broker_end.open(changed).error().code, Errc::frame_unsealed) << "changed";
  EXPECT_EQ(as_text(*broker_end.open(second)), "two");
}

TEST_F(HandshakeTest, SES_003_AClientThatCannotBindIsSealedOnABoundTransport) {
  auto c = client({}, parameters());
  auto s = server(kExporter);
  const auto proof = c.on_challenge(*s.on_hello(c.hello()));
  ASSERT_TRUE(proof);
  ASSERT_TRUE(s.on_proof(*proof));
  EXPECT_TRUE(std::move(s).protection().sealed());
}

TEST_F(HandshakeTest, SES_003_BindingsThatTheTransportHasNotAreRefused) {
  for (const auto& binding :
       {ChannelBinding{}, ChannelBinding{wire::Binding::curve, Bytes(64, 1)}}) {
    auto c = client(kExporter, parameters());
    EXPECT_EQ(server(binding).on_hello(c.hello()).error().code, Errc::binding_mismatch);
  }
}

TEST_F(HandshakeTest, DowngradedBindingInHelloIsFoundByTheClient) {
  auto c = client(kExporter, parameters());
  Bytes hello = c.hello();
  const auto frame = Frame::parse(hello, hello.size());
  auto* h = const_cast<wire::Hello*>(frame->as<wire::Hello>());
  // Rewrite the field in place, as somebody in the middle would.
  ASSERT_TRUE(h->binding() == wire::Binding::tls_exporter);
  auto* at = const_cast<std::uint8_t*>(
      reinterpret_cast<const flatbuffers::Table*>(h)->GetAddressOf(wire::Hello::VT_BINDING));
  *at = 0;
  const auto challenge = server(kExporter).on_hello(hello);
  ASSERT_TRUE(challenge);
  EXPECT_EQ(c.on_challenge(*challenge).error().code, Errc::handshake_signature);
}

TEST_F(HandshakeTest, SomebodyBetweenTwoTlsSessionsIsFound) {
  // The relay has one TLS session with each side: their exporter values differ.
  auto c = client({wire::Binding::tls_exporter, Bytes(32, 1)}, parameters());
  auto s = server({wire::Binding::tls_exporter, Bytes(32, 2)});
  EXPECT_EQ(c.on_challenge(*s.on_hello(c.hello())).error().code, Errc::handshake_signature);
}

TEST_F(HandshakeTest, SES_011_AnotherBrokersKeyIsRefused) {
  auto p = parameters();
  p.broker = other_.public_key<BrokerKey>();
  auto c = client(kExporter, std::move(p));
  EXPECT_EQ(c.on_challenge(*server(kExporter).on_hello(c.hello())).error().code,
            Errc::broker_key_mismatch);
}

TEST_F(HandshakeTest, AChallengeForAnotherHelloIsRefused) {
  auto c = client(kExporter, parameters());
  auto victim = client(kExporter, parameters());
  const auto challenge = server(kExporter).on_hello(victim.hello());
  (void)c.hello();
  EXPECT_EQ(c.on_challenge(*challenge).error().code, Errc::handshake_signature);
}

TEST_F(HandshakeTest, AProofReplayedToAnotherSessionIsRefused) {
  auto c = client(kExporter, parameters());
  auto s = server(kExporter);
  const Bytes hello = c.hello();
  const auto proof = c.on_challenge(*s.on_hello(hello));
  auto again = server(kExporter);
  ASSERT_TRUE(again.on_hello(hello));
  EXPECT_EQ(again.on_proof(*proof).error().code, Errc::handshake_signature);
}

TEST_F(HandshakeTest, SES_014_AnInceptionOfAnotherKeyIsRefused) {
  auto p = parameters();
  p.inception = make_inception(other_, kNow);
  auto c = client(kExporter, std::move(p));
  auto s = server(kExporter);
  const auto proof = c.on_challenge(*s.on_hello(c.hello()));
  EXPECT_EQ(s.on_proof(*proof).error().code, Errc::inception_invalid);
}

TEST_F(HandshakeTest, SES_023_LowOrderEphemeralKeysAreRefused) {
  // 0, 1, and p - 1 … the small-order u-coordinates of Curve25519 (RFC 7748 section 6.1).
  std::vector<std::array<std::uint8_t, 32>> points(3);
  points[1][0] = 1;
  points[2].fill(0xff);
  points[2][0] = 0xec;
  points[2][31] = 0x7f;
  for (const auto& point : points) {
    auto c = client({}, parameters());
    Bytes hello = c.hello();
    const auto frame = Frame::parse(hello, hello.size());
    const auto* ephemeral = frame->as<wire::Hello>()->ephemeral();
    std::copy(point.begin(), point.end(), const_cast<std::uint8_t*>(ephemeral->data()));
    auto s = server({});
    ASSERT_TRUE(s.on_hello(hello));
    // The attacker signs correctly over the changed Hello; agreement itself has to refuse.
    const auto agreed =
        crypto::agree(random_.secret<32>(), std::span<const std::uint8_t, 32>(point));
    EXPECT_EQ(agreed.error().code, Errc::key_low_order);
  }
}

TEST_F(HandshakeTest, FRM_007_FramesOutOfTurnAreRefused) {
  auto s = server(kExporter);
  EXPECT_EQ(s.on_proof(ready_frame()).error().code, Errc::frame_unexpected) << "Proof before Hello";
  EXPECT_EQ(server(kExporter).on_hello(test::send_frame({{Bytes{1}}})).error().code,
            Errc::frame_unexpected);
  auto c = client(kExporter, parameters());
  ASSERT_TRUE(s.on_hello(c.hello()));
  EXPECT_EQ(s.on_hello(c.hello()).error().code, Errc::frame_unexpected) << "a second Hello";
}

TEST_F(HandshakeTest, OneBadProofEndsTheHandshake) {
  auto c = client(kExporter, parameters());
  auto s = server(kExporter);
  const auto proof = c.on_challenge(*s.on_hello(c.hello()));
  EXPECT_FALSE(s.on_proof(test::send_frame({{Bytes{1}}})));
  EXPECT_EQ(s.on_proof(*proof).error().code, Errc::frame_unexpected) << "no second try";
}

TEST_F(HandshakeTest, SES_004_UnknownVersionsAndSuitesAreRefused) {
  const auto hello = [&](std::uint16_t version, std::uint16_t suite) {
    flatbuffers::FlatBufferBuilder b;
    const auto versions = b.CreateVector(std::vector<std::uint16_t>{version});
    const auto key = put(b, identity_.instance.bytes);
    const auto nonce = put(b, Bytes(32, 2));
    const auto ephemeral = put(b, Bytes(32, 9));
    return finish_frame(b, wire::CreateHello(b, versions, suite, key, nonce, ephemeral));
  };
  EXPECT_EQ(server({}).on_hello(hello(7, 1)).error().code, Errc::version_unsupported);
  EXPECT_EQ(server({}).on_hello(hello(0, 2)).error().code, Errc::suite_unsupported);
}

TEST_F(HandshakeTest, KEY_021_ARedemptionIsBoundToItsSession) {
  const Invite invite{identity_,
                      broker_.public_key<BrokerKey>(),
                      {"wss://localhost"},
                      kNow + kHourMs,
                      random_.secret<32>()};
  auto p = parameters();
  p.invite = &invite;
  auto c = client(kExporter, std::move(p));
  auto s = server(kExporter);
  const auto peer = s.on_proof(*c.on_challenge(*s.on_hello(c.hello())));
  ASSERT_TRUE(peer) << peer.error().detail;
  ASSERT_TRUE(peer->redemption);
  EXPECT_EQ(peer->redeemed_invite, invite.key());

  const auto elsewhere = make_redemption(invite.seed, identity_.agent, Digest{});
  EXPECT_NE(verify_redemption(elsewhere)->transcript,
            verify_redemption(*peer->redemption)->transcript);
}

TEST_F(HandshakeTest, ARefusalInPlaceOfReadyIsToldByName) {
  auto c = client({}, parameters());
  auto s = server({});
  ASSERT_TRUE(c.on_challenge(*s.on_hello(c.hello())));
  flatbuffers::FlatBufferBuilder b;
  EXPECT_EQ(c.on_ready(finish_frame(b, wire::CreateClose(b, wire::Code::denied))).error().code,
            Errc::not_admitted);
}

}  // namespace
}  // namespace sealwire::handshake

// The whole broker over its real channels: every test runs on WebSocket with TLS and on ZeroMQ with
// CURVE.
#include "broker/metrics.h"
#include "protocol/handshake/transcript.h"
#include "tests/broker/server_fixture.h"
#include "tests/support/envelopes.h"

namespace sealwire::broker {
namespace {

using test::RawAgent;
using test::RawClient;

/// Ed25519's identity point: of order one, so that anything "verifies" under it if nobody looks.
constexpr std::array<std::uint8_t, 32> kIdentityPoint{1};

class Transport : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    Config config = server_.config();
    config.router.handshake_ms = 700;
    ASSERT_NO_FATAL_FAILURE(server_.start(config));
    uri_ = server_.endpoint(GetParam());
  }

  RawAgent agent() { return test::make_raw_agent(random_); }
  wire::Binding binding_type() const {
    return std::string_view(GetParam()) == "wss" ? wire::Binding::tls_exporter
                                                 : wire::Binding::curve;
  }

  Bytes hello(const InstanceKey& key, wire::Binding binding,
              const std::array<std::uint8_t, 32>& ephemeral) {
    flatbuffers::FlatBufferBuilder b;
    const auto versions = b.CreateVector(std::vector<std::uint16_t>{handshake::kVersion});
    const auto key_at = put(b, key.bytes);
    const auto nonce_at = put(b, random_.make<Nonce>().bytes);
    const auto ephemeral_at = put(b, ephemeral);
    return finish_frame(
        b, wire::CreateHello(b, versions, kSuite, key_at, nonce_at, ephemeral_at, binding));
  }
  Bytes hello_of(const RawAgent& who, wire::Binding binding) {
    return hello(who.instance(), binding, crypto::AgreementKey::generate(random_).public_key);
  }
  /// A Proof of `claims` for what was said on this connection.
  static Bytes proof(ByteSpan claims, const Signature& signature) {
    flatbuffers::FlatBufferBuilder b;
    const auto claims_at = put(b, claims);
    const auto signature_at = put(b, signature.bytes);
    return finish_frame(b, wire::CreateProof(b, claims_at, signature_at));
  }
  static Bytes claims_of(const SignedStatement& inception) {
    flatbuffers::FlatBufferBuilder b;
    const auto inception_at = to_wire(b, inception);
    return finish_statement(b, wire::CreateClaims(b, inception_at), handshake::kClaimsId);
  }
  static handshake::ChannelBinding bound(const RawClient& client) {
    return {static_cast<wire::Binding>(client.binding().type), client.binding().value};
  }

  /// What was refused did no harm: another agent gets its session.
  void expect_served() {
    RawClient client;
    const auto ready = client.connect(uri_, agent(), random_);
    EXPECT_TRUE(ready) << ready.error().detail;
  }
  void expect_closed_as(RawClient& client, wire::Code code) {
    const auto message = client.next_raw();
    ASSERT_TRUE(message) << message.error().detail;
    const auto frame = Frame::parse(*message, limits::kFrameBytes);
    ASSERT_TRUE(frame);
    ASSERT_EQ(frame->type(), wire::Body::Close) << wire::EnumNameBody(frame->type());
    EXPECT_EQ(frame->as<wire::Close>()->code(), code)
        << wire::EnumNameCode(frame->as<wire::Close>()->code());
    EXPECT_TRUE(client.wait_close());
  }

  /// Two agents that may write to each other, `a` with an open conversation.
  struct Pair {
    RawAgent a, b;
    RawClient to_a, to_b;
    test::RawChain chain;
  };
  void connect(Pair& pair, const std::string& uri_of_b) {
    ASSERT_TRUE(pair.to_a.connect(uri_, pair.a, random_));
    ASSERT_TRUE(pair.to_b.connect(uri_of_b, pair.b, random_));
    ASSERT_TRUE(pair.to_a.allow(pair.b.identity.agent));
    ASSERT_TRUE(pair.to_b.allow(pair.a.identity.agent));
    auto opening = test::open_conversation(pair.a, pair.b, random_, test::system_now());
    ASSERT_TRUE(pair.to_a.send(test::send_frame({opening.bundle})));
    const auto accepted = pair.to_a.expect(wire::Body::Accepted);
    ASSERT_TRUE(accepted) << accepted.error().detail;
    pair.chain = opening.creator;
    pair.chain.agent = &pair.a;
  }

  crypto::SystemRandom random_;
  TestServer server_;
  std::string uri_;
};

INSTANTIATE_TEST_SUITE_P(Channels, Transport, ::testing::Values("wss", "tcp"),
                         [](const auto& test) { return std::string(test.param); });

std::vector<std::pair<std::uint64_t, Bytes>> entries_of(const Bytes& deliver) {
  std::vector<std::pair<std::uint64_t, Bytes>> entries;
  const auto frame = Frame::parse(deliver, limits::kFrameBytes);
  for (const auto* entry : *frame->as<wire::Deliver>()->entries()) {
    const auto* delivery = entry->item_as_Delivery();
    entries.emplace_back(entry->sequence(),
                         delivery == nullptr ? Bytes{} : to_bytes(span_of(delivery->envelope())));
  }
  return entries;
}

/// Entries until there are `count`.
std::vector<std::pair<std::uint64_t, Bytes>> receive(RawClient& client, std::size_t count) {
  std::vector<std::pair<std::uint64_t, Bytes>> all;
  while (all.size() < count) {
    const auto deliver = client.expect(wire::Body::Deliver);
    if (!deliver) {
      ADD_FAILURE() << deliver.error().detail;
      break;
    }
    for (auto& entry : entries_of(*deliver))
      all.push_back(std::move(entry));
  }
  return all;
}

// --- sessions ------------------------------------------------------------------------------------

TEST_P(Transport, ASessionIsBoundToItsTransportAndToNoOther) {
  RawClient first, second;
  const RawAgent one = agent(), other = agent();
  const auto ready = first.connect(uri_, one, random_);
  ASSERT_TRUE(ready) << ready.error().detail;
  ASSERT_TRUE(second.connect(uri_, other, random_));
  EXPECT_EQ(ready->broker, server_->key());
  EXPECT_EQ(bound(first).type, binding_type());
  EXPECT_NE(first.binding().value, second.binding().value);
}

TEST_P(Transport, ABrokerWithAnotherKeyIsNotTalkedTo) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const auto refused = client.prove(agent(), random_, [this](auto& parameters) {
    parameters.broker = random_.make<BrokerKey>();
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::broker_key_mismatch);
}

TEST_P(Transport, AHelloForAnotherKindOfBindingIsRefused) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const auto other =
      binding_type() == wire::Binding::curve ? wire::Binding::tls_exporter : wire::Binding::curve;
  ASSERT_TRUE(client.send_raw(hello_of(agent(), other)));
  expect_closed_as(client, wire_code(Errc::binding_mismatch));
  expect_served();
}

TEST_P(Transport, AHandshakeRelayedToAnotherConnectionFailsAtBothEnds) {
  // A man in the middle has a transport session of its own with either end: another binding value.
  RawClient relay;
  ASSERT_TRUE(relay.dial(uri_));
  const RawAgent victim = agent();
  handshake::ClientParameters parameters;
  parameters.inception = victim.identity.inception;
  parameters.agent = victim.identity.agent;
  handshake::ChannelBinding victims = bound(relay);
  victims.value[0] ^= 1;
  handshake::Client client(victim.key, parameters, victims, random_);
  ASSERT_TRUE(relay.send_raw(client.hello()));
  const auto challenge = relay.next_raw();
  ASSERT_TRUE(challenge);
  const auto proof = client.on_challenge(*challenge);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().code, Errc::handshake_signature);
}

TEST_P(Transport, AProofOverAnotherBindingIsRefused) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const RawAgent who = agent();
  const Bytes first = hello_of(who, binding_type());
  ASSERT_TRUE(client.send_raw(first));
  const auto challenge = client.next_raw();
  ASSERT_TRUE(challenge);
  handshake::ChannelBinding other = bound(client);
  other.value[0] ^= 1;
  const Digest transcript =
      handshake::transcript(crypto::blake2b(first), crypto::blake2b(*challenge), other);
  const Bytes claims = claims_of(who.identity.inception);
  ASSERT_TRUE(
      client.send_raw(proof(claims, who.key.sign(handshake::proof_input(transcript, claims)))));
  expect_closed_as(client, wire::Code::unauthenticated);
  expect_served();
}

TEST_P(Transport, AHandshakeSaidAgainOnAnotherConnectionIsRefused) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const RawAgent who = agent();
  handshake::ClientParameters parameters;
  parameters.inception = who.identity.inception;
  parameters.agent = who.identity.agent;
  handshake::Client honest(who.key, parameters, bound(client), random_);
  const Bytes first = honest.hello();
  ASSERT_TRUE(client.send_raw(first));
  const auto proof = honest.on_challenge(*client.next_raw());
  ASSERT_TRUE(proof);
  ASSERT_TRUE(client.send_raw(*proof));
  ASSERT_TRUE(client.next_raw());

  RawClient replay;
  ASSERT_TRUE(replay.dial(uri_));
  ASSERT_TRUE(replay.send_raw(first));
  ASSERT_TRUE(replay.next_raw());
  ASSERT_TRUE(replay.send_raw(*proof));
  expect_closed_as(replay, wire::Code::unauthenticated);
  expect_served();
}

TEST_P(Transport, AnotherAgentsInceptionProvesNothing) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const RawAgent victim = agent();
  EXPECT_FALSE(client.prove(agent(), random_, [&](auto& parameters) {
    parameters.inception = victim.identity.inception;
  }));
  expect_served();
}

TEST_P(Transport, AStatementSignedForAnotherPurposeIsNoInception) {
  const RawAgent who = agent();
  const auto& statement = who.identity.inception.statement;
  for (const auto label : {label::kPrekey, label::kEnvelope, label::kProof}) {
    RawClient client;
    ASSERT_TRUE(client.dial(uri_));
    EXPECT_FALSE(client.prove(who, random_, [&](auto& parameters) {
      parameters.inception.signature = sign_statement(who.key, label, statement);
    })) << label;
  }
  expect_served();
}

TEST_P(Transport, AKeyUnderWhichAnythingVerifiesIsRefused) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  InstanceKey weak;
  weak.bytes = kIdentityPoint;
  ASSERT_TRUE(client.send_raw(
      hello(weak, binding_type(), crypto::AgreementKey::generate(random_).public_key)));
  auto answer = client.next_raw();
  ASSERT_TRUE(answer);
  if (Frame::parse(*answer, limits::kFrameBytes)->type() == wire::Body::Challenge) {
    Signature nothing;
    std::copy(kIdentityPoint.begin(), kIdentityPoint.end(), nothing.bytes.begin());
    ASSERT_TRUE(client.send_raw(proof(claims_of(agent().identity.inception), nothing)));
    expect_closed_as(client, wire::Code::unauthenticated);
  }
  expect_served();
}

TEST_P(Transport, ALowOrderEphemeralMakesNoSealedSession) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const RawAgent who = agent();
  const Bytes first = hello(who.instance(), wire::Binding::none, {});
  ASSERT_TRUE(client.send_raw(first));
  const auto challenge = client.next_raw();
  ASSERT_TRUE(challenge);
  if (Frame::parse(*challenge, limits::kFrameBytes)->type() == wire::Body::Challenge) {
    const Digest transcript =
        handshake::transcript(crypto::blake2b(first), crypto::blake2b(*challenge), {});
    const Bytes claims = claims_of(who.identity.inception);
    ASSERT_TRUE(
        client.send_raw(proof(claims, who.key.sign(handshake::proof_input(transcript, claims)))));
    EXPECT_FALSE(client.expect(wire::Body::Ready));
  }
  expect_served();
}

TEST_P(Transport, ASecondHelloEndsTheHandshake) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const Bytes first = hello_of(agent(), binding_type());
  ASSERT_TRUE(client.send_raw(first));
  ASSERT_TRUE(client.next_raw());
  ASSERT_TRUE(client.send_raw(first));
  expect_closed_as(client, wire::Code::malformed);
  expect_served();
}

TEST_P(Transport, NothingIsDoneBeforeProof) {
  const RawAgent who = agent();
  for (const Bytes& frame : {test::credit_frame(1, 1), test::ack_frame(1),
                             test::set_contact_frame(1, who.identity.agent, wire::Contact::allowed),
                             test::send_frame({{Bytes(100)}})}) {
    for (const bool after_hello : {false, true}) {
      RawClient client;
      ASSERT_TRUE(client.dial(uri_));
      if (after_hello) {
        ASSERT_TRUE(client.send_raw(hello_of(who, binding_type())));
        ASSERT_TRUE(client.next_raw());
      }
      ASSERT_TRUE(client.send_raw(frame));
      expect_closed_as(client, wire::Code::malformed);
    }
  }
  EXPECT_EQ(server_->metrics().sessions_opened, 0U);
  EXPECT_EQ(server_->metrics().agents, 0);
  expect_served();
}

TEST_P(Transport, WhatIsNoFrameEndsItsConnectionOnly) {
  const Bytes good = hello_of(agent(), binding_type());
  const auto key_of_size = [this](std::size_t size) {
    flatbuffers::FlatBufferBuilder b;
    const auto versions = b.CreateVector(std::vector<std::uint16_t>{handshake::kVersion});
    const auto key = put(b, Bytes(size, 1));
    const auto rest = put(b, Bytes(32, 1));
    return finish_frame(b, wire::CreateHello(b, versions, kSuite, key, rest, rest, binding_type()));
  };
  Bytes truncated(good.begin(), good.end() - 8);
  Bytes other_identifier = good;
  other_identifier[4] ^= 0x20;
  Bytes wild_offset = good;
  wild_offset[0] = wild_offset[1] = 0xff;
  for (const Bytes& message : {truncated, other_identifier, wild_offset, Bytes(1), Bytes(64, 0xff),
                               key_of_size(0), key_of_size(31), key_of_size(33), key_of_size(4096),
                               to_bytes(as_bytes("GET / HTTP/1.1\r\n\r\n"))}) {
    RawClient client;
    ASSERT_TRUE(client.dial(uri_));
    ASSERT_TRUE(client.send_raw(message));
    expect_closed_as(client, wire::Code::malformed);
  }
  expect_served();
}

TEST_P(Transport, AHandshakeThatStallsIsEnded) {
  RawClient silent, halfway;
  ASSERT_TRUE(silent.dial(uri_));
  ASSERT_TRUE(halfway.dial(uri_));
  ASSERT_TRUE(halfway.send_raw(hello_of(agent(), binding_type())));
  EXPECT_TRUE(silent.wait_close());
  EXPECT_TRUE(halfway.wait_close());
  expect_served();
}

TEST_P(Transport, ANewerSessionReplacesTheOlder) {
  const RawAgent who = agent();
  RawClient older, newer;
  ASSERT_TRUE(older.connect(uri_, who, random_));
  ASSERT_TRUE(newer.connect(uri_, who, random_));
  expect_closed_as(older, wire::Code::replaced);
  EXPECT_TRUE(newer.allow(agent().identity.agent));
}

// --- envelopes -----------------------------------------------------------------------------------

TEST_P(Transport, AnEnvelopeArrivesAsItWasSentAndIsKeptUntilAcknowledged) {
  Pair pair{agent(), agent(), {}, {}, {}};
  ASSERT_NO_FATAL_FAILURE(connect(pair, uri_));
  const auto sent = pair.chain.next(as_bytes("to b"), random_, test::system_now());
  ASSERT_TRUE(pair.to_a.send(test::send_frame({{sent.bytes}})));
  ASSERT_TRUE(pair.to_a.expect(wire::Body::Accepted));

  ASSERT_TRUE(pair.to_b.credit(100, 1 << 20));
  const auto first = receive(pair.to_b, 2);  // welcome, message
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].first, 2U);
  EXPECT_EQ(first[1].second, sent.bytes);

  // Not acknowledged: it comes again, and then, acknowledged, no more.
  RawClient again;
  const auto ready = again.connect(uri_, pair.b, random_);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->mailbox_last, 2U);
  ASSERT_TRUE(again.credit(100, 1 << 20));
  EXPECT_EQ(receive(again, 2), first);
  ASSERT_TRUE(again.ack(2));
  ASSERT_TRUE(again.allow(pair.a.identity.agent));  // answered after the Ack was taken
  RawClient last;
  const auto done = last.connect(uri_, pair.b, random_);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->mailbox_acked, 2U);
}

TEST_P(Transport, TheSameEnvelopeTwiceIsDeliveredOnceAlsoAfterARestart) {
  Pair pair{agent(), agent(), {}, {}, {}};
  ASSERT_NO_FATAL_FAILURE(connect(pair, uri_));
  const auto sent = pair.chain.next(as_bytes("once"), random_, test::system_now());
  for (int times = 0; times < 3; ++times) {
    ASSERT_TRUE(pair.to_a.send(test::send_frame({{sent.bytes}})));
    ASSERT_TRUE(pair.to_a.expect(wire::Body::Accepted));
  }
  server_.stop();
  ASSERT_NO_FATAL_FAILURE(server_.start());
  uri_ = server_.endpoint(GetParam());
  RawClient a, b;
  ASSERT_TRUE(a.connect(uri_, pair.a, random_));
  ASSERT_TRUE(a.send(test::send_frame({{sent.bytes}})));
  ASSERT_TRUE(a.expect(wire::Body::Accepted));
  const auto ready = b.connect(uri_, pair.b, random_);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->mailbox_last, 2U);  // welcome, message
}

TEST_P(Transport, NobodySendsInAnothersName) {
  Pair pair{agent(), agent(), {}, {}, {}};
  ASSERT_NO_FATAL_FAILURE(connect(pair, uri_));
  // B sends what A signed; then what names A but B signed; then its own, altered on the way.
  const auto by_a = pair.chain.next(as_bytes("mine"), random_, test::system_now());
  test::RawChain forged = pair.chain;
  forged.agent = &pair.a;
  const Header header = forged.next_header(random_, test::system_now());
  const auto by_b = seal_envelope(encode_header(header), as_bytes("forged"), pair.b.key);
  Bytes altered = by_a.bytes;
  altered[altered.size() - 1] ^= 1;
  for (const Bytes& bytes : {by_a.bytes, by_b.bytes, altered}) {
    ASSERT_TRUE(pair.to_b.send(test::send_frame({{bytes}})));
    const auto answer = pair.to_b.expect(wire::Body::Rejected);
    ASSERT_TRUE(answer) << answer.error().detail;
  }
  EXPECT_EQ(server_->metrics().envelopes_accepted, 2U);  // the opening
}

TEST_P(Transport, AgentsOnDifferentChannelsMeet) {
  const std::string other = server_.endpoint(GetParam() == std::string("wss") ? "tcp" : "wss");
  Pair pair{agent(), agent(), {}, {}, {}};
  ASSERT_NO_FATAL_FAILURE(connect(pair, other));
  ASSERT_TRUE(pair.to_b.credit(100, 1 << 20));
  const auto sent = pair.chain.next(Bytes(200'000, 7), random_, test::system_now());
  ASSERT_TRUE(pair.to_a.send(test::send_frame({{sent.bytes}})));
  const auto got = receive(pair.to_b, 2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[1].second, sent.bytes);
}

TEST_P(Transport, AReceiverThatGivesNoCreditGetsNothingAndHoldsUpNobody) {
  Pair slow{agent(), agent(), {}, {}, {}};
  Pair quick{agent(), agent(), {}, {}, {}};
  ASSERT_NO_FATAL_FAILURE(connect(slow, uri_));
  ASSERT_NO_FATAL_FAILURE(connect(quick, uri_));
  ASSERT_TRUE(quick.to_b.credit(1000, 1 << 24));
  for (int i = 0; i < 50; ++i) {
    const auto a = slow.chain.next(Bytes(10'000), random_, test::system_now());
    ASSERT_TRUE(slow.to_a.send(test::send_frame({{a.bytes}})));
    const auto b = quick.chain.next(Bytes(10'000), random_, test::system_now());
    ASSERT_TRUE(quick.to_a.send(test::send_frame({{b.bytes}})));
  }
  EXPECT_EQ(receive(quick.to_b, 51).size(), 51U);
  EXPECT_EQ(server_->metrics().entries_delivered, 51U);
  ASSERT_TRUE(slow.to_b.credit(10, 1 << 24));
  EXPECT_EQ(receive(slow.to_b, 10).size(), 10U);
}

}  // namespace
}  // namespace sealwire::broker

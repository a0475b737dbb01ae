#include "tests/security/attack.h"

#include <chrono>

namespace sealwire::broker {

void Attack::start() {
  Config config = server_.config();
  config.router.handshake_ms = 1500;
  for (const char* uri : {"ws://127.0.0.1:0", "tcp://127.0.0.1:0"}) {
    ListenConfig listen;
    listen.uri = uri;
    config.listen.push_back(listen);
  }
  adjust(config);
  ASSERT_NO_FATAL_FAILURE(server_.start(config));
  // In the order of the configuration: wss, ZeroMQ with CURVE, and the two above.
  constexpr std::array kOrder{"wss", "curve", "ws", "zmtp"};
  const auto at = std::find(kOrder.begin(), kOrder.end(), std::string_view(GetParam()));
  uri_ = server_->endpoints().at(static_cast<std::size_t>(at - kOrder.begin()));
}

void Attack::restart() {
  server_.stop();
  ASSERT_NO_FATAL_FAILURE(start());
}

wire::Binding Attack::binding_type() const {
  const std::string_view transport = GetParam();
  if (transport == "wss") return wire::Binding::tls_exporter;
  return transport == "curve" ? wire::Binding::curve : wire::Binding::none;
}

handshake::ChannelBinding Attack::bound(const RawClient& client) {
  return {static_cast<wire::Binding>(client.binding().type), client.binding().value};
}

Attack::HelloFields Attack::hello_fields(const RawAgent& who) {
  HelloFields fields;
  fields.key = to_bytes(ByteSpan(who.instance().bytes));
  fields.nonce = to_bytes(ByteSpan(random_.make<Nonce>().bytes));
  fields.ephemeral = to_bytes(ByteSpan(crypto::AgreementKey::generate(random_).public_key));
  fields.binding = binding_type();
  return fields;
}

Bytes Attack::hello(const HelloFields& fields) {
  flatbuffers::FlatBufferBuilder b;
  const auto versions = b.CreateVector(fields.versions);
  const auto key = put(b, fields.key);
  const auto nonce = put(b, fields.nonce);
  const auto ephemeral = put(b, fields.ephemeral);
  return finish_frame(
      b, wire::CreateHello(b, versions, fields.suite, key, nonce, ephemeral, fields.binding));
}

Bytes Attack::proof(ByteSpan claims, ByteSpan signature) {
  flatbuffers::FlatBufferBuilder b;
  const auto claims_at = put(b, claims);
  const auto signature_at = put(b, signature);
  return finish_frame(b, wire::CreateProof(b, claims_at, signature_at));
}

Bytes Attack::claims_of(const SignedStatement& inception) {
  flatbuffers::FlatBufferBuilder b;
  const auto inception_at = to_wire(b, inception);
  return finish_statement(b, wire::CreateClaims(b, inception_at), handshake::kClaimsId);
}

Digest Attack::greet(RawClient& client, const Bytes& hello,
                     const handshake::ChannelBinding& binding) {
  EXPECT_TRUE(client.send_raw(hello));
  const auto challenge = client.next_raw();
  EXPECT_TRUE(challenge);
  if (!challenge) return {};
  const auto frame = Frame::parse(*challenge, limits::kFrameBytes);
  EXPECT_TRUE(frame && frame->type() == wire::Body::Challenge);
  return handshake::transcript(crypto::blake2b(hello), crypto::blake2b(*challenge), binding);
}

void Attack::expect_served() {
  // A connection that was closed counts until the broker has noticed that, a moment after its peer.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (;;) {
    RawClient client;
    const auto ready = client.connect(uri_, agent(), random_);
    if (ready) return;
    if (std::chrono::steady_clock::now() < until) continue;
    FAIL() << ready.error().detail;
  }
}

void Attack::expect_closed_as(RawClient& client, wire::Code code) {
  const auto message = client.next();  // before the session, protection passes everything
  ASSERT_TRUE(message) << message.error().detail;
  const auto frame = Frame::parse(*message, limits::kFrameBytes);
  ASSERT_TRUE(frame);
  ASSERT_EQ(frame->type(), wire::Body::Close) << wire::EnumNameBody(frame->type());
  EXPECT_EQ(frame->as<wire::Close>()->code(), code)
      << wire::EnumNameCode(frame->as<wire::Close>()->code());
  EXPECT_TRUE(client.wait_close());
}

void Attack::expect_refused_first(const Bytes& message, wire::Code code) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  ASSERT_TRUE(client.send_raw(message));
  expect_closed_as(client, code);
}

void Attack::expect_refused_in_session(const Bytes& frame, wire::Code code) {
  RawClient client;
  ASSERT_TRUE(client.connect(uri_, agent(), random_));
  ASSERT_TRUE(client.send(frame));
  expect_closed_as(client, code);
}

void Attack::expect_ended(RawClient& client) {
  EXPECT_TRUE(client.wait_close());
  while (const auto message = client.next()) {
    const auto frame = Frame::parse(*message, limits::kFrameBytes);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->type(), wire::Body::Close) << wire::EnumNameBody(frame->type());
  }
}

void Attack::connect(Pair& pair) {
  ASSERT_TRUE(pair.to_a.connect(uri_, pair.a, random_));
  ASSERT_TRUE(pair.to_b.connect(uri_, pair.b, random_));
  ASSERT_TRUE(pair.to_a.allow(pair.b.identity.agent));
  ASSERT_TRUE(pair.to_b.allow(pair.a.identity.agent));
  auto opening = test::open_conversation(pair.a, pair.b, random_, now());
  ASSERT_EQ(submit(pair.to_a, opening.bundle), wire::Code::ok);
  pair.chain = opening.creator;
  pair.chain.agent = &pair.a;
  pair.b_chain = opening.joiner;
  pair.b_chain.agent = &pair.b;
}

wire::Code Attack::submit(RawClient& client, const std::vector<Bytes>& bundle) {
  EXPECT_TRUE(client.send(test::send_frame({bundle})));
  while (true) {
    const auto bytes = client.next();
    if (!bytes) {
      ADD_FAILURE() << bytes.error().detail;
      return wire::Code::closing;
    }
    const auto frame = Frame::parse(*bytes, limits::kFrameBytes);
    if (frame->type() == wire::Body::Accepted) return wire::Code::ok;
    if (const auto* rejected = frame->as<wire::Rejected>())
      return rejected->rejections()->Get(0)->code();
    if (const auto* close = frame->as<wire::Close>()) return close->code();
  }
}

std::vector<Attack::Entry> Attack::receive(RawClient& client, std::size_t count) {
  std::vector<Entry> all;
  while (all.size() < count) {
    const auto bytes = client.expect(wire::Body::Deliver);
    if (!bytes) {
      ADD_FAILURE() << bytes.error().detail;
      break;
    }
    const auto frame = Frame::parse(*bytes, limits::kFrameBytes);
    for (const auto* entry : *frame->as<wire::Deliver>()->entries()) {
      const auto* delivery = entry->item_as_Delivery();
      all.push_back({entry->sequence(), entry->item_type(),
                     delivery == nullptr ? Bytes{} : to_bytes(span_of(delivery->envelope()))});
    }
  }
  return all;
}

}  // namespace sealwire::broker

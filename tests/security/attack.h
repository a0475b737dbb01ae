// The whole broker, and an attacker who may say anything on any of its transports. Each attack has
// a number and three variants or more; docs/SECURITY.md lists them (tests/security/table.py).
#pragma once

#include "broker/metrics.h"
#include "protocol/handshake/transcript.h"
#include "tests/broker/server_fixture.h"
#include "tests/support/envelopes.h"

namespace sealwire::broker {

using test::RawAgent;
using test::RawChain;
using test::RawClient;

/// wss: TLS; ws: frames sealed by the session; curve: ZeroMQ with CURVE; zmtp: ZeroMQ without,
/// frames sealed by the session.
inline constexpr std::array kTransports{"wss", "ws", "curve", "zmtp"};

class Attack : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(start()); }

  virtual void adjust(Config&) {}
  void start();
  void restart();

  // --- the attacker's pieces
  RawAgent agent() { return test::make_raw_agent(random_); }
  UnixMillis now() const { return test::system_now(); }
  /// What the transport can prove; `none` where the session seals.
  wire::Binding binding_type() const;
  static handshake::ChannelBinding bound(const RawClient& client);
  struct HelloFields {
    std::vector<std::uint16_t> versions{handshake::kVersion};
    std::uint16_t suite = kSuite;
    Bytes key, nonce, ephemeral;
    wire::Binding binding = wire::Binding::none;
  };
  HelloFields hello_fields(const RawAgent& who);
  static Bytes hello(const HelloFields& fields);
  Bytes hello_of(const RawAgent& who) { return hello(hello_fields(who)); }
  static Bytes proof(ByteSpan claims, ByteSpan signature);
  static Bytes claims_of(const SignedStatement& inception);
  /// Hello and its Challenge said on a new connection; what Proof has to sign over.
  Digest greet(RawClient& client, const Bytes& hello, const handshake::ChannelBinding& binding);

  // --- what must come of it
  /// What was refused did no harm: another agent gets its session.
  void expect_served();
  void expect_closed_as(RawClient& client, wire::Code code);
  /// The message, as the first of a connection, is answered by a Close of that code.
  void expect_refused_first(const Bytes& message, wire::Code code);
  /// The same within a session, whose frames are protected.
  void expect_refused_in_session(const Bytes& frame, wire::Code code);
  /// Refused by the frame's check or by the channel's: closed without any answer but Close.
  void expect_ended(RawClient& client);

  /// Two agents that may write to each other, `a` with an open conversation.
  struct Pair {
    RawAgent a, b;
    RawClient to_a, to_b;
    RawChain chain;    // of a
    RawChain b_chain;  // of b
  };
  Pair pair() { return {agent(), agent(), {}, {}, {}, {}}; }
  void connect(Pair& pair);
  /// What the broker says to a bundle: ok, or the code of the rejection.
  wire::Code submit(RawClient& client, const std::vector<Bytes>& bundle);
  struct Entry {
    std::uint64_t sequence = 0;
    wire::Item type = wire::Item::NONE;
    Bytes envelope;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> receive(RawClient& client, std::size_t count);

  crypto::SystemRandom random_;
  TestServer server_;
  std::string uri_;
};

/// Attacks of one chapter, run on every transport.
#define SEALWIRE_ATTACKS(Chapter)                                         \
  class Chapter : public Attack {};                                       \
  INSTANTIATE_TEST_SUITE_P(On, Chapter, ::testing::ValuesIn(kTransports), \
                           [](const auto& test) { return std::string(test.param); })

}  // namespace sealwire::broker

// ATK-13 to ATK-18: bytes that are no frame or no envelope, or mean more than was signed.
#include "tests/security/attack.h"

namespace sealwire::broker {
namespace {

SEALWIRE_ATTACKS(Envelopes);

/// An envelope of exactly these parts.
Bytes envelope_of(ByteSpan header, ByteSpan body, ByteSpan signature) {
  flatbuffers::FlatBufferBuilder b;
  const auto header_at = put(b, header);
  const auto body_at = put(b, body);
  const auto signature_at = put(b, signature);
  return finish_statement(b, wire::CreateEnvelope(b, header_at, body_at, signature_at), "SWEN");
}

/// What `change` makes of a header, sealed by its sender as it should be.
template <class Change>
Bytes sealed_with(const RawChain& chain, Random& random, Change change) {
  Header header = chain.next_header(random, test::system_now());
  change(header);
  return seal_envelope(encode_header(header), as_bytes("x"), chain.agent->key).bytes;
}

// --- ATK-13: malformed FlatBuffers
// -----------------------------------------------------------------

TEST_P(Envelopes, Atk13a_A_Hello_cut_at_any_length_is_refused) {
  const Bytes good = hello_of(agent());
  for (std::size_t size = 1; size + 4 < good.size(); size += 13)  // the last four are padding
    expect_refused_first(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)),
                         wire::Code::malformed);
  expect_served();
}

TEST_P(Envelopes, Atk13b_Wild_offsets_and_lengths_are_refused) {
  const Bytes good = hello_of(agent());
  for (std::size_t at = 0; at + 4 <= good.size(); at += 20) {
    Bytes wild = good;
    std::fill_n(wild.begin() + static_cast<std::ptrdiff_t>(at), 4, 0xff);
    RawClient client;
    ASSERT_TRUE(client.dial(uri_));
    ASSERT_TRUE(client.send_raw(wild));
    const auto answer = client.next_raw();
    ASSERT_TRUE(answer) << at;  // a Challenge, where only the key, nonce or ephemeral changed
    client.close();
  }
  EXPECT_EQ(server_->metrics().sessions_opened, 0U);
  expect_served();
}

TEST_P(Envelopes, Atk13c_An_envelope_cut_or_scrambled_is_rejected_and_the_session_goes_on) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const Bytes good = sealed_with(p.chain, random_, [](Header&) {});
  for (std::size_t size = 1; size < good.size(); size += 41)
    EXPECT_NE(
        submit(p.to_a, {Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))}),
        wire::Code::ok);
  for (std::size_t at = 0; at < good.size(); at += 37) {
    Bytes scrambled = good;
    scrambled[at] ^= 0x80;
    (void)submit(p.to_a, {scrambled});
  }
  EXPECT_NE(submit(p.to_a, {Bytes(1)}), wire::Code::closing);
}

// --- ATK-14: depth and tables without end
// ----------------------------------------------------------------

TEST_P(Envelopes, Atk14a_A_frame_of_more_tables_than_any_frame_needs_is_refused) {
  const std::vector<Bytes> bundle(limits::kEnvelopesPerBundle, Bytes(8));
  expect_refused_in_session(test::send_frame(std::vector(limits::kBundlesPerSend, bundle)),
                            wire::Code::malformed);
  expect_served();
}

TEST_P(Envelopes, Atk14b_A_Send_of_more_bundles_than_allowed_is_refused) {
  expect_refused_in_session(
      test::send_frame(std::vector<std::vector<Bytes>>(limits::kBundlesPerSend + 1, {Bytes(8)})),
      wire::Code::malformed);
  expect_served();
}

TEST_P(Envelopes, Atk14c_A_header_of_more_recipients_or_features_than_allowed_is_rejected) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  EXPECT_NE(submit(p.to_a, {sealed_with(p.chain, random_,
                                        [](Header& h) {
                                          h.kind = Kind::commit;
                                          h.recipients.resize(limits::kRecipients + 1);
                                          for (std::size_t i = 0; i < h.recipients.size(); ++i)
                                            h.recipients[i].bytes[0] = static_cast<std::uint8_t>(i);
                                        })}),
            wire::Code::ok);
  EXPECT_NE(submit(p.to_a,
                   {sealed_with(p.chain, random_, [](Header& h) { h.critical.assign(1000, 9); })}),
            wire::Code::ok);
  EXPECT_EQ(submit(p.to_a, {p.chain.next(as_bytes("fine"), random_, now()).bytes}), wire::Code::ok);
}

// --- ATK-15: many names for one table
// ------------------------------------------------------------------------

Bytes shared_send(std::size_t bundles, std::size_t envelopes, std::size_t bytes) {
  flatbuffers::FlatBufferBuilder b;
  const auto envelope = wire::CreateEnvelopeBytes(b, put(b, Bytes(bytes, 7)));
  const auto bundle = wire::CreateBundle(b, b.CreateVector(std::vector(envelopes, envelope)));
  return finish_frame(b, wire::CreateSend(b, b.CreateVector(std::vector(bundles, bundle))));
}

TEST_P(Envelopes, Atk15a_One_envelope_named_4096_times_is_not_4096_envelopes) {
  expect_refused_in_session(shared_send(256, 16, 8), wire::Code::malformed);
  expect_served();
}

TEST_P(Envelopes, Atk15b_A_megabyte_named_200_times_costs_no_200_megabytes) {
  RawClient client;
  ASSERT_TRUE(client.connect(uri_, agent(), random_));
  ASSERT_TRUE(client.send(shared_send(200, 1, 1'000'000)));
  // Refused one by one or as a whole, in time, and others are served.
  EXPECT_TRUE(client.next());
  expect_served();
}

TEST_P(Envelopes, Atk15c_One_key_package_named_many_times_fills_no_pool) {
  flatbuffers::FlatBufferBuilder b;
  const auto package = wire::CreateKeyPackageBytes(b, put(b, Bytes(4000, 7)));
  const std::vector packages(4000, package);
  const auto publish = wire::CreatePublish(b, b.CreateVector(packages)).Union();
  expect_refused_in_session(
      finish_frame(b, wire::CreateCall(b, 1, wire::Request::Publish, publish)),
      wire::Code::malformed);
  expect_served();
}

// --- ATK-16: bytes beside what was signed
// ---------------------------------------------------------------------

TEST_P(Envelopes, Atk16a_Bytes_after_a_signed_header_break_the_signature) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const Bytes header = encode_header(p.chain.next_header(random_, now()));
  const Bytes body = to_bytes(as_bytes("x"));
  const auto signature = p.a.key.sign(signing_input(header, crypto::blake2b(body)));
  Bytes longer = header;
  longer.resize(longer.size() + 8);
  EXPECT_EQ(submit(p.to_a, {envelope_of(longer, body, signature.bytes)}),
            wire::Code::unauthenticated);
  EXPECT_EQ(submit(p.to_a, {envelope_of(header, body, signature.bytes)}), wire::Code::ok);
}

TEST_P(Envelopes, Atk16b_Bytes_after_a_signature_are_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const Bytes header = encode_header(p.chain.next_header(random_, now()));
  const Bytes body = to_bytes(as_bytes("x"));
  Bytes signature =
      to_bytes(ByteSpan(p.a.key.sign(signing_input(header, crypto::blake2b(body))).bytes));
  for (const std::size_t size : {65, 63, 128}) {
    signature.resize(size);
    EXPECT_EQ(submit(p.to_a, {envelope_of(header, body, signature)}), wire::Code::malformed);
  }
}

TEST_P(Envelopes, Atk16c_The_same_envelope_in_another_wrapping_is_the_same_envelope) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const auto sent = p.chain.next(as_bytes("once"), random_, now());
  ASSERT_EQ(submit(p.to_a, {sent.bytes}), wire::Code::ok);
  Bytes wrapped = sent.bytes;
  wrapped.resize(wrapped.size() + 64);
  (void)submit(p.to_a, {wrapped});
  const auto parsed = Envelope::parse(sent.bytes);
  const Bytes moved =
      envelope_of(parsed->header_bytes(), parsed->body(), parsed->signature().bytes);
  (void)submit(p.to_a, {moved});
  EXPECT_EQ(server_->metrics().envelopes_accepted, 3U) << "the opening and one message";
  ASSERT_TRUE(p.to_b.credit(100, 1 << 20));
  const auto entries = receive(p.to_b, 2);
  EXPECT_EQ(entries.back().envelope, sent.bytes);
}

// --- ATK-17: a feature that a reader must know, and does not
// ---------------------------------------------------

TEST_P(Envelopes, Atk17a_An_unknown_critical_feature_is_rejected) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  EXPECT_EQ(submit(p.to_a, {sealed_with(p.chain, random_, [](Header& h) { h.critical = {1}; })}),
            wire::Code::unsupported);
}

TEST_P(Envelopes, Atk17b_The_largest_feature_number_is_rejected_too) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  EXPECT_EQ(
      submit(p.to_a, {sealed_with(p.chain, random_, [](Header& h) { h.critical = {0xffff}; })}),
      wire::Code::unsupported);
}

TEST_P(Envelopes, Atk17c_One_bad_envelope_refuses_its_whole_bundle_and_no_other) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const auto good = p.chain.next(as_bytes("x"), random_, now());
  const Bytes bad = sealed_with(p.chain, random_, [](Header& h) { h.critical = {0, 0}; });
  EXPECT_NE(submit(p.to_a, {good.bytes, bad}), wire::Code::ok);
  EXPECT_EQ(server_->metrics().envelopes_accepted, 2U) << "the opening";
  EXPECT_EQ(submit(p.to_a, {good.bytes}), wire::Code::ok);
}

// --- ATK-18: another protocol
// -----------------------------------------------------------------------------------

TEST_P(Envelopes, Atk18a_The_first_words_of_other_protocols_are_refused) {
  using namespace std::string_literals;
  for (const auto& text : {"GET / HTTP/1.1\r\n\r\n"s, "SSH-2.0-OpenSSH_9.2\r\n"s,
                           "\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0"s,
                           "INFO {\"server_id\":\"x\"}\r\n"s, "AMQP\0\0\x09\x01 and more"s})
    expect_refused_first(to_bytes(as_bytes(text)), wire::Code::malformed);
  expect_served();
}

TEST_P(Envelopes, Atk18b_A_buffer_with_another_identifier_is_no_frame) {
  const Bytes good = hello_of(agent());
  for (const char* identifier : {"SWEN", "SWHD", "SWFS", "\0\0\0\0", "MQTT"}) {
    Bytes other = good;
    std::copy_n(identifier, 4, other.begin() + 4);
    expect_refused_first(other, wire::Code::malformed);
  }
  expect_served();
}

TEST_P(Envelopes, Atk18c_A_frame_in_place_of_an_envelope_is_rejected) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  EXPECT_EQ(submit(p.to_a, {test::credit_frame(1, 1)}), wire::Code::malformed);
  EXPECT_EQ(submit(p.to_a, {p.a.identity.inception.statement}), wire::Code::malformed);
  Bytes header_as_envelope = encode_header(p.chain.next_header(random_, now()));
  EXPECT_EQ(submit(p.to_a, {header_as_envelope}), wire::Code::malformed);
}

}  // namespace
}  // namespace sealwire::broker

// Envelopes: exact bytes, one signature, one meaning (SPEC ENV).
#include "protocol/envelope/envelope.h"

#include <gtest/gtest.h>

#include "protocol/limits.h"
#include "protocol/statement.h"
#include "tests/support/envelopes.h"

namespace sealwire {
namespace {

using test::kNow;

class EnvelopeTest : public testing::Test {
 protected:
  Result<VerifiedEnvelope> accept(Bytes bytes) {
    auto envelope = Envelope::parse(std::move(bytes));
    if (!envelope) return fail(envelope.error());
    return verify_signature(std::move(*envelope));
  }
  Errc error_of(const Header& header) {
    const auto decoded = decode_header(encode_header(header));
    return decoded ? Errc::closed : decoded.error().code;
  }
  test::SeededRandom random_{1};
  crypto::SigningKey key_ = crypto::SigningKey::generate(random_);
  crypto::SigningKey other_ = crypto::SigningKey::generate(random_);
  Header header_ = test::application_header(key_, random_);
};

TEST_F(EnvelopeTest, HeaderComesBackAsItWasWritten) {
  header_.provenance = "bridged:telegram";
  header_.durability = Durability::transient;
  header_.sender_seq = 7;
  header_.previous = random_.make<Digest>();
  const auto decoded = decode_header(encode_header(header_));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(*decoded, header_);
}

TEST_F(EnvelopeTest, ENV_003_KeepsTheExactBytes) {
  const Bytes bytes = test::envelope_bytes(header_, key_);
  auto verified = accept(bytes);
  ASSERT_TRUE(verified) << verified.error().detail;
  EXPECT_EQ(verified->envelope().bytes(), bytes);
  EXPECT_EQ(verified->verification(), Verification::signature);
  EXPECT_EQ(as_text(verified->envelope().body()), "body");
}

TEST_F(EnvelopeTest, ENV_004_EveryChangedByteOfHeaderBodyOrSignatureIsFound) {
  const Bytes good = test::envelope_bytes(header_, key_);
  const auto parsed = Envelope::parse(good);
  ASSERT_TRUE(parsed);
  const auto offset_of = [&](ByteSpan part) {
    return static_cast<std::size_t>(part.data() - parsed->bytes().data());
  };
  for (ByteSpan part : {parsed->header_bytes(), parsed->body()}) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      Bytes bad = good;
      bad[offset_of(part) + i] ^= 1;
      EXPECT_FALSE(accept(bad)) << "byte " << i;
    }
  }
  for (std::size_t i = 0; i < Signature::kSize; ++i) {
    Signature signature = parsed->signature();
    signature.bytes[i] ^= 1;
    EXPECT_FALSE(verify_remains(header_, parsed->header_bytes(), parsed->body_hash(), signature));
  }
}

TEST_F(EnvelopeTest, ENV_004_AnotherKeyCannotSignForTheSender) {
  EXPECT_EQ(accept(test::envelope_bytes(header_, other_)).error().code, Errc::envelope_signature);
}

TEST_F(EnvelopeTest, ENV_004_ASignatureOfAnotherContextIsNoEnvelopeSignature) {
  const Bytes header_bytes = encode_header(header_);
  const Digest body_hash = crypto::blake2b(as_bytes("body"));
  for (std::string_view label :
       {label::kProof, label::kChallenge, label::kInception, label::kRefusal}) {
    const Signature signature = key_.sign(crypto::labelled(label, {header_bytes, body_hash}));
    EXPECT_FALSE(verify_remains(header_, header_bytes, body_hash, signature)) << label;
  }
}

TEST_F(EnvelopeTest, ENV_006_TheDigestCoversTheSignatureAndTheLinkDoesNot) {
  const Bytes header_bytes = encode_header(header_);
  const Digest body_hash = crypto::blake2b(as_bytes("body"));
  Signature one, two;
  two.bytes[0] = 1;
  EXPECT_NE(digest_of(header_bytes, body_hash, one), digest_of(header_bytes, body_hash, two));
  const auto sealed = seal_envelope(header_bytes, as_bytes("body"), key_);
  EXPECT_EQ(sealed.link, link_of(header_bytes, body_hash));
}

TEST_F(EnvelopeTest, ENV_001_OversizedPartsAreRefused) {
  const Bytes header_bytes = encode_header(header_);
  const Bytes body(limits::kBodyBytes + 1);
  EXPECT_EQ(Envelope::parse(seal_envelope(header_bytes, body, key_).bytes).error().code,
            Errc::envelope_too_large);
  EXPECT_TRUE(Envelope::parse(
      seal_envelope(header_bytes, ByteSpan(body).first(limits::kBodyBytes), key_).bytes));
  EXPECT_EQ(Envelope::parse(Bytes(limits::kEnvelopeBytes + 1)).error().code,
            Errc::envelope_too_large);
  Bytes padded = header_bytes;
  padded.resize(limits::kHeaderBytes + 1);
  EXPECT_EQ(decode_header(padded).error().code, Errc::header_malformed);
}

TEST_F(EnvelopeTest, ENV_002_TruncationAnywhereIsMalformed) {
  const Bytes good = test::envelope_bytes(header_, key_);
  for (std::size_t size = 0; size + 1 < good.size(); size += 3)
    EXPECT_FALSE(
        Envelope::parse(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
}

TEST_F(EnvelopeTest, ENV_002_BytesOfAnotherProtocolAreMalformed) {
  for (std::string_view text :
       {"GET / HTTP/1.1\r\n\r\n", "{\"jsonrpc\":\"2.0\",\"method\":\"initialize\"}",
        "SWFRSWFRSWFRSWFR"})
    EXPECT_EQ(Envelope::parse(to_bytes(as_bytes(text))).error().code, Errc::envelope_malformed);
}

TEST_F(EnvelopeTest, ENV_010_To_020_EachWrongFieldHasItsError) {
  struct Case {
    const char* what;
    void (*change)(Header&);
    Errc error;
  };
  const Case cases[] = {
      {"suite", [](Header& h) { h.suite = 2; }, Errc::suite_unsupported},
      {"critical", [](Header& h) { h.critical = {1}; }, Errc::critical_unknown},
      {"uuid version", [](Header& h) { h.id.bytes[6] = 0x40; }, Errc::header_malformed},
      {"uuid variant", [](Header& h) { h.id.bytes[8] = 0x00; }, Errc::header_malformed},
      {"no kind", [](Header& h) { h.kind = Kind::none; }, Errc::kind_unknown},
      {"unknown kind", [](Header& h) { h.kind = static_cast<Kind>(9); }, Errc::kind_unknown},
      {"unknown durability", [](Header& h) { h.durability = static_cast<Durability>(2); },
       Errc::header_malformed},
      {"no conversation", [](Header& h) { h.conversation = {}; }, Errc::header_malformed},
      {"no incarnation", [](Header& h) { h.incarnation = 0; }, Errc::header_malformed},
      {"recipients of an application envelope", [](Header& h) { h.recipients = {h.sender}; },
       Errc::header_malformed},
      {"names outside a welcome", [](Header& h) { h.names.bytes[0] = 1; }, Errc::header_malformed},
      {"a commit without its sender",
       [](Header& h) {
         h.kind = Kind::commit;
         h.recipients = {InstanceKey{{1}}};
       },
       Errc::header_malformed},
      {"a transient commit",
       [](Header& h) {
         h.kind = Kind::commit;
         h.recipients = {h.sender};
         h.durability = Durability::transient;
       },
       Errc::header_malformed},
      {"a recipient twice",
       [](Header& h) {
         h.kind = Kind::commit;
         h.recipients = {h.sender, h.sender};
       },
       Errc::header_malformed},
      {"a welcome without names",
       [](Header& h) {
         h.kind = Kind::welcome;
         h.recipients = {InstanceKey{{1}}};
       },
       Errc::header_malformed},
      {"a letter in a conversation",
       [](Header& h) {
         h.kind = Kind::letter;
         h.recipients = {InstanceKey{{1}}};
       },
       Errc::header_malformed},
      {"expires before created", [](Header& h) { h.expires = h.created; }, Errc::header_malformed},
      {"lives too long", [](Header& h) { h.expires = h.created + limits::kLifetimeMs + 1; },
       Errc::lifetime_too_long},
      {"provenance without a channel", [](Header& h) { h.provenance = "bridged:"; },
       Errc::provenance_invalid},
      {"provenance in capitals", [](Header& h) { h.provenance = "bridged:Telegram"; },
       Errc::provenance_invalid},
      {"provenance of another word", [](Header& h) { h.provenance = "native"; },
       Errc::provenance_invalid},
  };
  EXPECT_EQ(error_of(header_), Errc::closed);
  for (const Case& c : cases) {
    Header header = header_;
    c.change(header);
    EXPECT_EQ(error_of(header), c.error) << c.what;
  }
}

TEST_F(EnvelopeTest, ENV_017_ALetterLivesSevenDaysAtMost) {
  Header letter = header_;
  letter.kind = Kind::letter;
  letter.conversation = {};
  letter.incarnation = 0;
  letter.epoch = 0;
  letter.recipients = {other_.public_key<InstanceKey>()};
  EXPECT_EQ(error_of(letter), Errc::closed);
  letter.expires = letter.created + limits::kLetterLifetimeMs + 1;
  EXPECT_EQ(error_of(letter), Errc::lifetime_too_long);
}

TEST_F(EnvelopeTest, ENV_021_ExpiredAndFutureEnvelopesAreRefused) {
  EXPECT_TRUE(check_times(header_, kNow));
  EXPECT_EQ(check_times(header_, header_.expires).error().code, Errc::envelope_expired);
  EXPECT_EQ(check_times(header_, {kNow.value - limits::kClockSkewMs - 1}).error().code,
            Errc::created_out_of_range);
  EXPECT_EQ(check_times(header_, kNow + kDayMs).error().code, Errc::envelope_expired);
  EXPECT_EQ(check_times(header_, {kNow.value - kDayMs}).error().code, Errc::created_out_of_range);
}

TEST_F(EnvelopeTest, SessionVerificationNamesItselfAndHoldsForTheSessionsKeyOnly) {
  const Bytes bytes = test::envelope_bytes(header_, other_);  // a signature that does not hold
  auto session = verify_session(*Envelope::parse(bytes), header_.sender);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->verification(), Verification::session);
  EXPECT_EQ(verify_session(*Envelope::parse(bytes), other_.public_key<InstanceKey>()).error().code,
            Errc::sender_mismatch);

  Header commit = header_;
  commit.kind = Kind::commit;
  commit.recipients = {commit.sender};
  EXPECT_EQ(verify_session(*Envelope::parse(test::envelope_bytes(commit, other_)), commit.sender)
                .error()
                .code,
            Errc::envelope_signature);
}

TEST_F(EnvelopeTest, IdsAreUuidVersion7OfTheirTime) {
  const EnvelopeId id = make_envelope_id({0x0123456789ab}, random_);
  EXPECT_EQ(as_text(ByteSpan(id).first(6)), std::string_view("\x01\x23\x45\x67\x89\xab", 6));
  EXPECT_EQ(id.bytes[6] >> 4, 7);
  EXPECT_EQ(id.bytes[8] >> 6, 2);
}

}  // namespace
}  // namespace sealwire

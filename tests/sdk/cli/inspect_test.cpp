#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "protocol/envelope/envelope.h"
#include "protocol/identity/did_key.h"
#include "sdk/cli/text.h"
#include "tests/sdk/cli/process.h"

namespace sealwire::cli {
namespace {

using test::sealwire;

class Inspect : public ::testing::Test {
 protected:
  static SealedEnvelope seal(const crypto::SigningKey& key) {
    Header header;
    header.id.bytes = {0x01, 0x8f, 0x00, 0x00, 0x00, 0x00, 0x70, 0x00, 0x80};
    header.sender = key.public_key<InstanceKey>();
    header.kind = Kind::application;
    header.conversation.bytes.fill(0xC0);
    header.incarnation = 1;
    header.epoch = 3;
    header.created = {1'709'210'096'789};
    header.expires = header.created + kHourMs;
    return seal_envelope(encode_header(header), as_bytes(std::string("\0\1\0\2sealed", 10)), key);
  }
  crypto::SystemRandom random_;
  crypto::SigningKey key_ = crypto::SigningKey::generate(random_);
  SealedEnvelope sealed_ = seal(key_);
  test::TemporaryDirectory directory_;
};

TEST_F(Inspect, ShowsWhatABrokerSeesAndThatTheSignatureHolds) {
  const auto run = sealwire(directory_, {"inspect", "--json"}, std::string(as_text(sealed_.bytes)));
  ASSERT_EQ(run.status, 0) << run.err;
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json["kind"], "application");
  EXPECT_EQ(json["sender"], did_key(key_.public_key<InstanceKey>()));
  EXPECT_EQ(json["conversation"], "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0");
  EXPECT_EQ(json["epoch"], 3);
  EXPECT_EQ(json["created"], "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(json["body_bytes"], 10);
  EXPECT_EQ(json["body_format"], "MLS PrivateMessage (RFC 9420)");
  EXPECT_EQ(json["digest"], hex(sealed_.digest));
  EXPECT_EQ(json["signature"], "valid");
}

TEST_F(Inspect, ReadsHexBase64AndFilesAlike) {
  const std::string expected =
      sealwire(directory_, {"inspect"}, std::string(as_text(sealed_.bytes))).out;
  EXPECT_NE(expected.find("signature     valid\n"), std::string::npos) << expected;
  EXPECT_EQ(sealwire(directory_, {"inspect"}, hex(sealed_.bytes) + "\n").out, expected);
  EXPECT_EQ(sealwire(directory_, {"inspect", "-"}, base64(sealed_.bytes) + "\n").out, expected);
  EXPECT_EQ(sealwire(directory_, {"inspect"}, base64url(sealed_.bytes)).out, expected);
  std::ofstream(directory_ / "envelope", std::ios::binary) << as_text(sealed_.bytes);
  EXPECT_EQ(sealwire(directory_, {"inspect", directory_ / "envelope"}).out, expected);
}

TEST_F(Inspect, OneChangedBitOfHeaderBodyOrSignatureIsUntrusted) {
  const auto envelope = Envelope::parse(sealed_.bytes);
  ASSERT_TRUE(envelope);
  for (const ByteSpan part : {envelope->body(), ByteSpan(envelope->signature().bytes)}) {
    Bytes forged = sealed_.bytes;
    const auto at = std::search(forged.begin(), forged.end(), part.begin(), part.end());
    ASSERT_NE(at, forged.end());
    *at ^= 1;
    const auto run = sealwire(directory_, {"inspect"}, hex(forged));
    EXPECT_EQ(run.status, 6);
    EXPECT_NE(run.out.find("signature     INVALID\n"), std::string::npos);
    EXPECT_NE(run.err.find("error: envelope_signature: "), std::string::npos) << run.err;
  }
}

TEST_F(Inspect, AnythingElseIsNamedMalformed) {
  for (const std::string& input :
       {std::string("hello"), std::string(300, '\0'), std::string("00ff")}) {
    const auto run = sealwire(directory_, {"inspect"}, input);
    EXPECT_EQ(run.status, 6);
    EXPECT_EQ(run.err.rfind("error: envelope_malformed", 0), 0U) << run.err;
    EXPECT_EQ(run.out, "");
  }
  EXPECT_EQ(sealwire(directory_, {"inspect"}).status, 6) << "nothing at all";
  EXPECT_EQ(sealwire(directory_, {"inspect", directory_ / "none"}).status, 7) << "no such file";
}

}  // namespace
}  // namespace sealwire::cli

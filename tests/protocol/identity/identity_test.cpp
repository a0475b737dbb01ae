// Keys, ids, key files and invites (SPEC KEY).
#include <gtest/gtest.h>

#include "protocol/identity/did_key.h"
#include "protocol/identity/invite.h"
#include "protocol/identity/key_file.h"
#include "tests/support/envelopes.h"

namespace sealwire {
namespace {

using test::kNow;

class IdentityTest : public testing::Test {
 protected:
  test::SeededRandom random_{3};
  crypto::SigningKey key_ = crypto::SigningKey::generate(random_);
};

TEST_F(IdentityTest, KEY_004_TextFormsHaveOneSpelling) {
  const auto key = key_.public_key<InstanceKey>();
  const std::string did = did_key(key);
  EXPECT_TRUE(did.starts_with("did:key:z6Mk"));
  EXPECT_EQ(*parse_did_key(did), key);
  std::string upper = did;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  for (const std::string& bad :
       {upper, "DID:key:" + did.substr(8), did + " ", " " + did, did + "1",
        did.substr(0, did.size() - 1), "did:key:z1" + did.substr(9), "did%3Akey%3A" + did.substr(8),
        did + "#key", did + "\xcc\x81", std::string("did:key:z"), std::string(),
        std::string("did:web:example.org"), std::string(100000, 'z')})
    EXPECT_EQ(parse_did_key(bad).error().code, Errc::did_malformed) << bad.substr(0, 80);
}

TEST_F(IdentityTest, KEY_004_KeysOfOtherKindsAreRefused) {
  // X25519, P-256 and secp256k1 forms begin with other multicodec bytes.
  for (std::string_view text : {"did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
                                "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"})
    EXPECT_EQ(parse_did_key(text).error().code, Errc::did_malformed);
}

TEST_F(IdentityTest, AgentIdsComeBackFromTheirText) {
  AgentId id = random_.make<AgentId>();
  id.bytes[0] = id.bytes[1] = 0;  // leading zeros have a spelling of their own
  EXPECT_EQ(*parse_agent_id(agent_text(id)), id);
  EXPECT_EQ(parse_agent_id("agent:z").error().code, Errc::agent_id_malformed);
  EXPECT_EQ(parse_agent_id(did_key(InstanceKey{})).error().code, Errc::agent_id_malformed);
}

TEST_F(IdentityTest, KEY_003_AnInceptionCertifiesItsAgentId) {
  const SignedStatement inception = make_inception(key_, kNow);
  const auto identity = verify_inception(inception);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->instance, key_.public_key<InstanceKey>());
  EXPECT_EQ(identity->created, kNow);
  EXPECT_NE(verify_inception(make_inception(key_, kNow + 1))->agent, identity->agent);

  for (std::size_t i = 0; i < inception.statement.size(); ++i) {
    SignedStatement bad = inception;
    bad.statement[i] ^= 1;
    EXPECT_FALSE(verify_inception(bad)) << i;
  }
  SignedStatement bad = inception;
  bad.signature.bytes[5] ^= 1;
  EXPECT_EQ(verify_inception(bad).error().code, Errc::inception_invalid);
}

TEST_F(IdentityTest, KEY_005_PrekeysAreCheckedForOwnerSignatureAndTime) {
  const auto owner = key_.public_key<InstanceKey>();
  const auto prekey = random_.make<PrekeyKey>();
  const auto statement = make_prekey(key_, prekey, kNow, kNow + limits::kPrekeyLifetimeMs);
  EXPECT_EQ(verify_prekey(statement, owner, kNow)->key, prekey);
  const auto error = [&](const SignedStatement& s, const InstanceKey& o, UnixMillis now) {
    return verify_prekey(s, o, now).error().code;
  };
  EXPECT_EQ(error(statement, random_.make<InstanceKey>(), kNow), Errc::prekey_invalid);
  EXPECT_EQ(error(statement, owner, kNow + limits::kPrekeyLifetimeMs), Errc::prekey_invalid);
  EXPECT_EQ(error(statement, owner, {kNow.value - kHourMs}), Errc::prekey_invalid);
  EXPECT_EQ(
      error(make_prekey(key_, prekey, kNow, kNow + limits::kPrekeyLifetimeMs + 1), owner, kNow),
      Errc::prekey_invalid);
  SignedStatement forged = statement;
  forged.signature.bytes[0] ^= 1;
  EXPECT_EQ(error(forged, owner, kNow), Errc::prekey_invalid);
}

TEST_F(IdentityTest, KeyFilesComeBackWithAndWithoutAPassphrase) {
  for (KeyRole role : {KeyRole::agent, KeyRole::broker}) {
    const KeyFile file = make_key_file(role, kNow, random_);
    for (std::string_view passphrase : {"", "correct horse"}) {
      const auto text = encode_key_file(file, passphrase, random_);
      ASSERT_TRUE(text);
      EXPECT_EQ(needs_passphrase(*text), !passphrase.empty());
      const auto back = decode_key_file(*text, passphrase);
      ASSERT_TRUE(back) << back.error().detail;
      EXPECT_EQ(back->role, role);
      EXPECT_EQ(back->key.public_bytes(), file.key.public_bytes());
      EXPECT_EQ(back->inception, file.inception);
    }
  }
}

TEST_F(IdentityTest, KeyFilesSayWhatIsWrong) {
  const KeyFile file = make_key_file(KeyRole::agent, kNow, random_);
  const std::string sealed = *encode_key_file(file, "secret", random_);
  EXPECT_EQ(decode_key_file(sealed, "").error().code, Errc::passphrase_wrong);
  EXPECT_EQ(decode_key_file(sealed, "Secret").error().code, Errc::passphrase_wrong);
  EXPECT_EQ(sealed.find(base64url(file.key.seed().span())), std::string::npos)
      << "the seed is not in clear";

  const std::string plain = *encode_key_file(file, "", random_);
  std::string greedy = sealed;
  greedy.replace(greedy.find(" 268435456 "), 11, " 999999999999 ");
  for (const std::string& bad :
       {std::string(), std::string("hello"), plain.substr(0, plain.size() / 2), greedy,
        plain + plain, std::string(9000, 'a')})
    EXPECT_EQ(decode_key_file(bad, "secret").error().code, Errc::key_file_malformed);

  const KeyFile other = make_key_file(KeyRole::agent, kNow, random_);
  const std::string other_text = *encode_key_file(other, "", random_);
  const std::string mixed =
      plain.substr(0, plain.find("seed")) + other_text.substr(other_text.find("seed"));
  EXPECT_EQ(decode_key_file(mixed, "").error().code, Errc::key_file_malformed)
      << "an inception of another key";
}

TEST_F(IdentityTest, InvitesComeBackFromTheirText) {
  const Invite invite{*verify_inception(make_inception(key_, kNow)),
                      random_.make<BrokerKey>(),
                      {"wss://127.0.0.1:7410", "tcp://127.0.0.1:7411?curve=00"},
                      kNow + kHourMs,
                      random_.secret<32>()};
  const std::string text = invite_text(invite);
  const auto back = parse_invite(text);
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(back->inviter.agent, invite.inviter.agent);
  EXPECT_EQ(back->endpoints, invite.endpoints);
  EXPECT_EQ(back->key(), invite.key());
  for (std::size_t i = 16; i < text.size(); i += 7) {
    std::string bad = text;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    const auto parsed = parse_invite(bad);
    if (!parsed) continue;
    EXPECT_EQ(parsed->inviter.agent, invite.inviter.agent) << "damage never names another agent";
  }
  EXPECT_EQ(parse_invite(text.substr(0, text.size() - 9)).error().code, Errc::invite_malformed);
  EXPECT_EQ(parse_invite("https://example.org").error().code, Errc::invite_malformed);
}

TEST_F(IdentityTest, KEY_021_RedemptionsAreSignedWithTheSeed) {
  const auto seed = random_.secret<32>();
  const auto agent = random_.make<AgentId>();
  const auto transcript = random_.make<Digest>();
  const auto redemption = make_redemption(seed, agent, transcript);
  const auto verified = verify_redemption(redemption);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->agent, agent);
  EXPECT_EQ(verified->transcript, transcript);
  SignedStatement bad = redemption;
  bad.signature.bytes[1] ^= 1;
  EXPECT_EQ(verify_redemption(bad).error().code, Errc::invite_invalid);
}

TEST_F(IdentityTest, HexAndBase64HaveOneSpelling) {
  EXPECT_EQ(hex(*parse_hex("00ff10")), "00ff10");
  EXPECT_TRUE(parse_hex("")->empty());
  for (std::string_view bad : {"0", "0g", "FF", "0 0", "00:ff"})
    EXPECT_FALSE(parse_hex(bad)) << bad;
  EXPECT_EQ(base64url(*parse_base64url("AP8Q")), "AP8Q");
  for (std::string_view bad : {"A", "AP8Q=", "AP/Q", "AB"})
    EXPECT_FALSE(parse_base64url(bad)) << bad;
}

}  // namespace
}  // namespace sealwire

// ATK-37: names that look alike. On the wire identities are bytes; only what people type is text.
#include <gtest/gtest.h>

#include "protocol/crypto/crypto.h"
#include "protocol/identity/did_key.h"
#include "tests/support/seeded_random.h"

namespace sealwire {
namespace {

class Names : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { crypto::initialise(); }
  test::SeededRandom random_{37};
  std::string did_ = did_key(crypto::SigningKey::generate(random_).public_key<InstanceKey>());
  std::string agent_ = agent_text(random_.make<AgentId>());
  void expect_refused(std::string did, std::string agent) const {
    EXPECT_FALSE(parse_did_key(did)) << did;
    EXPECT_FALSE(parse_agent_id(agent)) << agent;
  }
};

TEST_F(Names, Atk37a_A_name_in_another_case_is_another_name_or_none) {
  ASSERT_TRUE(parse_did_key(did_));
  ASSERT_TRUE(parse_agent_id(agent_));
  expect_refused("DID:key:" + did_.substr(8), "AGENT:" + agent_.substr(6));
  expect_refused("did:Key:" + did_.substr(8), "Agent:" + agent_.substr(6));
  for (std::size_t at = 9; at < did_.size(); ++at) {
    std::string other = did_;
    other[at] = static_cast<char>(other[at] ^ 0x20);
    const auto parsed = parse_did_key(other);
    EXPECT_TRUE(!parsed || *parsed != *parse_did_key(did_)) << other;
  }
}

TEST_F(Names, Atk37b_Percent_encoding_is_not_decoded) {
  expect_refused("did%3Akey%3A" + did_.substr(8), "agent%3A" + agent_.substr(6));
  expect_refused(did_.substr(0, 12) + "%6D" + did_.substr(13),
                 agent_.substr(0, 9) + "%6D" + agent_.substr(10));
  expect_refused(did_ + "%00", agent_ + "%00");
}

TEST_F(Names, Atk37c_Letters_that_only_look_alike_are_refused) {
  for (const char* letter : {"\xd0\xb0", "e\xcc\x81", "\xef\xbd\x81", "\xe2\x80\x8b"}) {
    expect_refused(did_.substr(0, 12) + letter + did_.substr(13),
                   agent_.substr(0, 9) + letter + agent_.substr(10));
    expect_refused(letter + did_, agent_ + letter);
  }
}

TEST_F(Names, Atk37d_Anything_around_a_name_is_refused) {
  for (const char* extra : {" ", "\n", "#", "?x", "/", ";"}) {
    expect_refused(did_ + extra, agent_ + extra);
    expect_refused(extra + did_, extra + agent_);
  }
  expect_refused("did:key:z1" + did_.substr(9), "agent:z1" + agent_.substr(7));
}

}  // namespace
}  // namespace sealwire

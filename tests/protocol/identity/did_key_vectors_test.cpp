// did:key against the vectors of the W3C Credentials Community Group.
#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "protocol/crypto/crypto.h"
#include "protocol/identity/did_key.h"
#include "tests/support/vectors.h"

namespace sealwire {
namespace {

TEST(DidKeyVectors, EveryEd25519KeyHasItsText) {
  const auto vectors = test::load_vectors("did-key/ed25519-x25519.json");
  if (!vectors) return;
  int checked = 0;
  for (const auto& [did, entry] : vectors->items()) {
    const auto key = parse_did_key(did);
    ASSERT_TRUE(key) << did;
    EXPECT_EQ(did_key(*key), did);
    if (entry.contains("seed")) {
      const auto seed = crypto::SigningSeed::from(*parse_hex(entry["seed"].get<std::string>()));
      EXPECT_EQ(crypto::SigningKey::from_seed(*seed).public_key<InstanceKey>(), *key) << did;
    }
    ++checked;
  }
  EXPECT_GT(checked, 0);
  std::cout << "did:key vectors: " << checked << " cases passed\n";
}

}  // namespace
}  // namespace sealwire

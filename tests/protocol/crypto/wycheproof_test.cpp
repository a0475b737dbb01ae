// Attack vectors of Project Wycheproof and of C2SP CCTV. "acceptable" cases may go either way in
// general; what we do with them is stated, and checked, per primitive.
#include "protocol/crypto/crypto.h"
#include "tests/support/vectors.h"

namespace sealwire::crypto {
namespace {

using nlohmann::json;

Bytes hex(const json& value) {
  const auto text = value.get<std::string>();
  Bytes out(text.size() / 2);
  if (text.empty()) return out;
  EXPECT_EQ(
      sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, nullptr, nullptr),
      0);
  return out;
}

std::string label(const json& test) {
  return "tcId " + test.at("tcId").dump() + " " + test.at("comment").get<std::string>();
}

bool flagged(const json& test, const char* flag) {
  const json& flags = test.at("flags");
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

template <class Check>
void for_each_test(const char* file, Check check) {
  initialise();
  const auto vectors = test::load_vectors(std::string("wycheproof/") + file);
  if (!vectors) return;
  std::size_t count = 0;
  for (const json& group : vectors->at("testGroups")) {
    for (const json& entry : group.at("tests")) {
      SCOPED_TRACE(label(entry));
      check(group, entry, entry.at("result").get<std::string>());
      ++count;
    }
  }
  EXPECT_EQ(count, vectors->at("numberOfTests").get<std::size_t>());
  if (!::testing::Test::HasFailure())
    std::cout << "wycheproof: " << count << " cases passed (" << file << ")\n";
}

// Twists and non-canonical encodings are computed as RFC 7748 says; an all-zero result is refused.
TEST(Wycheproof, x25519_computes_every_case_and_refuses_all_zero_results) {
  for_each_test("x25519_test.json", [](const json&, const json& entry, const std::string& result) {
    const auto key = AgreementKey::from_secret(*Secret<32>::from(hex(entry.at("private"))));
    const Bytes peer = hex(entry.at("public"));
    const auto shared = agree(key.secret, std::span<const std::uint8_t, 32>(peer));
    const bool zero = flagged(entry, "ZeroSharedSecret");
    EXPECT_TRUE(!zero || result != "valid");
    ASSERT_EQ(shared.has_value(), !zero);
    if (shared) {
      EXPECT_EQ(to_bytes(shared->span()), hex(entry.at("shared")));
    } else {
      EXPECT_EQ(shared.error().code, Errc::key_low_order);
    }
  });
}

TEST(Wycheproof, ed25519_accepts_the_valid_and_nothing_else) {
  for_each_test("ed25519_test.json", [](const json& group, const json& entry,
                                        const std::string& result) {
    const Bytes key = hex(group.at("publicKey").at("pk"));
    const auto signature = Signature::from(hex(entry.at("sig")));
    const bool accepted = signature && verify(std::span<const std::uint8_t, 32>(key),
                                              hex(entry.at("msg")), *signature);
    EXPECT_NE(result, "acceptable") << "this file has no such case; say here what to do with it";
    EXPECT_EQ(accepted, result == "valid");
  });
}

TEST(Wycheproof, chacha20_poly1305_seals_and_opens_the_valid_and_nothing_else) {
  for_each_test("chacha20_poly1305_test.json",
                [](const json& group, const json& entry, const std::string& result) {
                  const Bytes key = hex(entry.at("key"));
                  const Bytes nonce = hex(entry.at("iv"));
                  if (group.at("ivSize") != 96 || nonce.size() != kAeadNonceBytes) {
                    EXPECT_EQ(result, "invalid") << "our types take nonces of 96 bits only";
                    return;
                  }
                  Bytes sealed = hex(entry.at("ct"));
                  const Bytes tag = hex(entry.at("tag"));
                  sealed.insert(sealed.end(), tag.begin(), tag.end());
                  const std::span<const std::uint8_t, 32> key_span(key);
                  const std::span<const std::uint8_t, 12> nonce_span(nonce);
                  const auto opened = aead_open(key_span, nonce_span, hex(entry.at("aad")), sealed);
                  ASSERT_EQ(opened.has_value(), result == "valid");
                  if (!opened) return;
                  EXPECT_EQ(*opened, hex(entry.at("msg")));
                  EXPECT_EQ(aead_seal(key_span, nonce_span, hex(entry.at("aad")), *opened), sealed);
                });
}

TEST(Wycheproof, hkdf_sha256_gives_every_valid_output) {
  for_each_test("hkdf_sha256_test.json",
                [](const json&, const json& entry, const std::string& result) {
                  const auto size = entry.at("size").get<std::size_t>();
                  if (result == "invalid") {  // beyond 255 blocks: a caller's mistake, which aborts
                    EXPECT_GT(size, 255u * 32);
                    return;
                  }
                  const auto prk = hkdf_extract(hex(entry.at("salt")), hex(entry.at("ikm")));
                  EXPECT_EQ(to_bytes(hkdf_expand(prk.span(), hex(entry.at("info")), size).span()),
                            hex(entry.at("okm")));
                });
}

// A verifier's choice where RFC 8032 leaves one: libsodium's, which refuses low-order keys and
// points and every encoding that is not canonical, and so leaves no second signature of a message
// by these means. Everything it accepts here is free of those; the count is of this file.
TEST(Cctv, ed25519_accepts_no_low_order_point_and_no_other_encoding) {
  initialise();
  const auto vectors = test::load_vectors("ed25519/ed25519vectors.json");
  if (!vectors) return;
  std::size_t accepted = 0;
  for (const json& entry : *vectors) {
    SCOPED_TRACE("number " + entry.at("number").dump());
    const Bytes key = hex(entry.at("key"));
    if (!verify(std::span<const std::uint8_t, 32>(key),
                as_bytes(entry.at("msg").get<std::string>()),
                *Signature::from(hex(entry.at("sig")))))
      continue;
    ++accepted;
    for (const char* flag : {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R"}) {
      EXPECT_FALSE(entry.at("flags").is_array() && flagged(entry, flag)) << flag;
    }
  }
  if (!HasFailure())
    std::cout << "cctv: " << vectors->size() << " cases passed (" << accepted << " accepted)\n";
}

}  // namespace
}  // namespace sealwire::crypto

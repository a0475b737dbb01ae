#include "adapters/bridges/host/signature.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include "sdk/cli/text.h"
#include "tests/support/seeded_random.h"

namespace sealwire::bridge {
namespace {

constexpr UnixMillis kNow{1'700'000'000'000};

struct Signed {
  test::SeededRandom random{7};
  crypto::SigningKey key = crypto::SigningKey::generate(random);
  std::map<std::string, VerifyKey> keys{{"alice", key.public_bytes()}};
  HttpRequest request{"POST", "https://bridge.example/hook?x=1", {}};
  Bytes body = to_bytes(as_bytes("{\"a\":1}"));

  Signed() {
    for (auto& [name, value] : sign_request(request, body, "alice", key, random, kNow))
      request.headers[name] = value;
  }
  bool good(UnixMillis now = kNow) const {
    return verify_request(request, keys, now).has_value() && is_digest_of(request, body);
  }
  // Signs by hand, so that what is signed can be anything.
  void sign_base(const std::string& base, const std::string& raw) {
    request.headers["signature-input"] = "s=" + raw;
    request.headers["signature"] = "s=:" + cli::base64(key.sign(as_bytes(base)).span()) + ":";
  }
};

TEST(Signature, WhatWasSignedIsVerified) {
  const Signed made;
  EXPECT_EQ(verify_request(made.request, made.keys, kNow).value(), "alice");
  EXPECT_TRUE(is_digest_of(made.request, made.body));
}

TEST(Signature, AnotherMethodTargetBodyOrKeyIsRefused) {
  const auto spoilt = [](auto spoil) {
    Signed made;
    spoil(made);
    return !made.good();
  };
  EXPECT_TRUE(spoilt([](Signed& s) { s.request.method = "PUT"; }));
  EXPECT_TRUE(spoilt([](Signed& s) { s.request.uri = "https://bridge.example/hook?x=2"; }));
  EXPECT_TRUE(spoilt([](Signed& s) { s.request.uri = "https://other.example/hook?x=1"; }));
  EXPECT_TRUE(spoilt([](Signed& s) { s.body.back() ^= 1U; }));
  EXPECT_TRUE(spoilt([](Signed& s) { s.request.headers["content-digest"] += ","; }));
  EXPECT_TRUE(spoilt([](Signed& s) { s.keys["alice"][0] ^= 1U; }));
  EXPECT_TRUE(spoilt([](Signed& s) { s.keys = {{"bob", s.key.public_bytes()}}; }));
  for (const char* header : {"content-digest", "signature", "signature-input"})
    EXPECT_TRUE(spoilt([&](Signed& s) { s.request.headers.erase(header); })) << header;
}

TEST(Signature, ItIsGoodForFiveMinutes) {
  const Signed made;
  EXPECT_TRUE(made.good({kNow.value + 299'000}));
  EXPECT_TRUE(made.good({kNow.value - 299'000}));
  EXPECT_FALSE(made.good({kNow.value + 301'000}));
  EXPECT_FALSE(made.good({kNow.value - 301'000}));
}

// The example of RFC 9421 appendix B.2.6: its signature is right, and covers too little for us.
TEST(Signature, TheExampleOfTheRfc) {
  const auto key = cli::parse_base64("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").value();
  VerifyKey bytes{};
  std::ranges::copy(key, bytes.begin());
  HttpRequest request{
      "POST",
      "https://example.com/foo?param=Value&Pet=dog",
      {{"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
       {"content-type", "application/json"},
       {"content-length", "18"},
       {"signature-input",
        R"re(sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")re"},
       {"signature",
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WP"
        "pBKRCw==:"}}};
  const UnixMillis then{1'618'884'475'000};
  EXPECT_TRUE(verify_signature(request, {{"test-key-ed25519", bytes}}, then).has_value());
  EXPECT_EQ(verify_request(request, {{"test-key-ed25519", bytes}}, then).error().detail,
            "method, target and Content-Digest are not all signed");
  request.headers["date"] = "Tue, 20 Apr 2021 02:07:56 GMT";
  EXPECT_FALSE(verify_signature(request, {{"test-key-ed25519", bytes}}, then).has_value());
}

TEST(Signature, ASignatureThatCoversTooLittleIsRefused) {
  Signed made;
  const std::string raw = R"re(("@method" "@target-uri");created=1700000000;keyid="alice")re";
  made.sign_base(
      "\"@method\": POST\n\"@target-uri\": " + made.request.uri + "\n\"@signature-params\": " + raw,
      raw);
  EXPECT_TRUE(verify_signature(made.request, made.keys, kNow).has_value());
  EXPECT_FALSE(made.good());
}

TEST(Signature, NothingAroundTheFormIsTaken) {
  const char* bad[] = {
      "",
      "s=",
      "s=()",
      R"re(s=("@method";req "@target-uri" "content-digest");created=1700000000;keyid="alice")re",
      R"re(s=("@method" "@target-uri" "content-digest");keyid="alice")re",
      R"re(s=("@method" "@target-uri" "content-digest");created=1700000000;created=1;keyid="alice")re",
      R"re(s=("@method" "@target-uri" "content-digest");created=1700000000;keyid="alice", t=())re",
      R"re(s=("@method" "@method" "@target-uri" "content-digest");created=1700000000;keyid="alice")re",
      R"re(s=("@method" "@target-uri" "content-digest");created=1700000000;alg="hmac-sha256";keyid="alice")re",
      R"re(s=("@method" "@target-uri" "content-digest");created=99999999999999999999;keyid="alice")re",
  };
  for (const char* input : bad) {
    Signed made;
    made.request.headers["signature-input"] = input;
    EXPECT_FALSE(made.good()) << input;
  }
  Signed made;
  made.request.headers["signature-input"] = "s=(" + std::string(100'000, '"') + ")";
  EXPECT_FALSE(made.good()) << "a long one";
}

}  // namespace
}  // namespace sealwire::bridge

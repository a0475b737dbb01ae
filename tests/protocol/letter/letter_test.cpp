// The sealed letter (SPEC E2E-040 to E2E-043).
#include "protocol/letter/letter.h"

#include <gtest/gtest.h>

#include "protocol/crypto/hpke.h"
#include "protocol/statement.h"
#include "tests/support/seeded_random.h"

namespace sealwire {
namespace {

class LetterTest : public testing::Test {
 protected:
  Bytes seal(std::string_view text) {
    return *seal_letter(PrekeyKey{prekey_.public_key}, as_bytes("header"), as_bytes(text), random_);
  }
  test::SeededRandom random_{11};
  crypto::AgreementKey prekey_ = crypto::AgreementKey::generate(random_);
};

TEST_F(LetterTest, OpensWithItsPrekeyAndHeader) {
  for (std::string_view text :
       {"", "x", "a letter of some length, whose size is not told exactly"}) {
    const auto opened = open_letter(prekey_, as_bytes("header"), seal(text));
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(as_text(*opened), text);
  }
}

TEST_F(LetterTest, NeverOpensUnderAnotherHeaderOrPrekey) {
  const Bytes body = seal("hello");
  EXPECT_EQ(open_letter(prekey_, as_bytes("another"), body).error().code,
            Errc::letter_undecryptable);
  const auto other = crypto::AgreementKey::generate(random_);
  EXPECT_EQ(open_letter(other, as_bytes("header"), body).error().code, Errc::letter_prekey_unknown);
}

TEST_F(LetterTest, EveryChangedByteIsFound) {
  const Bytes body = seal("hello");
  for (std::size_t i = 0; i < body.size(); ++i) {
    Bytes bad = body;
    bad[i] ^= 1;
    EXPECT_FALSE(open_letter(prekey_, as_bytes("header"), bad)) << i;
  }
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_FALSE(open_letter(prekey_, as_bytes("header"), ByteSpan(body).first(size))) << size;
}

TEST_F(LetterTest, SizesShowPaddedOnly) {
  EXPECT_EQ(seal(std::string(1000, 'a')).size(), seal(std::string(1015, 'a')).size());
}

TEST_F(LetterTest, E2E_041_OtherPaddingIsRefused) {
  const auto open = [&](const Bytes& plaintext) {
    const auto sealed = crypto::hpke::seal_base(prekey_.public_key, as_bytes(label::kLetter),
                                                as_bytes("header"), plaintext, random_);
    Bytes body(prekey_.public_key.begin(), prekey_.public_key.end());
    body.insert(body.end(), sealed->enc.begin(), sealed->enc.end());
    body.insert(body.end(), sealed->ciphertext.begin(), sealed->ciphertext.end());
    return open_letter(prekey_, as_bytes("header"), body);
  };
  EXPECT_EQ(open({0, 0, 0, 9, 'x'}).error().code, Errc::letter_malformed)
      << "a length beyond the end";
  EXPECT_EQ(open({0, 0}).error().code, Errc::letter_malformed) << "no length";
  Bytes hidden = {0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 1};  // Padmé gives 9 bytes 10
  EXPECT_EQ(open(hidden).error().code, Errc::letter_malformed) << "something in the padding";
  hidden[9] = 0;
  EXPECT_TRUE(open(hidden));
  Bytes long_padding = {0, 0, 0, 1, 'x', 0, 0, 0, 0, 0};
  EXPECT_EQ(open(long_padding).error().code, Errc::letter_malformed) << "more padding than needed";
}

TEST_F(LetterTest, LowOrderPrekeysAreRefused) {
  EXPECT_EQ(seal_letter(PrekeyKey{}, {}, {}, random_).error().code, Errc::key_low_order);
}

}  // namespace
}  // namespace sealwire

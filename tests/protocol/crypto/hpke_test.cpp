// HPKE against RFC 9180's own vector, and what must fail.
#include "protocol/crypto/hpke.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace sealwire::crypto::hpke {
namespace {

Bytes hex(std::string_view text) {
  Bytes out(text.size() / 2);
  if (text.empty()) return out;
  EXPECT_EQ(
      sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, nullptr, nullptr),
      0);
  return out;
}

/// Gives out one value, so that the ephemeral key of a published vector can be used.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(Bytes value) : value_(std::move(value)) {}
  void fill(std::span<std::uint8_t> out) override {
    ASSERT_EQ(out.size(), value_.size());
    std::copy(value_.begin(), value_.end(), out.begin());
  }

 private:
  Bytes value_;
};

// RFC 9180 appendix A.2.1.
const Bytes kIkmE = hex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b");
const Bytes kSkEm = hex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600");
const Bytes kIkmR = hex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df");
const Bytes kPkRm = hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
const Bytes kSkRm = hex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
const Bytes kEnc = hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
const Bytes kInfo = hex("4f6465206f6e2061204772656369616e2055726e");
const Bytes kAad = hex("436f756e742d30");
const Bytes kPlaintext = hex("4265617574792069732074727574682c20747275746820626561757479");
const Bytes kCiphertext = hex(
    "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28");

AgreementKey recipient() {
  return AgreementKey::from_secret(*Secret<32>::from(kSkRm));
}

TEST(Hpke, derives_the_key_pairs_of_rfc_9180) {
  EXPECT_TRUE(std::ranges::equal(derive_key_pair(kIkmE).secret.span(), kSkEm));
  EXPECT_TRUE(std::ranges::equal(derive_key_pair(kIkmR).public_key, kPkRm));
}

TEST(Hpke, seals_and_opens_the_first_message_of_rfc_9180_a_2_1) {
  FixedRandom ephemeral(kSkEm);
  const auto sealed = seal_base(recipient().public_key, kInfo, kAad, kPlaintext, ephemeral);
  ASSERT_TRUE(sealed);
  EXPECT_TRUE(std::ranges::equal(sealed->enc, kEnc));
  EXPECT_EQ(sealed->ciphertext, kCiphertext);
  const auto opened = open_base(kEnc, recipient(), kInfo, kAad, kCiphertext);
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, kPlaintext);
}

TEST(Hpke, exports_the_same_secret_on_both_sides_and_another_for_another_context) {
  test::SeededRandom random(1);
  const auto sent = send_export_base(recipient().public_key, kInfo, as_bytes("a"), 32, random);
  ASSERT_TRUE(sent);
  const auto received = receive_export_base(sent->enc, recipient(), kInfo, as_bytes("a"), 32);
  ASSERT_TRUE(received);
  EXPECT_TRUE(std::ranges::equal(sent->secret.span(), received->span()));
  const auto other = receive_export_base(sent->enc, recipient(), kInfo, as_bytes("b"), 32);
  ASSERT_TRUE(other);
  EXPECT_FALSE(std::ranges::equal(received->span(), other->span()));
}

TEST(Hpke, exports_the_secrets_of_rfc_9180_a_2_1) {
  const std::pair<Bytes, const char*> cases[] = {
      {{}, "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e"},
      {{0x00}, "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69"},
      {hex("54657374436f6e74657874"),
       "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"}};
  for (const auto& [context, expected] : cases) {
    const auto exported = receive_export_base(kEnc, recipient(), kInfo, context, 32);
    ASSERT_TRUE(exported);
    EXPECT_EQ(to_bytes(exported->span()), hex(expected));
  }
}

TEST(Hpke, refuses_any_changed_bit_of_enc_ciphertext_info_and_aad) {
  const auto flipped = [](Bytes bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    return bytes;
  };
  for (std::size_t bit = 0; bit < kCiphertext.size() * 8; ++bit)
    EXPECT_FALSE(open_base(kEnc, recipient(), kInfo, kAad, flipped(kCiphertext, bit)));
  for (std::size_t bit = 0; bit < kEnc.size() * 8; ++bit)
    EXPECT_FALSE(open_base(flipped(kEnc, bit), recipient(), kInfo, kAad, kCiphertext));
  EXPECT_FALSE(open_base(kEnc, recipient(), flipped(kInfo, 3), kAad, kCiphertext));
  EXPECT_FALSE(open_base(kEnc, recipient(), kInfo, flipped(kAad, 3), kCiphertext));
}

TEST(Hpke, refuses_low_order_points_and_wrong_lengths) {
  const Bytes zero(32);
  test::SeededRandom random(1);
  const auto sealed =
      seal_base(std::span<const std::uint8_t, 32>(zero), {}, {}, kPlaintext, random);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Errc::key_low_order);
  const auto opened = open_base(zero, recipient(), kInfo, kAad, kCiphertext);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::key_low_order);
  EXPECT_FALSE(open_base(ByteSpan(kEnc).first(31), recipient(), kInfo, kAad, kCiphertext));
  EXPECT_FALSE(open_base(kEnc, recipient(), kInfo, kAad, ByteSpan(kCiphertext).first(15)));
}

}  // namespace
}  // namespace sealwire::crypto::hpke

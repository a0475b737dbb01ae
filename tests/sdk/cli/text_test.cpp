#include "sdk/cli/text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sealwire::cli {
namespace {

TEST(Text, PrintableKeepsWordsAndTakesTerminalControlAway) {
  EXPECT_EQ(printable("Grüße, 世界\n\tok 🦭"), "Grüße, 世界\n\tok 🦭");
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(printable("a\rb\x7f"), "a\\x0db\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b") << "C1 control sequence introducer";
  EXPECT_EQ(printable("abc\xe2\x80\xae"
                      "fed"),
            "abc\\u202efed")
      << "right-to-left override";
}

TEST(Text, PrintableShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xff"
                      "a\xc0\xaf"),
            "\\xffa\\xc0\\xaf")
      << "overlong slash";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82") << "cut short";
}

TEST(Text, DurationsHaveUnitsAndBounds) {
  EXPECT_EQ(parse_duration_ms("90").value(), 90'000U);
  EXPECT_EQ(parse_duration_ms("1500ms").value(), 1500U);
  EXPECT_EQ(parse_duration_ms("5m").value(), 300'000U);
  EXPECT_EQ(parse_duration_ms("1h").value(), kHourMs);
  EXPECT_EQ(parse_duration_ms("7d").value(), 7 * kDayMs);
  EXPECT_EQ(parse_duration_ms("0").value(), 0U);
  for (const char* wrong : {"", "h", "1w", "-1", "1.5h", " 1", "1 h", "366d",
                            "18446744073709551615d", "99999999999999999999"})
    EXPECT_FALSE(parse_duration_ms(wrong)) << wrong;
}

TEST(Text, DurationTextParsesBackToTheSameTime) {
  for (const std::uint64_t ms :
       {1ULL, 1500ULL, 90'000ULL, 3'600'000ULL, 86'400'000ULL, 90'061'000ULL})
    EXPECT_EQ(parse_duration_ms(duration_text(ms)).value(), ms) << duration_text(ms);
}

TEST(Text, TimeIsRfc3339) {
  EXPECT_EQ(time_text({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_text({1'709'210'096'789}), "2024-02-29T12:34:56.789Z");
}

TEST(Text, Base64IsTheOneOfRfc4648AndNoOther) {
  EXPECT_EQ(base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(as_text(parse_base64("Zm9vYg==").value()), "foob");
  EXPECT_TRUE(parse_base64("")->empty());
  EXPECT_FALSE(parse_base64("9\2470s")) << "no digit, whatever libsodium says";
  for (const char* wrong : {"Zg", "Zg=", "Z===", "Zh==", "Zg==\n", "_-=="})
    EXPECT_FALSE(parse_base64(wrong)) << wrong;
}

TEST(Text, ALineIsOneLineWhateverItHolds) {
  const std::string line = to_line({{"text", "a\nb\xff\x1b"}});
  EXPECT_EQ(line, "{\"text\":\"a\\nb\xef\xbf\xbd\\u001b\"}\n");
}

}  // namespace
}  // namespace sealwire::cli

// Content and padding (SPEC E2E).
#include "protocol/content/content.h"

#include <gtest/gtest.h>

#include "protocol/limits.h"
#include "protocol/padding.h"

namespace sealwire {
namespace {

Content text(std::string_view data) {
  Content content;
  content.media_type = "text/plain";
  content.data = to_bytes(as_bytes(data));
  return content;
}

TEST(Content, ComesBackAsItWasWritten) {
  Content request = text("what time is it?");
  request.kind = ContentKind::request;
  request.deadline = {1'800'000'000'000};
  request.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  Content reply = text("{}");
  reply.media_type = "application/json";
  reply.kind = ContentKind::reply;
  reply.reply_to = message_id(EnvelopeId{{1, 2, 3}}, 0x0102);
  const std::vector<Content> items{request, reply, text("")};
  const auto decoded = decode_content(encode_content(items));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(*decoded, items);
}

TEST(Content, E2E_030_WhatIsNotContentIsRefused) {
  EXPECT_EQ(decode_content(encode_content({})).error().code, Errc::content_malformed);
  const std::vector<Content> many(limits::kContentItems + 1, text("x"));
  EXPECT_EQ(decode_content(encode_content(many)).error().code, Errc::content_malformed);
  for (std::string_view type :
       {"", "text", "/plain", "text/", "text/pl\nain", "text/pl\xc3\xa4in"}) {
    Content content = text("x");
    content.media_type = type;
    EXPECT_EQ(decode_content(encode_content({&content, 1})).error().code, Errc::content_malformed)
        << type;
  }
  Content content = text("x");
  content.media_type = "text/" + std::string(limits::kMediaTypeBytes, 'a');
  EXPECT_EQ(decode_content(encode_content({&content, 1})).error().code, Errc::content_malformed);
  const Bytes good = encode_content(std::vector{text("x")});
  for (std::size_t size = 0; size < good.size(); size += 3)
    EXPECT_FALSE(decode_content(ByteSpan(good).first(size)));
}

TEST(Padme, E2E_006_CostsTwelvePercentAtMostAndLeaksFewSizes) {
  // Values of the PURBs paper's function, worked by hand: 9 = 0b1001, e = 3, b = 2, low bits 1.
  EXPECT_EQ(padme(0), 0u);
  EXPECT_EQ(padme(1), 1u);
  EXPECT_EQ(padme(2), 2u);
  EXPECT_EQ(padme(9), 10u);
  EXPECT_EQ(padme(1000), 1024u);
  std::size_t sizes = 0, last = 0;
  for (std::size_t size = 1; size <= 1'000'000; ++size) {
    const std::size_t padded = padme(size);
    ASSERT_GE(padded, size);
    ASSERT_LE(padded * 100, size * 112 + 100);
    ASSERT_EQ(padme(padded), padded);
    if (padded != last) ++sizes, last = padded;
  }
  EXPECT_LT(sizes, 300u);
}

}  // namespace
}  // namespace sealwire

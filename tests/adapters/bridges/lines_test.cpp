#include "adapters/bridges/process/lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sealwire::bridge {
namespace {

template <class Kind>
Kind good(std::string_view line) {
  auto said = parse_said(line);
  EXPECT_TRUE(said) << line << ": " << (said ? "" : said.error().detail);
  return said ? std::get<Kind>(*said) : Kind{};
}

TEST(BridgeLines, EveryOperationIsRead) {
  EXPECT_TRUE(good<Hello>(R"({"op":"hello","contract":1,"name":"x","ask":true})").ask);
  EXPECT_EQ(
      good<Receive>(R"({"op":"receive","id":"1","chat":"c","user":"u","base64":"/w=="})").content,
      (Content{"application/octet-stream", {0xFF}}));
  EXPECT_EQ(good<Pair>(R"({"op":"pair","id":"1","chat":"c","user":"u","code":"k"})").code, "k");
  EXPECT_EQ(
      good<Answer>(R"({"op":"answer","id":"1","chat":"c","user":"u","delivery":"d","choice":2})")
          .choice,
      2U);
  EXPECT_EQ(good<Delivered>(R"({"op":"delivered","delivery":"d"})").delivery, "d");
  EXPECT_EQ(good<Failed>(R"({"op":"failed","delivery":"d","retry_after_ms":7})").retry_after_ms,
            7U);
  EXPECT_EQ(good<Moved>(R"({"op":"moved","chat":"c","to":"d"})").to, "d");
  EXPECT_EQ(
      good<Fetch>(R"({"op":"fetch","ref":"1","url":"https://a/","json":{"a":1}})").body.size(), 7U);
}

TEST(BridgeLines, WhatIsNotOfTheContractIsRefused) {
  for (const char* line : {
           "",
           "[]",
           "{",
           R"({"op":"shout"})",
           R"({"op":"hello","contract":2,"name":"x"})",
           R"({"op":"hello","contract":1,"name":"X"})",
           R"({"op":"hello","contract":1,"name":"x","pears":true})",
           R"({"op":"delivered"})",
           R"({"op":"delivered","delivery":7})",
           R"({"op":"delivered","delivery":""})",
           R"({"op":"receive","id":"1","chat":"c","user":"u"})",
           R"({"op":"receive","id":"1","chat":"c","user":"u","text":"a","json":1})",
           R"({"op":"failed","delivery":"d","retry_after_ms":-1})",
           R"({"op":"fetch","ref":"1","url":"u","headers":{"a":1}})",
       })
    EXPECT_FALSE(parse_said(line)) << line;
  EXPECT_FALSE(parse_said(R"({"op":"delivered","delivery":")" + std::string(129, 'x') + "\"}"));
}

TEST(BridgeLines, Atk43a_JSON_of_any_depth_width_or_number_is_read_or_refused_and_no_more) {
  constexpr std::size_t kMany = 500'000;
  const auto many = [](std::string_view text) {
    std::string all;
    for (std::size_t i = 0; i < kMany; ++i)
      all += text;
    return all;
  };
  const std::string begin = R"({"op":"receive","id":"1","chat":"c","user":"u","json":)";
  for (const std::string& bomb :
       {many("["), many(R"({"a":)"), begin + many("[") + many("]") + "}", many("]"),
        begin + "[" + many("1,") + "1]}", begin + "1" + many("0") + "}", begin + "1e999999999}",
        begin + "\"" + many("\\u0000") + "\"}"})
    EXPECT_FALSE(parse_said(bomb)) << bomb.substr(0, 80);
  EXPECT_TRUE(parse_said(begin + "[[[[1]]]]}"));
}

TEST(BridgeLines, WhatIsToldIsOneLineWhateverItHolds) {
  Deliver deliver{"1", "c", "eve\n{}", {"text/plain", to_bytes(as_bytes("a\nb\xFF"))}, {"ok\n"}};
  const std::string line = write_told(deliver);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["base64"], "YQpi/w==") << "not UTF-8";
  EXPECT_EQ(json["from"], "eve\n{}");
}

}  // namespace
}  // namespace sealwire::bridge

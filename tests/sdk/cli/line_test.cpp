#include "sdk/cli/pipe/line.h"

#include <gtest/gtest.h>

namespace sealwire::cli {
namespace {

std::string complaint(std::string_view line) {
  const auto operation = parse_operation(line);
  return operation ? "accepted" : operation.error().cause;
}

TEST(PipeLine, EveryOperationOfTheDocumentParses) {
  const auto send = parse_operation(R"({"op":"send","ref":"1","to":"bob","text":"hello"})");
  ASSERT_TRUE(send);
  EXPECT_EQ(send->op, Op::send);
  EXPECT_EQ(send->ref, "1");
  EXPECT_EQ(send->to, "bob");
  EXPECT_EQ(send->content, (Typed{"text/plain", to_bytes(as_bytes("hello"))}));

  const auto request =
      parse_operation(R"({"op":"request","to":"bob","json":{"b":1,"a":[2]},"deadline_ms":5000})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->deadline_ms, 5000U);
  EXPECT_EQ(request->content,
            (Typed{"application/json", to_bytes(as_bytes(R"({"b":1,"a":[2]})"))}));

  const auto reply = parse_operation(
      R"({"op":"reply","message":"01","base64":"AP8=","media_type":"image/x-two-bytes"})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->message, "01");
  EXPECT_EQ(reply->content, (Typed{"image/x-two-bytes", {0x00, 0xff}}));

  EXPECT_EQ(parse_operation(R"({"op":"ack","message":"01"})")->op, Op::ack);
  EXPECT_EQ(parse_operation(R"({"op":"peers"})")->op, Op::peers);
}

TEST(PipeLine, WhatIsWrongIsNamed) {
  EXPECT_EQ(complaint(""), "not a JSON object");
  EXPECT_EQ(complaint("[]"), "not a JSON object");
  EXPECT_EQ(complaint("{"), "not a JSON object");
  EXPECT_EQ(complaint("{}"), "\"op\" is missing");
  EXPECT_EQ(complaint(R"({"op":7})"), "\"op\" is not a string");
  EXPECT_EQ(complaint(R"({"op":"sned"})"), "\"sned\" is not an operation");
  EXPECT_EQ(complaint(R"({"op":"send","text":"x"})"), "\"to\" is missing");
  EXPECT_EQ(complaint(R"({"op":"send","to":"b"})"),
            "one of \"text\", \"json\" and \"base64\" is wanted");
  EXPECT_EQ(complaint(R"({"op":"send","to":"b","text":"x","json":1})"),
            "one of \"text\", \"json\" and \"base64\" is wanted");
  EXPECT_EQ(complaint(R"({"op":"send","to":"b","base64":"?"})"),
            "\"base64\" is not base64 with padding");
  EXPECT_EQ(complaint(R"({"op":"send","to":"b","text":"x","txt":1})"),
            "\"txt\" is not a member of \"send\"");
  EXPECT_EQ(complaint(R"({"op":"ack","message":"01","text":"x"})"),
            "\"text\" is not a member of \"ack\"");
  for (const char* deadline : {"0", "-1", "1.5", "\"9\"", "86400001", "1e400"})
    EXPECT_NE(complaint(std::string(R"({"op":"request","to":"b","text":"x","deadline_ms":)") +
                        deadline + "}"),
              "accepted")
        << deadline;
}

TEST(PipeLine, TheRefOfAWrongLineIsKeptSoThatItsAnswerIsFound) {
  const auto wrong = parse_operation(R"({"op":"nothing","ref":"17"})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().ref, "17");
  EXPECT_EQ(parse_operation(R"({"op":"peers","ref":")" + std::string(129, 'r') + "\"}").error().ref,
            "");
}

TEST(PipeLine, DeepJsonIsRefusedWithoutRecursion) {
  const std::string bomb(1'000'000, '[');
  EXPECT_FALSE(parse_json(bomb));
  EXPECT_FALSE(parse_json(std::string(65, '[') + std::string(65, ']')));
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\""))
      << "brackets in a string are no depth";
  EXPECT_TRUE(parse_json(R"(["\"", ")" + std::string(100, '{') + "\"]"));
  EXPECT_FALSE(parse_json(R"("\\")" + std::string(100, '['))) << "the string ended before them";
}

TEST(PipeLine, ContentIsShownAsWhatItIs) {
  const auto shown = [](std::string media_type, std::string_view data) {
    Json event = Json::object();
    put_content(event, {std::move(media_type), to_bytes(as_bytes(data))});
    return event.dump();
  };
  EXPECT_EQ(shown("text/plain", "hi"), R"({"media_type":"text/plain","text":"hi"})");
  EXPECT_EQ(shown("application/json", R"({"a":1})"),
            R"({"media_type":"application/json","json":{"a":1}})");
  EXPECT_EQ(shown("application/x+json; v=1", "[1]"),
            R"({"media_type":"application/x+json; v=1","json":[1]})");
  EXPECT_EQ(shown("application/json", "{"), R"({"media_type":"application/json","text":"{"})");
  EXPECT_EQ(shown("text/plain", "\xff"), R"({"media_type":"text/plain","base64":"/w=="})");
  EXPECT_EQ(shown("image/png", "hi"), R"({"media_type":"image/png","base64":"aGk="})");
}

}  // namespace
}  // namespace sealwire::cli

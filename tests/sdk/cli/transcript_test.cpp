#include "sdk/cli/up/transcript.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/sdk/cli/process.h"

namespace sealwire::cli {
namespace {

const std::string kLine =
    R"({"time":"t","level":"debug","message":"envelope kind=application id=0a sender=did:key:z6Mk )"
    R"(conversation=0b sequence=7 bytes=401 digest=0c0d0e0f0c0d0e0f0c0d"})";

const Transcript::Speaker kAlice{"alice", "did:key:z6Mk"};
const Transcript::Speaker kBob{"bob", "did:key:z6Bob"};

TEST(Transcript, ReadsWhatTheBrokerLogsOfAnEnvelopeAndNothingElse) {
  const auto seen = parse_seen(kLine);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->kind, "application");
  EXPECT_EQ(seen->id, "0a");
  EXPECT_EQ(seen->sender, "did:key:z6Mk");
  EXPECT_EQ(seen->sequence, 7U);
  EXPECT_EQ(seen->bytes, 401U);
  EXPECT_EQ(seen->digest, "0c0d0e0f0c0d0e0f0c0d");
  for (const char* other :
       {"", "text", "{}", "[1]", R"({"message":7})", R"({"message":"stopping"})"})
    EXPECT_FALSE(parse_seen(other)) << other;
}

TEST(Transcript, EachEnvelopeStandsBesideWhatWasSaidWhenItPassed) {
  const test::TemporaryDirectory directory;
  std::ofstream log(directory / "log");
  log << "{\"message\":\"ready\"}\n" << kLine << "\n" << kLine.substr(0, 20) << std::flush;
  std::ostringstream out;
  Transcript transcript(out, directory / "log", false);
  transcript.said(kAlice, "bob", "hi");
  EXPECT_NE(out.str().find("alice → bob: hi"), std::string::npos);
  EXPECT_NE(out.str().find("application   401 B  0c0d0e0f0c0d0e0f…\n"), std::string::npos)
      << out.str();
  out.str("");
  transcript.said(kBob, "alice", "nothing passed yet");
  EXPECT_EQ(out.str().find("application"), std::string::npos) << "half a line is not read";
  log << kLine.substr(20) << "\n" << std::flush;
  transcript.said(kBob, "alice", "not mine");
  EXPECT_EQ(out.str().find("application"), std::string::npos) << "it is alice's";
  transcript.said(kAlice, "bob", "mine");
  EXPECT_NE(out.str().find("application"), std::string::npos);
}

TEST(Transcript, TheSearchFindsATextThatLeaked) {
  const test::TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "broker/store");
  std::ofstream(directory / "broker/store/db") << "nothing here";
  std::ostringstream out;
  Transcript transcript(out, directory / "broker/log", true);
  transcript.said(kAlice, "bob", "the secret");
  EXPECT_TRUE(transcript.search(directory / "broker"));
  std::ofstream(directory / "broker/store/wal") << std::string("\0\0 the secret \0", 14);
  EXPECT_FALSE(transcript.search(directory / "broker"));
  EXPECT_NE(out.str().find("store/wal"), std::string::npos);
}

}  // namespace
}  // namespace sealwire::cli

#include <gtest/gtest.h>

#include "tests/sdk/cli/process.h"

namespace sealwire::cli {
namespace {

using test::sealwire;

class Usage : public ::testing::Test {
 protected:
  test::TemporaryDirectory home_;
};

TEST_F(Usage, AMistakeIsStatusTwoAndNamesTheHelpToRead) {
  const auto run = sealwire(home_, {"inspect", "--wrong"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_NE(run.err.find("--wrong"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("try:   sealwire inspect --help\n"), std::string::npos) << run.err;
  EXPECT_EQ(sealwire(home_, {}).status, 2);
  const auto unknown = sealwire(home_, {"frobnicate", "bob"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("\"frobnicate\" is no command of sealwire\n"), std::string::npos)
      << unknown.err;
}

TEST_F(Usage, WithJsonTheMistakeIsOneJsonLine) {
  const auto run = sealwire(home_, {"--json", "inspect", "--wrong"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.err.rfind("{\"error\":{\"code\":\"", 0), 0U) << run.err;
}

TEST_F(Usage, HelpAndVersionAreDataAndSucceed) {
  EXPECT_EQ(sealwire(home_, {"--version"}).out.rfind("sealwire 0.1.0", 0), 0U);
  const auto help = sealwire(home_, {"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.err, "");
  const std::string document = test::slurp(SEALWIRE_SOURCE_DIR "/docs/cli.md");
  for (const char* command :
       {"up", "key", "whoami", "invite", "login", "peer", "send", "recv", "req", "reply",
        "conversation", "inspect", "status", "doctor", "pipe"}) {
    EXPECT_NE(help.out.find(std::string("\n  ") + command), std::string::npos) << command;
    EXPECT_NE(document.find(std::string("| `sealwire ") + command), std::string::npos) << command;
    EXPECT_EQ(sealwire(home_, {command, "--help"}).status, 0) << command;
  }
}

TEST_F(Usage, ConformanceIsAnotherProgramBesideThisOne) {
  // Where that was not built, the failure says so.
  const auto run = sealwire(home_, {"conformance", "--version"});
  if (run.status == 0) {
    EXPECT_EQ(run.out.rfind("sealwire-conformance ", 0), 0U) << run.out;
  } else {
    EXPECT_NE(run.err.find("sealwire-conformance is neither beside"), std::string::npos) << run.err;
  }
}

}  // namespace
}  // namespace sealwire::cli

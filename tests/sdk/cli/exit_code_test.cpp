#include "sdk/cli/exit_code.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sdk/cli/failure.h"
#include "tests/sdk/cli/process.h"

namespace sealwire::cli {
namespace {

TEST(ExitCodes, AreNumberedFromZeroWithoutGaps) {
  int expected = 0;
  for (const ExitCodeRow& row : exit_codes())
    EXPECT_EQ(static_cast<int>(row.code), expected++);
}

TEST(ExitCodes, DocumentShowsTheWholeTable) {
  const std::string document = test::slurp(SEALWIRE_SOURCE_DIR "/docs/cli.md");
  for (const ExitCodeRow& row : exit_codes()) {
    const std::string line =
        fmt::format("| {} | {} | {} |\n", static_cast<int>(row.code), row.name, row.meaning);
    EXPECT_NE(document.find(line), std::string::npos) << "docs/cli.md lacks: " << line;
  }
}

TEST(ExitCodes, NoErrorEndsAsSuccess) {
  for (const Errc code : all_errors())
    EXPECT_NE(exit_code(code), ExitCode::ok) << name(code);
  EXPECT_EQ(exit_code(Errc::denied), ExitCode::denied);
  EXPECT_EQ(exit_code(Errc::connect_failed), ExitCode::unreachable);
  EXPECT_EQ(exit_code(Errc::timeout), ExitCode::timeout);
  EXPECT_EQ(exit_code(Errc::broker_key_mismatch), ExitCode::untrusted);
  EXPECT_EQ(exit_code(Errc::state_locked), ExitCode::state);
  EXPECT_EQ(exit_code(Errc::rate_limited), ExitCode::busy);
}

TEST(Failures, SayCodeCauseAndNextCommand) {
  const Failure failure(Error{Errc::peer_unknown, "no peer is called \"bob\x1b[2J\""});
  EXPECT_EQ(describe(failure, false),
            "error: peer_unknown: no peer is called \"bob\\x1b[2J\"\ntry:   sealwire peer ls\n");
  EXPECT_EQ(describe(Failure(Error{Errc::crypto_failed, ""}), false), "error: crypto_failed\n");
  EXPECT_EQ(describe(Failure(Error{Errc::denied, "no"}, "sealwire status"), true),
            "{\"error\":{\"code\":\"denied\",\"cause\":\"no\",\"try\":\"sealwire status\"}}\n");
}

}  // namespace
}  // namespace sealwire::cli

#include "sdk/cli/input.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "tests/sdk/cli/process.h"

namespace sealwire::cli {
namespace {

class Lines : public ::testing::Test {
 protected:
  ~Lines() override {
    finish();
    if (ends_[0] >= 0) ::close(ends_[0]);
  }
  void write(std::string_view text) {
    EXPECT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void finish() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }
  LineReader::Got next() { return reader_.next(line_, 0); }

  static std::array<int, 2> open_pipe() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe(ends.data()), 0);
    return ends;
  }
  std::array<int, 2> ends_ = open_pipe();
  LineReader reader_{ends_[0], 8};
  std::string line_;
};

using Got = LineReader::Got;

TEST_F(Lines, ComeWholeHoweverTheyArrive) {
  write("on");
  EXPECT_EQ(next(), Got::nothing);
  write("e\ntwo\n\nlast");
  EXPECT_EQ(next(), Got::line);
  EXPECT_EQ(line_, "one");
  EXPECT_EQ(next(), Got::line);
  EXPECT_EQ(line_, "two");
  EXPECT_EQ(next(), Got::line);
  EXPECT_EQ(line_, "");
  EXPECT_EQ(next(), Got::nothing) << "a line ends with its newline, or with the input";
  finish();
  EXPECT_EQ(next(), Got::line);
  EXPECT_EQ(line_, "last");
  EXPECT_EQ(next(), Got::end);
  EXPECT_EQ(next(), Got::end);
}

TEST_F(Lines, ALineBeyondTheBoundIsSkippedAndTheNextOneIsRead) {
  write("12345678\n123456789\nok\n");
  EXPECT_EQ(next(), Got::line);
  EXPECT_EQ(next(), Got::too_long);
  EXPECT_EQ(next(), Got::line);
  EXPECT_EQ(line_, "ok");
}

TEST_F(Lines, AnEndlessLineCostsNoMoreThanTheBound) {
  for (int i = 0; i < 50; ++i) {
    write(std::string(10'000, 'x'));
    EXPECT_EQ(next(), Got::nothing);
  }
  write("\nok\n");
  EXPECT_EQ(next(), Got::too_long);
  EXPECT_EQ(next(), Got::line);
  EXPECT_EQ(line_, "ok");
}

TEST_F(Lines, AnEndlessLineThatIsAlwaysThereLetsTheCallerLookUp) {
  std::thread writer([this] {
    while (::write(ends_[1], "xxxxxxxxxxxxxxxx", 16) > 0) {
    }
  });
  std::signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(reader_.next(line_, -1), Got::nothing);
  ::close(std::exchange(ends_[0], -1));  // ends the writer
  writer.join();
}

TEST_F(Lines, AnEndlessLineThatEndsWithTheInputIsReportedOnce) {
  write(std::string(100, 'x'));
  EXPECT_EQ(next(), Got::nothing);
  finish();
  EXPECT_EQ(next(), Got::too_long);
  EXPECT_EQ(next(), Got::end);
}

TEST(ReadInput, RefusesWhatIsMissingOrTooLarge) {
  const test::TemporaryDirectory directory;
  EXPECT_EQ(read_input(directory / "none", 10).error().code, Errc::file_failed);
  std::ofstream(directory / "file") << "0123456789";
  EXPECT_EQ(read_input(directory / "file", 10).value(), "0123456789");
  EXPECT_EQ(read_input(directory / "file", 9).error().code, Errc::file_failed);
}

}  // namespace
}  // namespace sealwire::cli

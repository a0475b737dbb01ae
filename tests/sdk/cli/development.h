// A development broker with alice and bob, run by the real `sealwire up` for a whole test suite.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "sdk/cli/input.h"
#include "tests/sdk/cli/process.h"

namespace sealwire::cli::test {

inline constexpr int kPatienceMs = 60'000;

/// Lines of JSON from a child, until one that `wanted` likes; null if none comes.
template <class Wanted>
nlohmann::json read_until(LineReader& lines, Wanted wanted) {
  std::string line;
  while (lines.next(line, kPatienceMs) == LineReader::Got::line) {
    auto json = nlohmann::json::parse(line, nullptr, false);
    if (wanted(json)) return json;
  }
  return nullptr;
}

class Development : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<TemporaryDirectory>();
    auto child = Child::start({SEALWIRE_CLI, "up", "--json", "--dir", directory_->path()},
                              *directory_ / "up.err");
    ASSERT_TRUE(child) << child.error().detail;
    up_ = std::make_unique<Child>(std::move(*child));
    LineReader lines(up_->output(), 65536);
    ASSERT_FALSE(
        read_until(lines, [](const auto& event) { return event["event"] == "up"; }).is_null())
        << slurp(*directory_ / "up.err");
  }
  static void TearDownTestSuite() {
    EXPECT_TRUE(!up_ || up_->stop(std::chrono::seconds(20)));
    up_.reset();
    directory_.reset();
  }

  /// `sealwire -c WHO ARGUMENTS…`
  static Ended as(const std::string& who, std::vector<std::string> arguments,
                  const std::string& input = {}) {
    arguments.insert(arguments.begin(), {"--home", *directory_ / "agents", "-c", who});
    return sealwire(*directory_, std::move(arguments), input);
  }

  inline static std::unique_ptr<TemporaryDirectory> directory_;
  inline static std::unique_ptr<Child> up_;
};

/// `sealwire -c WHO pipe` with its two ends.
class Pipe {
 public:
  Pipe(const TemporaryDirectory& directory, const std::string& who) {
    const std::string fifo = directory / ("pipe-" + who);
    std::filesystem::remove(fifo);
    EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    auto child = Child::start({"/bin/sh", "-c", "exec \"$0\" \"$@\" <'" + fifo + "'", SEALWIRE_CLI,
                               "--home", directory / "agents", "-c", who, "pipe"},
                              directory / ("pipe-" + who + ".err"));
    EXPECT_TRUE(child);
    child_ = std::make_unique<Child>(std::move(*child));
    input_.open(fifo);
    lines_ = std::make_unique<LineReader>(child_->output(), 4 * 1024 * 1024);
  }
  void tell(const std::string& line) { input_ << line << std::endl; }
  void tell(const nlohmann::json& line) { tell(line.dump()); }
  /// The next event called `name`; those before it are passed over.
  nlohmann::json wait(const std::string& name) {
    return read_until(*lines_, [&](const auto& event) { return event["event"] == name; });
  }
  void end_input() { input_.close(); }
  /// Its exit status.
  int finish() {
    end_input();
    wait("closed");
    for (;;)
      if (const auto status = child_->ended()) return WEXITSTATUS(*status);
  }

 private:
  std::unique_ptr<Child> child_;
  std::ofstream input_;
  std::unique_ptr<LineReader> lines_;
};

}  // namespace sealwire::cli::test

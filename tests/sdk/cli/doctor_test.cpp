// What `sealwire doctor` makes of machines, processes and files that are not as they should be.
#include <gtest/gtest.h>

#include <algorithm>

#include "sdk/cli/doctor/certificate.h"
#include "sdk/cli/doctor/folder.h"
#include "sdk/cli/doctor/machine.h"
#include "sdk/cli/doctor/process.h"
#include "tests/sdk/cli/process.h"

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;

Finding about(const Findings& all, std::string_view check) {
  const auto found = std::ranges::find(all, check, &Finding::check);
  EXPECT_NE(found, all.end()) << check;
  return found == all.end() ? Finding{} : *found;
}

TEST(Doctor, AMissingLayerIsBadAndSaysWhatToDo) {
  const Findings none = examine_machine({false, 0});
  for (const char* layer : {"seccomp", "landlock"}) {
    EXPECT_EQ(about(none, layer).health, Health::bad) << layer;
    EXPECT_NE(about(none, layer).next, "") << layer;
  }
  EXPECT_EQ(about(examine_machine({true, 4}), "landlock").health, Health::ok);
}

/// A /proc with one process of two threads; `second` is what the kernel says of the other one.
class FakeProc : public ::testing::Test {
 protected:
  void SetUp() override {
    put("7/comm", "sealwired\n");
    put("7/limits",
        "Limit Soft Hard\nMax core file size        0                    0     bytes\n");
    put("7/task/7/status", kCaged);
    put("7/task/8/status", kCaged);
  }
  void put(const std::string& file, const std::string& text) {
    fs::create_directories(fs::path(proc_ / file).parent_path());
    std::ofstream(proc_ / file) << text;
  }
  Findings look() { return examine_process(7, proc_.path()); }
  static std::string with(const std::string& line) {
    const std::string key = line.substr(0, line.find('\t'));
    std::string text = kCaged;
    const auto at = text.find(key);
    return text.replace(at, text.find('\n', at) - at, line);
  }

  static constexpr const char* kCaged =
      "Name:\tsealwired\nUid:\t990\t990\t990\t990\nVmLck:\t       4 kB\nVmSwap:\t       0 kB\n"
      "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";
  test::TemporaryDirectory proc_;
};

TEST_F(FakeProc, OneThatIsCagedHasNothingBad) {
  for (const Finding& each : look())
    EXPECT_TRUE(each.health == Health::ok || each.health == Health::note) << each.check;
}

TEST_F(FakeProc, OneThreadOutsideIsEnough) {
  const struct {
    const char* line;
    const char* check;
    Health health;
  } kCases[] = {{"Seccomp:\t0", "system calls", Health::bad},
                {"NoNewPrivs:\t0", "no new privileges", Health::bad},
                {"CapEff:\t0000000000000001", "capabilities", Health::bad},
                {"CapEff:\t0000000000000400", "capabilities", Health::note},  // low ports
                {"VmLck:\t       0 kB", "key in memory", Health::warning}};
  for (const auto& each : kCases) {
    put("7/task/8/status", with(each.line));
    EXPECT_EQ(about(look(), each.check).health, each.health) << each.line;
  }
}

TEST_F(FakeProc, ACoreThatCouldBeWrittenIsBad) {
  put("7/limits", "Max core file size        0                    unlimited     bytes\n");
  EXPECT_EQ(about(look(), "core dumps").health, Health::bad);
}

TEST_F(FakeProc, AProcessThatIsNotThereOrIsAnotherIsBad) {
  EXPECT_EQ(about(examine_process(9, proc_.path()), "process").health, Health::bad);
  put("7/comm", "sleep\n");
  EXPECT_EQ(about(look(), "process").health, Health::bad);
}

TEST(Doctor, ACertificateIsGoodForTwoWeeksOrIsToBeRenewed) {
  constexpr std::int64_t kNow = 1'800'000'000, kDay = 86'400;
  const auto judged = [&](std::int64_t end) { return judge_certificate("x", end, kNow).health; };
  EXPECT_EQ(judged(kNow + 15 * kDay), Health::ok);
  EXPECT_EQ(judged(kNow + 13 * kDay), Health::warning);
  EXPECT_EQ(judged(kNow - 1), Health::warning);
  EXPECT_EQ(judge_certificate("x", fail(Errc::connect_failed), kNow).health, Health::bad);
}

TEST(Doctor, AKeyThatOthersCanReadIsBad) {
  const test::TemporaryDirectory folder;
  const fs::path file = folder / "agent.key";
  std::ofstream(file) << "secret";
  fs::permissions(file, fs::perms(0600));
  EXPECT_EQ(judge_private(file).health, Health::ok);
  fs::permissions(file, fs::perms(0640));
  EXPECT_EQ(judge_private(file).health, Health::bad);
  EXPECT_EQ(judge_private(folder / "none").health, Health::bad);
}

TEST(Doctor, ANumberInALockFileThatNobodyHoldsIsNoProcess) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "sealwire.db.lock") << "1\n";
  EXPECT_EQ(process_of_store(folder / "sealwire.db"), std::nullopt);
  EXPECT_EQ(process_of_store(folder / "other.db"), std::nullopt);
}

}  // namespace
}  // namespace sealwire::cli

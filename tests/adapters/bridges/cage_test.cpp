// A bridge gone bad in its cage: what it tries is denied, and it lives on to say so.
#include "adapters/bridges/process/cage.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>

#include "adapters/bridges/process/process.h"
#include "adapters/cage/support.h"

namespace sealwire::bridge {
namespace {

std::map<std::string, std::string> attempts(bool caged) {
  std::map<std::string, std::string> outcomes;
  std::promise<void> finished;
  const ProcessOptions options{
      {"/usr/bin/python3", "-s", SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/hostile.py"},
      [](const std::string& line) { ADD_FAILURE() << line; },
      caged};
  auto bridge = start_process(
      options,
      [&](Said said) {
        if (const auto* receive = std::get_if<Receive>(&said))
          outcomes[receive->id] = as_text(receive->content.data);
        if (std::holds_alternative<Delivered>(said)) finished.set_value();
      },
      [&](const Error& why) {
        ADD_FAILURE() << why.detail;
        finished.set_value();
      });
  EXPECT_TRUE(bridge) << (bridge ? "" : bridge.error().detail);
  if (bridge) finished.get_future().wait();
  return outcomes;
}

TEST(Cage, EverythingThatAHostileBridgeTriesIsDenied) {
  ::setenv("SEALWIRE_CANARY", "canary", 1);
  const auto outcomes = attempts(true);
  EXPECT_EQ(outcomes.size(), 17U);
  for (const auto& [name, outcome] : outcomes)
    EXPECT_TRUE(outcome == "EPERM" || outcome == "EACCES") << name << ": " << outcome;
}

struct Ending {
  Errc code;
  bool lived_on;
};

/// Of a bridge that makes this system call.
Ending ending_by(long call) {
  std::promise<Error> ended;
  bool lived_on = false;
  auto bridge = start_process(
      {{"/usr/bin/python3", "-s", SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/hostile.py",
        std::to_string(call)},
       [](const std::string& line) { ADD_FAILURE() << line; }},
      [&](Said said) { lived_on = lived_on || std::holds_alternative<Receive>(said); },
      [&](const Error& why) { ended.set_value(why); });
  EXPECT_TRUE(bridge) << (bridge ? "" : bridge.error().detail);
  return {bridge ? ended.get_future().get().code : bridge.error().code, lived_on};
}

// The host counts endings with `denied`: attempts that nothing but an attack makes are seen.
TEST(Cage, AnAttackUponTheKernelOrOtherProcessesEndsTheBridgeAndIsSeen) {
  for (const long call : {SYS_ptrace, SYS_process_vm_readv, SYS_bpf, SYS_mount, SYS_keyctl,
                          SYS_setns, SYS_perf_event_open, SYS_init_module}) {
    const Ending ending = ending_by(call);
    EXPECT_EQ(ending.code, Errc::denied) << call;
    EXPECT_FALSE(ending.lived_on) << call;
  }
  // The test would show it, if it were otherwise.
  const Ending harmless = ending_by(SYS_getpid);
  EXPECT_EQ(harmless.code, Errc::closed);
  EXPECT_TRUE(harmless.lived_on);
}

/// Files that crashes leave in a fresh folder, with no limit on what they may leave.
std::size_t cores_of(const std::function<void()>& crash) {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "sealwire-XXXXXX").string();
  EXPECT_NE(::mkdtemp(folder.data()), nullptr);
  const fs::path before = fs::current_path();
  rlimit limit{}, most{};
  ::getrlimit(RLIMIT_CORE, &limit);
  most.rlim_cur = most.rlim_max = limit.rlim_max;
  ::setrlimit(RLIMIT_CORE, &most);
  fs::current_path(folder);
  crash();
  fs::current_path(before);
  ::setrlimit(RLIMIT_CORE, &limit);
  const auto files = std::distance(fs::directory_iterator(folder), {});
  fs::remove_all(folder);
  return static_cast<std::size_t>(files);
}

void crash_a_bridge(bool caged) {
  std::promise<Error> ended;
  auto bridge = start_process(
      {{"/usr/bin/python3", "-s", SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/hostile.py",
        "crash"},
       [](const std::string& line) { ADD_FAILURE() << line; },
       caged},
      [](const Said&) { ADD_FAILURE() << "it lives"; },
      [&](const Error& why) { ended.set_value(why); });
  ASSERT_TRUE(bridge) << bridge.error().detail;
  EXPECT_EQ(ended.get_future().get().code, Errc::closed);
}

TEST(Cage, ABridgeThatCrashesLeavesNoCore) {
  EXPECT_EQ(cores_of([] { crash_a_bridge(true); }), 0U);
  EXPECT_EQ(cores_of([] { crash_a_bridge(false); }), 0U);
  // The test would show it, if it were otherwise.
  const auto left = cores_of([] {
    const pid_t pid = ::fork();
    if (pid == 0) ::kill(::getpid(), SIGSEGV);
    ASSERT_GT(pid, 0);
    ::waitpid(pid, nullptr, 0);
  });
  if (left == 0) std::puts("NOT CHECKED: that a crash would leave a core; this machine keeps none");
}

TEST(Cage, WhereALayerIsMissingNothingStartsOrElseThereIsNone) {
  const cage::Support support = cage::support();
  const auto cage = Cage::build({"/usr/bin/python3"});
  EXPECT_EQ(cage.has_value(), support.seccomp && support.landlock > 0);
}

TEST(Cage, Atk43c_What_a_bridge_writes_to_the_log_steers_no_terminal_and_feigns_no_line) {
  std::promise<void> ended;
  std::mutex mutex;
  std::vector<std::string> log;
  auto bridge = start_process(
      {{"/usr/bin/python3", "-s", SEALWIRE_SOURCE_DIR "/tests/adapters/bridges/hostile.py", "log"},
       [&](const std::string& line) {
         const std::lock_guard lock(mutex);
         log.push_back(line);
       }},
      [](const Said&) {}, [&](const Error&) { ended.set_value(); });
  ASSERT_TRUE(bridge) << bridge.error().detail;
  ended.get_future().wait();
  bridge->reset();  // with it ends what reads the log
  EXPECT_EQ(log,
            (std::vector<std::string>{"\\x1b[2J\\x1b]0;title\\x07", "a\\x0dbridge: all is well",
                                      "\\u202eevil", "\\xff\\x00"}));
}

TEST(Cage, AProgramThatIsNotThereIsAnError) {
  const auto bridge = start_process(
      {{"/nowhere/bridge"}, [](const auto&) {}, true}, [](Said) {}, [](const Error&) {});
  ASSERT_FALSE(bridge);
  EXPECT_EQ(bridge.error().code, Errc::file_failed);
}

}  // namespace
}  // namespace sealwire::bridge

// A broker gone bad in its cage: everything that its process tries and a broker never needs is
// denied, in every thread; what a broker does need still works.
#include "broker/cage.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

namespace sealwire::broker {
namespace {

namespace fs = std::filesystem;

/// As an operator who wants it strict lays it out: the store has a folder of its own.
class CagedBroker : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cage::support().landlock == 0) GTEST_SKIP() << "no Landlock here";
    std::string pattern = (fs::temp_directory_path() / "sealwire-cage-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "etc");
    fs::create_directories(root_ / "data");
    std::ofstream(root_ / "etc/sealwired.toml") << "text";
    config_.key_file = root_ / "etc/broker.key";
    config_.store_path = root_ / "data/sealwire.db";
    config_.process.cage = CageMode::required;
  }
  void TearDown() override {
    if (!root_.empty()) fs::remove_all(root_);
  }

  /// Runs `body` in a child process, and gives what it returns.
  static std::string in_child(const std::function<std::string()>& body) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string said = body();
      const ssize_t written = ::write(ends[1], said.data(), said.size());
      ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      said.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << said;
    return said;
  }

  /// In a child process: "" or what failed.
  std::string enter() const {
    const auto entered = enter_cage(config_, root_ / "etc/sealwired.toml", cage::support());
    if (!entered) return entered.error().detail;
    const auto closed = close_cage(config_, *entered);
    return closed ? "" : closed.error().detail;
  }

  fs::path root_;
  Config config_;
};

struct Attempt {
  const char* name;
  std::function<long()> make;
  bool free = true;  // to any process that has no cage, whoever its user is, also in a container
};

long raw(long call, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  return ::syscall(call, a, b, c, d, e);
}

template <class T>
long at(T* it) {
  return reinterpret_cast<long>(it);
}

long open_file(const fs::path& path, int flags) {
  return ::open(path.c_str(), flags | O_CLOEXEC, 0600);
}

/// `old` is a socket from before; `listener` the address of somebody who listens.
std::vector<Attempt> attempts(const fs::path& root, int old, const sockaddr_in* listener) {
  const auto ends_the_child = [](long child) {
    if (child == 0) ::_exit(0);
    return child;
  };
  static const char* const kNoArguments[] = {nullptr};
  static timespec time{1, 0};
  static rlimit most{RLIM_INFINITY, RLIM_INFINITY};
  return {
      // files
      {"read /etc/passwd", [] { return open_file("/etc/passwd", O_RDONLY); }},
      {"read the environment", [] { return open_file("/proc/self/environ", O_RDONLY); }},
      {"write own memory", [] { return open_file("/proc/self/mem", O_RDWR); }},
      {"list the root", [] { return open_file("/", O_RDONLY | O_DIRECTORY); }},
      {"make a file outside", [=] { return open_file(root / "made", O_WRONLY | O_CREAT); }},
      {"change the configuration",
       [=] { return open_file(root / "etc/sealwired.toml", O_WRONLY); }},
      {"make a file beside it", [=] { return open_file(root / "etc/made", O_WRONLY | O_CREAT); }},
      {"make a folder",
       [=] { return raw(SYS_mkdirat, AT_FDCWD, at((root / "data/f").c_str()), 0700); }},
      {"make a link",
       [=] { return raw(SYS_symlinkat, at("/etc"), AT_FDCWD, at((root / "data/l").c_str())); }},
      {"change a mode",
       [=] { return raw(SYS_fchmodat, AT_FDCWD, at((root / "etc").c_str()), 0700); }},
      // the network
      {"connect", [=] { return raw(SYS_connect, old, at(listener), sizeof *listener); }},
      {"socket", [] { return raw(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
      {"local socket", [] { return raw(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
      {"netlink", [] { return raw(SYS_socket, AF_NETLINK, SOCK_RAW, 0); }},
      {"bind", [=] { return raw(SYS_bind, old, at(listener), sizeof *listener); }, false},
      {"listen", [=] { return raw(SYS_listen, old, 1); }},
      // processes
      {"fork", [=] { return ends_the_child(raw(SYS_clone, SIGCHLD)); }},
      {"clone3", [] { return raw(SYS_clone3, 0, 0); }, false},
      {"execve", [] { return raw(SYS_execve, at("/bin/true"), at(kNoArguments), 0); }, false},
      {"execveat", [] { return raw(SYS_execveat, AT_FDCWD, at("/bin/true"), at(kNoArguments)); },
       false},
      {"ptrace", [] { return raw(SYS_ptrace, 0, 0, 0, 0); }},
      {"process_vm_readv", [] { return raw(SYS_process_vm_readv, ::getpid()); }},
      {"process_vm_writev", [] { return raw(SYS_process_vm_writev, ::getpid()); }},
      {"kill the parent", [] { return raw(SYS_kill, ::getppid(), 0); }},
      {"signal the parent", [] { return raw(SYS_tgkill, ::getppid(), ::getppid(), 0); }},
      {"pidfd_open", [] { return raw(SYS_pidfd_open, ::getppid(), 0); }, false},
      // the kernel
      {"io_uring", [] { return raw(SYS_io_uring_setup, 1, 0); }, false},
      {"bpf", [] { return raw(SYS_bpf, 0, 0, 0); }, false},
      {"perf_event_open", [] { return raw(SYS_perf_event_open); }, false},
      {"userfaultfd", [] { return raw(SYS_userfaultfd, 0); }, false},
      {"keyctl", [] { return raw(SYS_keyctl, 0, -3, 0); }, false},
      {"mount", [] { return raw(SYS_mount); }, false},
      {"umount", [] { return raw(SYS_umount2); }, false},
      {"chroot", [] { return raw(SYS_chroot); }, false},
      {"pivot_root", [] { return raw(SYS_pivot_root); }, false},
      {"unshare", [] { return raw(SYS_unshare, 0); }, false},
      {"setns", [] { return raw(SYS_setns, -1, 0); }, false},
      {"load a module", [] { return raw(SYS_init_module); }, false},
      {"load a module's file", [] { return raw(SYS_finit_module, -1); }, false},
      {"load a kernel", [] { return raw(SYS_kexec_load); }, false},
      {"reboot", [] { return raw(SYS_reboot); }, false},
      {"set the clock", [] { return raw(SYS_clock_settime, CLOCK_REALTIME, at(&time)); }, false},
      {"read the kernel's log", [] { return raw(SYS_syslog, 10); }, false},
      {"open by handle", [] { return raw(SYS_open_by_handle_at, -1, 0, 0); }, false},
      {"shared memory", [] { return raw(SYS_shmget, 0, 4096, 01600); }},
      {"memory that executes", [] { return raw(SYS_memfd_create, at("x"), 0); }},
      // the cage itself
      {"setuid", [] { return raw(SYS_setuid, ::getuid()); }},
      {"be dumpable", [] { return raw(SYS_prctl, PR_SET_DUMPABLE, 1); }},
      {"another filter", [] { return raw(SYS_seccomp, 0xff, 0, 0); }, false},
      {"capabilities", [] { return raw(SYS_capset); }},
      {"a larger core", [] { return raw(SYS_prlimit64, 0, RLIMIT_CORE, at(&most), 0); }, false},
  };
}

bool denied(long result, int error) {
  return result == -1 && (error == EPERM || error == EACCES || error == ENOSYS);
}

/// A line for each attempt that was, or was not, denied; `old` as above.
std::string tried(const fs::path& root, int old, const sockaddr_in& listener, bool wanted) {
  std::string names;
  for (const Attempt& each : attempts(root, old, &listener)) {
    errno = 0;
    const long result = each.make();
    const int error = errno;
    if (denied(result, error) != wanted && (wanted || each.free))
      names += std::string(each.name) + ": " + (result < 0 ? std::strerror(error) : "done") + "\n";
  }
  return names;
}

class HostileBroker : public CagedBroker {
 protected:
  void SetUp() override {
    CagedBroker::SetUp();
    if (IsSkipped()) return;
    server_ = ::socket(AF_INET, SOCK_STREAM, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(server_, reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    ASSERT_EQ(::listen(server_, 4), 0);
    socklen_t size = sizeof address_;
    ::getsockname(server_, reinterpret_cast<sockaddr*>(&address_), &size);
    old_ = ::socket(AF_INET, SOCK_STREAM, 0);
  }
  void TearDown() override {
    ::close(server_);
    ::close(old_);
    CagedBroker::TearDown();
  }
  int server_ = -1, old_ = -1;
  sockaddr_in address_{};
};

// What the kernel lets nobody do proves nothing about a cage.
TEST_F(HostileBroker, WithoutTheCageTheSameAttemptsAreNotDenied) {
  EXPECT_EQ(in_child([&] { return tried(root_, old_, address_, false); }), "");
}

TEST_F(HostileBroker, EverythingItTriesIsDenied) {
  EXPECT_EQ(in_child([&] {
              if (auto failed = enter(); !failed.empty()) return failed;
              return tried(root_, old_, address_, true);
            }),
            "");
}

// libzmq's and Asio's threads are there before the listeners stand.
TEST_F(HostileBroker, ItIsDeniedToThreadsFromBeforeTheCageWasClosed) {
  EXPECT_EQ(in_child([&]() -> std::string {
              const auto entered =
                  enter_cage(config_, root_ / "etc/sealwired.toml", cage::support());
              if (!entered) return entered.error().detail;
              std::promise<void> closed;
              std::string names;
              std::thread other([&] {
                closed.get_future().wait();
                names = tried(root_, old_, address_, true);
              });
              const auto done = close_cage(config_, *entered);
              closed.set_value();
              other.join();
              return done ? names : done.error().detail;
            }),
            "");
}

// Telegram's is such a channel. `bind` fails for another reason: the socket is connected by then.
TEST_F(HostileBroker, WithAChannelThatListensByDiallingItDialsAndNoMore) {
  config_.listen.emplace_back().uri = "telegram://1";
  EXPECT_EQ(in_child([&] {
              if (auto failed = enter(); !failed.empty()) return failed;
              return tried(root_, old_, address_, true);
            }),
            "connect: done\nsocket: done\nlocal socket: done\nnetlink: done\n"
            "bind: Invalid argument\n");
}

TEST_F(HostileBroker, WhatABrokerNeedsStillWorks) {
  EXPECT_EQ(in_child([&]() -> std::string {
              if (auto failed = enter(); !failed.empty()) return failed;
              std::string broken;
              const auto good = [&broken](const char* what, bool is) {
                if (!is) broken += std::string(what) + ": " + std::strerror(errno) + "\n";
              };
              good("read the configuration",
                   open_file(root_ / "etc/sealwired.toml", O_RDONLY) >= 0);
              const long file = open_file(root_ / "data/sealwire.db", O_RDWR | O_CREAT);
              good("make the store", file >= 0);
              good("write it", ::pwrite(static_cast<int>(file), "x", 1, 0) == 1);
              good("sync it", ::fdatasync(static_cast<int>(file)) == 0);
              good("shorten it", ::ftruncate(static_cast<int>(file), 0) == 0);
              good("remove it", ::unlink((root_ / "data/sealwire.db").c_str()) == 0);
              bool ran = false;
              std::thread([&] { ran = true; }).join();
              good("a thread", ran);
              return broken;
            }),
            "");
}

TEST_F(CagedBroker, WithoutLandlockOrSeccompItRefusesAndNamesTheLayer) {
  EXPECT_EQ(in_child([&] {
              const auto refused = enter_cage(config_, root_ / "etc", {true, 0});
              return refused
                         ? "entered"
                         : std::string(name(refused.error().code)) + " " + refused.error().detail;
            }),
            "cage_incomplete [process] cage is \"required\", and missing here: Landlock (not "
            "offered here by kernel, container or service)");
  EXPECT_EQ(
      in_child([&] {
        const auto refused = enter_cage(config_, root_ / "etc", {false, cage::support().landlock});
        return refused ? "entered" : refused.error().detail;
      }),
      "[process] cage is \"required\", and missing here: seccomp (not offered here by "
      "kernel, container or service)");
}

TEST_F(CagedBroker, WhatIsAvailableIsTakenAndTheRestIsNamed) {
  config_.process.cage = CageMode::available;
  EXPECT_EQ(in_child([&] {
              const auto entered = enter_cage(config_, root_ / "etc", {true, 0});
              return entered ? describe(*entered) : entered.error().detail;
            }),
            "cage: no new privileges, no capabilities, no core dumps, seccomp; missing: Landlock "
            "(not offered here by kernel, container or service)");
}

TEST_F(CagedBroker, OffIsOffAndIsSaid) {
  config_.process.cage = CageMode::off;
  EXPECT_EQ(in_child([&] {
              const auto entered = enter_cage(config_, root_ / "etc", cage::support());
              if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0) return std::string("it is on");
              return entered ? describe(*entered) : entered.error().detail;
            }),
            "cage: none; missing: all of it: [process] cage is \"off\"");
}

TEST_F(CagedBroker, AUserThatIsNotThereIsAnError) {
  config_.process.user = "sealwire-nobody-at-all";
  const auto refused = become_configured_user(config_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::cage_incomplete);
}

}  // namespace
}  // namespace sealwire::broker

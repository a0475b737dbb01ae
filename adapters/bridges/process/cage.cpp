#include "adapters/bridges/process/cage.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

namespace sealwire::bridge {
namespace {

// Debian 12's header ends before these (Landlock ABI 2, 3, 5).
constexpr std::uint64_t kRefer = 1ULL << 13U;
constexpr std::uint64_t kTruncate = 1ULL << 14U;
constexpr std::uint64_t kIoctlDev = 1ULL << 15U;
constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

// What an interpreter needs to run and to speak on the descriptors that it was given. Absent, and
// so refused: sockets, processes, ptrace, other processes' memory, namespaces, keys, BPF, io_uring,
// anything that writes to a file system.
constexpr auto kAllowed = std::to_array<const char*>({
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "close",
    "lseek",
    "fstat",
    "newfstatat",
    "statx",
    "stat",
    "lstat",
    "access",
    "faccessat",
    "faccessat2",
    "open",
    "openat",
    "readlink",
    "readlinkat",
    "getdents64",
    "getcwd",
    "fcntl",
    "dup",
    "dup2",
    "dup3",
    "pipe2",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "eventfd2",
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "brk",
    "futex",
    "futex_waitv",
    "set_robust_list",
    "get_robust_list",
    "set_tid_address",
    "rseq",
    "membarrier",
    "sched_yield",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "gettid",
    "getpid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getrandom",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "restart_syscall",
    "exit",
    "exit_group",
    "uname",
    "sysinfo",
    "getrlimit",
    "getrusage",
    "arch_prctl",
    "capget",
    "timerfd_create",
    "timerfd_settime",
    "umask",
});

// TCP, where a network namespace leaves nothing but doors.h to talk to.
constexpr auto kSocketCalls = std::to_array<const char*>({
    "bind",
    "listen",
    "accept",
    "accept4",
    "connect",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
});

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};

bool allow(scmp_filter_ctx context, const char* name) {
  const int call = seccomp_syscall_resolve_name(name);
  // A system call that this machine has never heard of needs no permission.
  return call == __NR_SCMP_ERROR || seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 0) == 0;
}

bool add_rules(scmp_filter_ctx context, const char* program, bool tunnels) {
  for (const char* name : kAllowed)
    if (!allow(context, name)) return false;
  const auto rule = [&](std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> where) {
    return seccomp_rule_add_array(context, action, call, static_cast<unsigned>(where.size()),
                                  where.begin()) == 0;
  };
  for (const char* name : kSocketCalls)
    if (tunnels && !allow(context, name)) return false;
  constexpr scmp_datum_t kKind = ~scmp_datum_t{SOCK_CLOEXEC | SOCK_NONBLOCK};
  if (tunnels &&
      !rule(SCMP_ACT_ALLOW, SCMP_SYS(socket),
            {SCMP_A0_64(SCMP_CMP_EQ, AF_INET), SCMP_A1_64(SCMP_CMP_MASKED_EQ, kKind, SOCK_STREAM)}))
    return false;
  // Threads, not processes. clone3's flags lie in memory where a filter cannot look: glibc falls
  // back to clone.
  return rule(SCMP_ACT_ALLOW, SCMP_SYS(clone),
              {SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM)}) &&
         rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), {}) &&
         // The one execve that starts the bridge, known by its argument's address in our memory,
         // which the new program has no part of and cannot learn. A guess would meet Landlock.
         rule(SCMP_ACT_ALLOW, SCMP_SYS(execve),
              {SCMP_A0_64(SCMP_CMP_EQ, reinterpret_cast<std::uintptr_t>(program))}) &&
         rule(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), {SCMP_A2_64(SCMP_CMP_EQ, 0)}) &&
         rule(SCMP_ACT_ALLOW, SCMP_SYS(prctl), {SCMP_A0_64(SCMP_CMP_EQ, PR_SET_NAME)}) &&
         rule(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), {SCMP_A1_64(SCMP_CMP_EQ, 0x5401)}) &&  // TCGETS
         rule(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), {SCMP_A1_64(SCMP_CMP_EQ, 0x5421)}) &&  // FIONBIO
         rule(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), {SCMP_A1_64(SCMP_CMP_EQ, 0x5451)});    // FIOCLEX
}

Result<std::vector<unsigned char>> compile_filter(const char* program, bool tunnels) {
  const Error broken{Errc::crypto_failed, "the system call filter could not be built"};
  const std::unique_ptr<void, Release> context(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  const int file = ::memfd_create("filter", MFD_CLOEXEC);
  if (!context || file < 0 || !add_rules(context.get(), program, tunnels) ||
      seccomp_export_bpf(context.get(), file) != 0)
    return fail(broken);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)));
  const ssize_t got = ::pread(file, bytes.data(), bytes.size(), 0);
  ::close(file);
  if (got != static_cast<ssize_t>(bytes.size())) return fail(broken);
  return bytes;
}

bool grant(int ruleset, const std::string& path, std::uint64_t rights) {
  const int place = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (place < 0) return errno == ENOENT;
  struct stat about {};
  ::fstat(place, &about);
  if (!S_ISDIR(about.st_mode)) rights &= ~std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR};
  const landlock_path_beneath_attr rule{rights, place};
  const long added =
      ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(place);
  return added == 0;
}

// Every right that this kernel knows is taken, and few are given back.
Result<int> build_ruleset(const std::vector<std::string>& command, int abi) {
  std::uint64_t handled = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;
  if (abi >= 2) handled |= kRefer;
  if (abi >= 3) handled |= kTruncate;
  if (abi >= 5) handled |= kIoctlDev;
  const landlock_ruleset_attr attributes{handled};
  const int ruleset =
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (ruleset < 0) return fail(Errc::transport_insecure, "Landlock refused a ruleset");
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path program = fs::canonical(command.at(0), ignored);
  bool good = grant(ruleset, program.string(), kRead | LANDLOCK_ACCESS_FS_EXECUTE);
  // The loader is what executes a program; a library is only read.
  for (const char* path : {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"})
    good = good && grant(ruleset, path, kRead | LANDLOCK_ACCESS_FS_EXECUTE);
  for (const char* path :
       {"/usr/lib", "/usr/local/lib", "/usr/share/zoneinfo", "/lib", "/lib64", "/etc/ld.so.cache",
        "/etc/ssl/openssl.cnf", "/dev/null", "/dev/urandom", "/usr/bin/pyvenv.cfg"})
    good = good && grant(ruleset, path, kRead);
  for (std::size_t i = 1; i < command.size(); ++i)
    if (fs::is_regular_file(command[i], ignored))
      good = good && grant(ruleset, fs::canonical(command[i]).parent_path().string(), kRead);
  if (good) return ruleset;
  ::close(ruleset);
  return fail(Errc::transport_insecure, "Landlock refused a rule");
}

}  // namespace

CageSupport cage_support() {
  CageSupport support;
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  support.seccomp = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  support.landlock = abi > 0 ? static_cast<int>(abi) : 0;
  const pid_t trial = ::fork();
  if (trial == 0) ::_exit(::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
  int status = -1;
  if (trial > 0) ::waitpid(trial, &status, 0);
  support.network_namespace = status == 0;
  return support;
}

Result<Cage> Cage::build(const std::vector<std::string>& command, bool tunnels) {
  const CageSupport support = cage_support();
  if (!support.seccomp || support.landlock < 1)
    return fail(Errc::transport_insecure,
                support.seccomp ? "this kernel has no Landlock" : "this kernel has no seccomp");
  if (tunnels && !support.network_namespace)
    return fail(Errc::transport_insecure,
                "tunnels want a network namespace, which is not permitted here");
  Cage cage;
  SW_TRY(cage.filter_, compile_filter(command.at(0).c_str(), tunnels));
  SW_TRY(cage.ruleset_, build_ruleset(command, support.landlock));
  return cage;
}

Cage::Cage(Cage&& other) noexcept
    : ruleset_(std::exchange(other.ruleset_, -1)), filter_(std::move(other.filter_)) {}

Cage& Cage::operator=(Cage&& other) noexcept {
  std::swap(ruleset_, other.ruleset_);
  std::swap(filter_, other.filter_);
  return *this;
}

Cage::~Cage() {
  if (ruleset_ >= 0) ::close(ruleset_);
}

bool Cage::enter(bool alone) const {
  // A network namespace is one layer more where it is permitted; sockets are refused without it.
  if (!alone) ::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
  sock_fprog program{static_cast<unsigned short>(filter_.size() / sizeof(sock_filter)),
                     reinterpret_cast<sock_filter*>(const_cast<unsigned char*>(filter_.data()))};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_landlock_restrict_self, ruleset_, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace sealwire::bridge

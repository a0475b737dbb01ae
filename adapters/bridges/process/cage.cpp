#include "adapters/bridges/process/cage.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "adapters/cage/support.h"

namespace sealwire::bridge {
namespace {

using cage::Access;

// What an interpreter needs to run and to speak on the descriptors that it was given. Absent, and
// so refused: sockets, processes, ptrace, other processes' memory, namespaces, keys, BPF,
// io_uring, anything that writes to a file system.
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

// What no interpreter calls by itself. Who does is attacking, and is ended; the host counts it.
constexpr auto kDeadly = std::to_array<const char*>({
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "mount",
    "umount2",
    "pivot_root",
    "setns",
    "open_by_handle_at",
    "keyctl",
    "add_key",
    "request_key",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
});

Result<cage::Filter> build_filter(const char* program, bool tunnels) {
  constexpr auto kIs = SCMP_CMP_EQ;
  constexpr scmp_datum_t kKind = ~scmp_datum_t{SOCK_CLOEXEC | SOCK_NONBLOCK};
  cage::FilterBuilder builder(SCMP_ACT_ERRNO(EPERM));
  if (tunnels)
    builder.allow(kSocketCalls)
        .allow("socket",
               {SCMP_A0_64(kIs, AF_INET), SCMP_A1_64(SCMP_CMP_MASKED_EQ, kKind, SOCK_STREAM)});
  return builder.allow(kAllowed)
      .answer(kDeadly, SCMP_ACT_KILL_PROCESS)
      .allow_threads()
      // The one execve that starts the bridge, known by its argument's address in our memory,
      // which the new program has no part of and cannot learn. A guess would meet Landlock.
      .allow("execve", {SCMP_A0_64(kIs, reinterpret_cast<std::uintptr_t>(program))})
      .allow("prlimit64", {SCMP_A2_64(kIs, 0)})
      .allow("prctl", {SCMP_A0_64(kIs, PR_SET_NAME)})
      .allow("ioctl", {SCMP_A1_64(kIs, 0x5401)})  // TCGETS
      .allow("ioctl", {SCMP_A1_64(kIs, 0x5421)})  // FIONBIO
      .allow("ioctl", {SCMP_A1_64(kIs, 0x5451)})  // FIOCLEX
      .build();
}

Result<cage::Ruleset> build_ruleset(const std::vector<std::string>& command, int abi,
                                    bool tunnels) {
  SW_TRY(cage::Ruleset rules, cage::Ruleset::make(abi, tunnels));
  namespace fs = std::filesystem;
  std::error_code ignored;
  SW_CHECK(rules.grant(fs::canonical(command.at(0), ignored), Access::execute));
  // The loader is what executes a program; a library is only read.
  for (const char* path : {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"})
    SW_CHECK(rules.grant(path, Access::execute));
  for (const char* path :
       {"/usr/lib", "/usr/local/lib", "/usr/share/zoneinfo", "/lib", "/lib64", "/etc/ld.so.cache",
        "/etc/ssl/openssl.cnf", "/dev/null", "/dev/urandom", "/usr/bin/pyvenv.cfg"})
    SW_CHECK(rules.grant(path, Access::read));
  for (std::size_t i = 1; i < command.size(); ++i)
    if (fs::is_regular_file(command[i], ignored))
      SW_CHECK(rules.grant(fs::canonical(command[i], ignored).parent_path(), Access::read));
  return rules;
}

}  // namespace

Result<Cage> Cage::build(const std::vector<std::string>& command, bool tunnels) {
  const cage::Support support = cage::support();
  if (!support.seccomp || support.landlock < 1)
    return fail(Errc::cage_incomplete, std::string(support.seccomp ? "Landlock" : "seccomp") +
                                           " is not offered here by kernel, container or service");
  if (tunnels && !cage::network_namespace_available())
    return fail(Errc::cage_incomplete,
                "tunnels want a network namespace, which is not permitted here");
  SW_TRY(cage::Filter filter, build_filter(command.at(0).c_str(), tunnels));
  SW_TRY(cage::Ruleset ruleset, build_ruleset(command, support.landlock, tunnels));
  return Cage(std::move(ruleset), std::move(filter));
}

bool Cage::enter(bool alone) const {
  // A network namespace is one layer more where it is permitted; sockets are refused without it.
  if (!alone) ::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ruleset_.enter() &&
         filter_.enter(cage::Filter::Threads::this_one);
}

}  // namespace sealwire::bridge

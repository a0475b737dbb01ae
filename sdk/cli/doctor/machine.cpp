#include "sdk/cli/doctor/machine.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timex.h>

#include <ctime>
#include <fstream>
#include <string>

namespace sealwire::cli {
namespace {

constexpr rlim_t kMemlockBytes = 64 * 1024;       // more than the pages of a broker's key
constexpr std::time_t kReleased = 1'767'225'600;  // 2026-01-01: no clock is right before it

const char* kNewerKernel =
    "use Linux 5.13 or later with Landlock among its security modules (lsm=landlock,… at boot); in "
    "a container, a runtime that lets it through";

std::string first_line(const char* file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

bool swaps() {
  std::ifstream stream("/proc/swaps");
  std::string line;
  std::getline(stream, line);  // the heading
  return static_cast<bool>(std::getline(stream, line));
}

Finding clock() {
  timex state{};
  const int told = ::adjtimex(&state);
  if (std::time(nullptr) < kReleased)
    return {"clock", Health::bad, "is years behind: certificates and expiries are judged by it",
            "set it, or start a time service (systemd-timesyncd, chrony)"};
  if (told < 0) return {"clock", Health::note, "whether it is synchronised cannot be seen", ""};
  return finding(
      "clock", (state.status & STA_UNSYNC) == 0,
      (state.status & STA_UNSYNC) == 0 ? "synchronised" : "no time service says that it is right",
      "start a time service (systemd-timesyncd, chrony); agents allow five minutes",
      Health::warning);
}

Finding locked_memory() {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  const std::string room = limit.rlim_cur == RLIM_INFINITY
                               ? std::string("no limit")
                               : fmt::format("{} KiB", limit.rlim_cur / 1024);
  return finding("locked memory", limit.rlim_cur >= kMemlockBytes, room,
                 "raise it (ulimit -l, LimitMEMLOCK): a key may be swapped out", Health::warning);
}

}  // namespace

Findings examine_machine(const cage::Support& cage) {
  Findings all;
  all.push_back(finding("seccomp", cage.seccomp, cage.seccomp ? "yes" : "this kernel has none",
                        "use a kernel with CONFIG_SECCOMP_FILTER"));
  all.push_back(finding(
      "landlock", cage.landlock > 0,
      cage.landlock > 0 ? fmt::format("yes, ABI {}", cage.landlock) : "this kernel has none",
      kNewerKernel));
  all.push_back(finding("no new privileges", ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0,
                        "can be set", "use Linux 3.5 or later"));
  const bool namespaces = cage::network_namespace_available();
  all.push_back(finding("user namespaces", namespaces,
                        namespaces ? "yes" : "no: bridges have no sockets anyway", "",
                        Health::note));
  all.push_back({"core pattern", Health::note, first_line("/proc/sys/kernel/core_pattern"), ""});
  all.push_back(locked_memory());
  const bool swapping = swaps();
  all.push_back(finding("swap", !swapping,
                        swapping ? "keys of sessions and of TLS could reach it" : "none",
                        "MemorySwapMax=0 in the service, or encrypted swap", Health::warning));
  all.push_back(clock());
  return all;
}

}  // namespace sealwire::cli

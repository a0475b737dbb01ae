#include "sdk/cli/doctor/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;

using Values = std::set<std::string>;

/// The lines of /proc/PID/task/*/status: for each key what the threads say, each answer once.
std::map<std::string, Values> status_of_threads(const fs::path& process) {
  std::map<std::string, Values> all;
  std::error_code error;
  for (const auto& task : fs::directory_iterator(process / "task", error)) {
    std::ifstream stream(task.path() / "status");
    for (std::string line; std::getline(stream, line);) {
      const auto colon = line.find(':');
      const auto value = line.find_first_not_of(" \t", colon + 1);
      if (colon != std::string::npos && value != std::string::npos)
        all[line.substr(0, colon)].insert(line.substr(value));
    }
  }
  return all;
}

std::string joined(const Values& values) {
  std::string text;
  for (const auto& each : values)
    text += (text.empty() ? "" : ", ") + each;
  return text.empty() ? "not shown" : text;
}

Finding capabilities(const Values& effective) {
  std::uint64_t all = 0;
  for (const auto& each : effective)
    all |= std::strtoull(each.c_str(), nullptr, 16);
  if (all == 1ULL << CAP_NET_BIND_SERVICE)
    return {"capabilities", Health::note,
            "CAP_NET_BIND_SERVICE, for ports below 1024; where system calls are filtered, no "
            "thread can bind any more",
            ""};
  return finding("capabilities", all == 0 && !effective.empty(),
                 all == 0 ? "none" : fmt::format("{:x}", all),
                 "start it without, or let [process] cage drop them");
}

Finding core_limit(const fs::path& process) {
  std::ifstream stream(process / "limits");
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string max, core, file, size, soft, hard;
    words >> max >> core >> file >> size >> soft >> hard;
    if (core == "core")
      return finding(
          "core dumps", soft == "0" && hard == "0",
          soft == "0" && hard == "0" ? "off" : fmt::format("limit {}, at most {}", soft, hard),
          "LimitCORE=0 in the service, or [process] cage");
  }
  return {"core dumps", Health::note, "the limits cannot be read", ""};
}

Finding swapped(const Values& swap) {
  const bool none = swap.contains("0 kB") || swap.empty();
  return finding("swapped memory", none, none ? "none" : joined(swap),
                 "MemorySwapMax=0 in the service", Health::warning);
}

}  // namespace

Findings examine_process(pid_t pid, const fs::path& proc) {
  const fs::path process = proc / std::to_string(pid);
  auto status = status_of_threads(process);
  if (status.empty())
    return {{"process", Health::bad, fmt::format("there is no process {}", pid),
             "start sealwired, or name another --pid"}};
  Findings all;
  std::ifstream comm(process / "comm");
  std::string program;
  std::getline(comm, program);
  all.push_back(finding("process", program == "sealwired", fmt::format("{}, pid {}", program, pid),
                        "name sealwired's own --pid"));
  all.push_back(
      finding("system calls", status["Seccomp"] == Values{"2"},
              status["Seccomp"] == Values{"2"} ? "filtered, in every thread" : "not filtered",
              "see the log's line \"cage:\"; [process] cage = \"required\""));
  all.push_back(finding("no new privileges", status["NoNewPrivs"] == Values{"1"},
                        status["NoNewPrivs"] == Values{"1"} ? "in every thread" : "not set",
                        "NoNewPrivileges=yes in the service, or [process] cage"));
  all.push_back(capabilities(status["CapEff"]));
  const std::string uid = joined(status["Uid"]).substr(0, joined(status["Uid"]).find('\t'));
  all.push_back(finding("user", uid != "0", uid == "0" ? "root" : "user " + uid,
                        "[process] user, or User= in the service", Health::warning));
  all.push_back(core_limit(process));
  const bool locked = !status["VmLck"].contains("0 kB") && !status["VmLck"].empty();
  all.push_back(finding("key in memory", locked, locked ? "locked" : "not locked",
                        "raise the limit of locked memory (LimitMEMLOCK, ulimit -l)",
                        Health::warning));
  all.push_back(swapped(status["VmSwap"]));
  all.push_back({"files (Landlock)", Health::note,
                 "no kernel shows this of another process; the log's line \"cage:\" says it", ""});
  return all;
}

std::optional<pid_t> process_of_store(const fs::path& store) {
  const int file = ::open((store.string() + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return std::nullopt;
  const bool held = ::flock(file, LOCK_SH | LOCK_NB) != 0;
  char text[16] = {};
  const ssize_t size = ::pread(file, text, sizeof text - 1, 0);
  ::close(file);
  const long pid = size > 0 ? std::strtol(text, nullptr, 10) : 0;
  if (!held || pid <= 0) return std::nullopt;
  return static_cast<pid_t>(pid);
}

}  // namespace sealwire::cli

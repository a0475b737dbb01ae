#include "sdk/cli/doctor/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "sdk/cli/doctor/certificate.h"
#include "sdk/cli/find_program.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"
#include "sdk/cli/up/child.h"

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kLeastRoom = 64 * kMiB;
constexpr std::uint64_t kGoodRoom = 1024 * kMiB;
constexpr int kSyncs = 9;  // the middle one counts
constexpr std::int64_t kTooFastMicroseconds = 30;

Finding room(const fs::path& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return {"disk room", Health::bad, folder.string() + ": " + std::strerror(errno), "make it"};
  const std::uint64_t left = disk.f_bavail * disk.f_frsize;
  return finding("disk room", left >= kGoodRoom,
                 fmt::format("{} MiB are left for {}", left / kMiB, folder.string()),
                 "make room: on a full disk senders are refused",
                 left < kLeastRoom ? Health::bad : Health::warning);
}

Finding medium(const fs::path& folder) {
  struct statfs about {};
  if (::statfs(folder.c_str(), &about) != 0)
    return {"disk", Health::note, std::string("not known: ") + std::strerror(errno), ""};
  switch (static_cast<unsigned long>(about.f_type)) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
      return {"disk", Health::bad, "memory, no disk: the next boot forgets all that was accepted",
              "put the store's folder on a disk"};
    case OVERLAYFS_SUPER_MAGIC:
      return {"disk", Health::warning, "a container's own layer: it goes with the container",
              "give the store's folder a volume"};
    case NFS_SUPER_MAGIC:
      return {"disk", Health::warning, "NFS: SQLite's log and locks want a local disk",
              "put the store's folder on a local disk"};
    default:
      return {"disk", Health::ok, "a local file system", ""};
  }
}

/// How long an fsync takes. Whether the drive keeps its word, only cutting its power tells.
Finding syncs(const fs::path& folder) {
  std::string name = (folder / "doctor-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0)
    return {"fsync", Health::note, std::string("not tried: ") + std::strerror(errno),
            "run this as the broker's user"};
  ::unlink(name.c_str());
  std::array<std::int64_t, kSyncs> took{};
  bool good = true;
  for (auto& each : took) {
    const auto start = steady_clock::now();
    good = good && ::pwrite(file, "sealwire", 8, 0) == 8 && ::fsync(file) == 0;
    each =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start).count();
  }
  ::close(file);
  if (!good)
    return {"fsync", Health::bad, "fails: nothing could be accepted here", "look into the disk"};
  std::ranges::sort(took);
  const std::int64_t middle = took[kSyncs / 2];
  if (middle < kTooFastMicroseconds)
    return {"fsync", Health::warning,
            fmt::format("{} us: no drive is that fast; something answers in its place", middle),
            "find out what (memory, eatmydata, a cache without battery)"};
  return {
      "fsync", Health::ok,
      fmt::format("{} us; whether the drive keeps it through a power cut cannot be seen", middle),
      ""};
}

/// Who may change the folder can put another file in a key's place.
Finding closed_folder(const fs::path& folder) {
  struct stat about {};
  if (::stat(folder.c_str(), &about) != 0)
    return {"folder " + folder.string(), Health::bad, std::strerror(errno), "make it"};
  const unsigned mode = about.st_mode & 0777U;
  return finding("folder " + folder.string(), (mode & 077U) == 0, fmt::format("mode {:03o}", mode),
                 "chmod 700 " + folder.string(),
                 (mode & 022U) != 0 ? Health::bad : Health::warning);
}

Finding cage_wanted(const std::string& mode) {
  if (mode == "required") return {"cage wanted", Health::ok, mode, ""};
  if (mode == "off")
    return {"cage wanted", Health::warning, "off: nothing confines the broker",
            "delete the line from [process]"};
  return {"cage wanted", Health::ok, mode + ": what this kernel offers", ""};
}

void judge_files(const Json& config, Findings& all) {
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const fs::path store = config.at("store").get<std::string>();
  all.push_back(judge_private(config.at("key_file").get<std::string>()));
  for (const auto& listen : config.at("listen"))
    for (const auto& [name, value] : listen.at("files").items()) {
      const auto file = value.get<std::string>();
      if (name == "certificate_file")
        all.push_back(judge_certificate(file, certificate_end(file), now));
      else
        all.push_back(judge_private(file));
    }
  for (const char* end : {"", "-wal", "-shm"})
    if (const fs::path file = store.string() + end; fs::exists(file))
      all.push_back(judge_private(file));
  all.push_back(closed_folder(store.parent_path()));
  all.push_back(medium(store.parent_path()));
  all.push_back(room(store.parent_path()));
  all.push_back(syncs(store.parent_path()));
}

Result<Json> ask_sealwired(const fs::path& config) {
  const auto program = find_program("sealwired", "");
  if (!program) return fail(program.error().error);
  SW_TRY(const Finished said,
         run_to_end({*program, "--config", config.string(), "--check", "--json"}, "",
                    Output::captured));
  Json json = Json::parse(said.output, nullptr, false);
  if (!json.is_object() || !json.contains("problems"))
    return fail(Errc::config_invalid, "sealwired --check: " + said.output);
  return json;
}

}  // namespace

Finding judge_private(const fs::path& file) {
  const std::string check = "file " + file.string();
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0)
    return {check, Health::bad, std::strerror(errno), "let `sealwired init DIR` make one"};
  const unsigned mode = about.st_mode & 0777U;
  return finding(check, (mode & 077U) == 0, fmt::format("mode {:03o}", mode),
                 "chmod 600 " + file.string() + "; who could read it until now?");
}

BrokerFolder examine_folder(const fs::path& config) {
  BrokerFolder folder;
  const fs::path file = fs::is_directory(config) ? config / "sealwired.toml" : config;
  const auto json = ask_sealwired(file);
  if (!json) {
    folder.findings.push_back({"configuration", Health::bad, json.error().detail,
                               "sealwired --config " + file.string() + " --check"});
    return folder;
  }
  for (const auto& problem : json->at("problems"))
    folder.findings.push_back({"configuration", Health::bad, problem.get<std::string>(), ""});
  if (!json->contains("store")) return folder;
  if (folder.findings.empty())
    folder.findings.push_back({"configuration", Health::ok, file.string(), ""});
  folder.store = json->at("store").get<std::string>();
  folder.findings.push_back(cage_wanted(json->at("cage").get<std::string>()));
  judge_files(*json, folder.findings);
  return folder;
}

}  // namespace sealwire::cli

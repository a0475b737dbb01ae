#include "adapters/cage/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace sealwire::cage {
namespace {

// Debian 12's header ends before these (Landlock ABI 2, 3, 5; 4 for TCP).
constexpr std::uint64_t kRefer = 1ULL << 13U;
constexpr std::uint64_t kTruncate = 1ULL << 14U;
constexpr std::uint64_t kIoctlDev = 1ULL << 15U;
constexpr std::uint64_t kConnectTcp = 1ULL << 1U;

struct Attributes {
  std::uint64_t files;
  std::uint64_t network;  // an older kernel takes it as long as it is 0
};

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kKeep = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                kTruncate;
// The rights that a rule for a file, not a folder, can carry.
constexpr std::uint64_t kOfFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                   LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;

std::uint64_t rights(Access access) {
  switch (access) {
    case Access::read:
      return kRead;
    case Access::execute:
      return kRead | LANDLOCK_ACCESS_FS_EXECUTE;
    case Access::keep:
      break;
  }
  return kKeep;
}

tl::unexpected<Error> refused(const std::string& what) {
  return fail(Errc::cage_incomplete,
              "Landlock: " + what + ": " + std::generic_category().message(errno));
}

}  // namespace

int landlock_abi() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

Result<Ruleset> Ruleset::make(int abi, bool dials) {
  Attributes wanted{(LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1, 0};
  if (abi >= 2) wanted.files |= kRefer;
  if (abi >= 3) wanted.files |= kTruncate;
  if (abi >= 4 && !dials) wanted.network = kConnectTcp;
  if (abi >= 5) wanted.files |= kIoctlDev;
  const long file = ::syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
  if (file < 0) return refused("no ruleset");
  return Ruleset(static_cast<int>(file), wanted.files);
}

Ruleset::Ruleset(Ruleset&& other) noexcept
    : file_(std::exchange(other.file_, -1)), handled_(other.handled_) {}

Ruleset& Ruleset::operator=(Ruleset&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(handled_, other.handled_);
  return *this;
}

Ruleset::~Ruleset() {
  if (file_ >= 0) ::close(file_);
}

Result<> Ruleset::grant(const std::filesystem::path& path, Access access) {
  const int place = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (place < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return refused(path.string());
  }
  std::uint64_t granted = rights(access) & handled_;
  struct stat about {};
  ::fstat(place, &about);
  if (!S_ISDIR(about.st_mode)) granted &= kOfFiles;
  const landlock_path_beneath_attr rule{granted, place};
  const long added = ::syscall(SYS_landlock_add_rule, file_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(place);
  if (added != 0) return refused(path.string());
  return {};
}

bool Ruleset::enter() const {
  return ::syscall(SYS_landlock_restrict_self, file_, 0) == 0;
}

}  // namespace sealwire::cage

#include "broker/store/sqlite/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sealwire::broker::sqlite {

Result<StoreLock> StoreLock::take(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(Errc::file_failed, path.string() + ": cannot open: " + std::strerror(errno));
  StoreLock lock(fd);
  // flock, not fcntl: it belongs to this opening, so two stores in one process exclude each other.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char holder[16] = {};
    const ssize_t size = ::pread(fd, holder, sizeof holder - 1, 0);
    std::string pid(holder, size > 0 ? static_cast<std::size_t>(size) : 0);
    if (pid.find_first_not_of("0123456789\n") != std::string::npos) pid.clear();
    while (!pid.empty() && pid.back() == '\n')
      pid.pop_back();
    return fail(Errc::state_locked, path.string() + " is held by " +
                                        (pid.empty() ? "another process" : "process " + pid) +
                                        "; stop it, or give this broker a store of its own");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return fail(Errc::file_failed, path.string() + ": cannot write: " + std::strerror(errno));
  return lock;
}

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace sealwire::broker::sqlite

#include "adapters/files/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sealwire::files {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Closes now; false if the kernel reports a late write error.
  bool close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

tl::unexpected<Error> system_failure(const std::filesystem::path& path, std::string_view what,
                                     int error) {
  return fail(Errc::file_failed, path.string() + ": cannot " + std::string(what) + ": " +
                                     std::generic_category().message(error));
}

bool write_all(int fd, ByteSpan contents) {
  while (!contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    contents = contents.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

Result<> sync_directory(const std::filesystem::path& path) {
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0)
    return system_failure(parent, "sync", errno);
  return {};
}

Result<struct stat> stat_regular(const Descriptor& file, const std::filesystem::path& path,
                                 std::size_t bytes_max) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_failure(path, "read", errno);
  if (!S_ISREG(status.st_mode)) return fail(Errc::file_failed, path.string() + ": not a file");
  if (static_cast<std::size_t>(status.st_size) > bytes_max)
    return fail(Errc::file_failed,
                path.string() + ": longer than " + std::to_string(bytes_max) + " bytes");
  return status;
}

Result<Bytes> read_all(const Descriptor& file, const std::filesystem::path& path,
                       std::size_t size) {
  Bytes contents(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.get(), contents.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      sodium_memzero(contents.data(), contents.size());
      return system_failure(path, "read", error);
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  contents.resize(done);
  return contents;
}

std::string octal(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

}  // namespace

Result<> create_file(const std::filesystem::path& path, ByteSpan contents, Access access) {
  const mode_t mode = access == Access::owner ? 0600 : 0644;
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0) {
    if (errno == EEXIST)
      return fail(Errc::key_file_exists, path.string() + " exists and is left as it is");
    return system_failure(path, "create", errno);
  }
  // fchmod, since a umask or a default ACL may have narrowed or widened what open asked for.
  const bool written = ::fchmod(file.get(), mode) == 0 && write_all(file.get(), contents) &&
                       ::fsync(file.get()) == 0;
  const int error = errno;
  if (!written || !file.close()) {
    const int cause = written ? errno : error;
    ::unlink(path.c_str());
    return system_failure(path, "write", cause);
  }
  return sync_directory(path);
}

Result<SecretBytes> read_private_file(const std::filesystem::path& path, std::size_t bytes_max) {
  // O_NONBLOCK: a FIFO in the file's place must not hang us; it is refused below.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_failure(path, "open", errno);
  SW_TRY(const struct stat status, stat_regular(file, path, bytes_max));
  if ((status.st_mode & 077) != 0)
    return fail(Errc::key_file_permissions, path.string() + " is open to others (mode " +
                                                octal(status.st_mode) + "); run: chmod 600 " +
                                                path.string());
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    return fail(Errc::key_file_permissions,
                path.string() + " belongs to user " + std::to_string(status.st_uid) +
                    ", not to this process's " + std::to_string(::geteuid()));
  SW_TRY(Bytes contents, read_all(file, path, static_cast<std::size_t>(status.st_size)));
  return SecretBytes(std::move(contents));
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_failure(path, "open", errno);
  SW_TRY(const struct stat status, stat_regular(file, path, bytes_max));
  SW_TRY(const Bytes contents, read_all(file, path, static_cast<std::size_t>(status.st_size)));
  return std::string(as_text(contents));
}

}  // namespace sealwire::files

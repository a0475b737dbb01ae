#include "sdk/cli/input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sealwire::cli {

Result<std::string> read_input(const std::string& file, std::size_t max_bytes) {
  const bool standard_input = file == "-";
  const int descriptor = standard_input ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(Errc::file_failed, file + ": " + std::strerror(errno));
  std::string content;
  std::array<char, 65536> chunk{};
  ssize_t got = 0;
  do {
    got = ::read(descriptor, chunk.data(), chunk.size());
    if (got > 0) content.append(chunk.data(), static_cast<std::size_t>(got));
  } while ((got > 0 && content.size() <= max_bytes) || (got < 0 && errno == EINTR));
  const int error = errno;
  if (!standard_input) ::close(descriptor);
  if (got < 0) return fail(Errc::file_failed, file + ": " + std::strerror(error));
  if (content.size() > max_bytes)
    return fail(Errc::file_failed,
                file + " is larger than " + std::to_string(max_bytes) + " bytes");
  return content;
}

LineReader::Got LineReader::next(std::string& line, int timeout_ms) {
  for (;;) {
    const std::size_t newline = buffer_.find('\n');
    const bool whole = newline != std::string::npos;
    if (whole || (ended_ && !buffer_.empty())) {
      line = buffer_.substr(0, newline);
      buffer_.erase(0, whole ? newline + 1 : buffer_.size());
      const bool too_long = skipping_ || line.size() > max_bytes_;
      skipping_ = false;
      if (too_long) line.clear();
      return too_long ? Got::too_long : Got::line;
    }
    if (ended_) return std::exchange(skipping_, false) ? Got::too_long : Got::end;
    if (buffer_.size() > max_bytes_) {
      skipping_ = true;
      buffer_.clear();
      return Got::nothing;
    }
    pollfd wait{descriptor_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, timeout_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return Got::nothing;
    std::array<char, 65536> chunk{};
    const ssize_t got = ::read(descriptor_, chunk.data(), chunk.size());
    if (got > 0)
      buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
      ended_ = true;
  }
}

}  // namespace sealwire::cli

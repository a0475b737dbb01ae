// Reading what a command is given: a file, standard input, or words of the command line.
#pragma once

#include <string>

#include "protocol/error.h"

namespace sealwire::cli {

/// All of `file`, "-" being standard input. Fails with file_failed, also beyond `max_bytes`.
Result<std::string> read_input(const std::string& file, std::size_t max_bytes);

/// Reads lines of at most `max_bytes` from a file descriptor, so that a long or endless line costs
/// no more memory than that.
class LineReader {
 public:
  LineReader(int descriptor, std::size_t max_bytes)
      : descriptor_(descriptor), max_bytes_(max_bytes) {}

  enum class Got : unsigned char { line, too_long, end, nothing };
  /// Waits at most `timeout_ms` (-1: for ever); `nothing` may come earlier, within a line that is
  /// too long, so that the caller of an endless one gets to look up. `line` comes without its
  /// newline; after `too_long` the rest of that line has been skipped. A last line without newline
  /// counts as a line.
  Got next(std::string& line, int timeout_ms);

 private:
  int descriptor_;
  std::size_t max_bytes_;
  std::string buffer_;
  bool skipping_ = false;
  bool ended_ = false;
};

}  // namespace sealwire::cli

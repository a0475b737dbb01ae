// A program of the vendor's, run by the shell: lines to its standard input, lines from its output.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace conformance {

class Process {
 public:
  explicit Process(const std::string& command,
                   const std::vector<std::pair<std::string, std::string>>& environment = {});
  /// Ends the program and all that it started.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void write_line(const std::string& line);
  /// No more lines to it.
  void end_input();
  /// The next whole line; nothing when none comes in time, or none will.
  std::optional<std::string> read_line(int wait_ms);
  bool ended() const { return ended_; }

 private:
  pid_t pid_ = 0;
  int in_ = -1, out_ = -1;
  bool ended_ = false;
  std::string buffer_;
};

}  // namespace conformance

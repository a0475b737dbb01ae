// A child process that cannot outlive us: it ends with this object, and with our own death.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/error.h"

namespace sealwire::cli {

class Child {
 public:
  /// Runs `arguments[0]`, its standard output to be read from `output()`, its standard error
  /// appended to `log_file`, its standard input empty, in a process group of its own, so that the
  /// terminal's Ctrl-C reaches us alone. Fails with file_failed, also where the program cannot be
  /// executed. To be called from a thread that lives as long as the child is wanted.
  static Result<Child> start(const std::vector<std::string>& arguments,
                             const std::string& log_file);

  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), output_(std::exchange(other.output_, -1)) {}
  Child& operator=(Child&&) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  int output() const { return output_; }
  /// The wait status once it has ended by itself; empty while it runs.
  std::optional<int> ended();
  /// SIGTERM, and SIGKILL after `grace`. True if the first was enough.
  bool stop(std::chrono::milliseconds grace);

 private:
  Child(pid_t pid, int output) : pid_(pid), output_(output) {}
  pid_t pid_ = 0;  // 0: has ended and been waited for
  int output_ = -1;
};

enum class Output : unsigned char { captured, ours };

struct Finished {
  int status = 0;      // exit status, or 128 + the signal
  std::string output;  // both outputs, where they were captured
};

/// Runs `arguments[0]` to its end with `standard_input`, and with `environment` ("NAME=value") put
/// before our own. Safe in a process with threads. Fails with file_failed.
Result<Finished> run_to_end(const std::vector<std::string>& arguments,
                            const std::string& standard_input, Output output,
                            const std::vector<std::string>& environment = {});

}  // namespace sealwire::cli

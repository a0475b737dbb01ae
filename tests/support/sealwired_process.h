// A real sealwired as a child process, in a folder of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "protocol/error.h"

namespace sealwire::test {

class SealwiredProcess {
 public:
  /// Runs `sealwired init` with open admission; ports are the system's choice at every start.
  /// `limits` and `verification` are lines of TOML for the tables of those names.
  static Result<SealwiredProcess> make(const std::filesystem::path& program,
                                       const std::string& limits = "",
                                       const std::string& verification = "");
  SealwiredProcess(SealwiredProcess&& other) noexcept;
  SealwiredProcess& operator=(SealwiredProcess&&) = delete;
  ~SealwiredProcess();  // kills what runs, removes the folder

  /// Returns when it is ready, or fails with what its stderr says.
  Result<> start();
  /// It does nothing more, whatever its system calls return; only SIGKILL ends it.
  void freeze();
  /// Sends the signal and waits for the end; the exit status as of waitpid, -1 where nothing runs.
  int stop(int signal);

  /// The endpoint whose scheme that is, since the last start.
  std::string endpoint(std::string_view scheme) const;
  pid_t pid() const { return pid_; }
  std::size_t resident_bytes() const;
  double cpu_seconds() const;
  const std::filesystem::path& folder() const { return folder_; }
  /// What it has written to stderr since `make`.
  std::string log() const;

 private:
  SealwiredProcess() = default;
  std::filesystem::path program_, folder_;
  pid_t pid_ = -1;
  std::vector<std::string> endpoints_;
};

}  // namespace sealwire::test

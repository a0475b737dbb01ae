// Runs the real `sealwire` binary, as a person or script would.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sdk/cli/up/child.h"

namespace sealwire::cli::test {

/// A directory of its own for one test, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sealwire-cli-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

struct Ended {
  int status = -1;
  std::string out;
  std::string err;
};

inline std::string slurp(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// `sealwire ARGUMENTS…` with SEALWIRE_HOME at `home`.
inline Ended sealwire(const TemporaryDirectory& home, std::vector<std::string> arguments,
                      const std::string& input = {}) {
  std::string command = "exec \"$0\" \"$@\" 2>'" + (home / "stderr") + "'";
  std::vector<std::string> argv{"/bin/sh", "-c", command, SEALWIRE_CLI};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto finished = run_to_end(argv, input, Output::captured,
                                   {"SEALWIRE_HOME=" + (home / "home"), "SEALWIRE_CONTEXT=test"});
  if (!finished) return {-1, {}, finished.error().detail};
  return {finished->status, finished->output, slurp(home / "stderr")};
}

}  // namespace sealwire::cli::test

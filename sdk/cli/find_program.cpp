#include "sdk/cli/find_program.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace sealwire::cli {

namespace fs = std::filesystem;

Outcome<std::string> find_program(const std::string& name, const std::string& next) {
  std::error_code error;
  std::string folders = fs::read_symlink("/proc/self/exe", error).parent_path().string();
  if (const char* path = std::getenv("PATH"); path != nullptr) folders += std::string(":") + path;
  for (std::size_t at = 0; at < folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const fs::path candidate = fs::path(folders.substr(at, end - at)) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
    at = end + 1;
  }
  return failure(Errc::file_failed, name + " is neither beside this program nor along PATH", next);
}

}  // namespace sealwire::cli

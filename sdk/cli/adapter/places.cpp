#include "sdk/cli/adapter/places.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;

// The system's own: an interpreter in somebody's home could not be read from within the cage.
Outcome<std::string> interpreter(const std::string& name) {
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/"})
    if (const std::string path = folder + name; ::access(path.c_str(), X_OK) == 0) return path;
  return failure(Errc::file_failed, fmt::format("{} is not installed in /usr/bin", name));
}

}  // namespace

std::string bridges_directory() {
  if (const char* set = std::getenv("SEALWIRE_BRIDGES"); set != nullptr) return set;
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  return (self.parent_path().parent_path() / "share" / "sealwire" / "bridges").string();
}

std::vector<std::string> shipped_bridges() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(bridges_directory(), ignored))
    if (fs::exists(entry.path() / "bridge.py", ignored))
      names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

Outcome<std::vector<std::string>> bridge_command(const std::string& what) {
  std::error_code ignored;
  fs::path file = what;
  if (what.find('/') == std::string::npos && !fs::exists(file, ignored))
    file = fs::path(bridges_directory()) / what / "bridge.py";
  file = fs::canonical(file, ignored);
  if (file.empty())
    return failure(Errc::file_failed, fmt::format("there is no bridge \"{}\"", what),
                   "sealwire adapter ls");
  const std::string extension = file.extension().string();
  if (extension == ".py" || extension == ".mjs") {
    auto program = interpreter(extension == ".py" ? "python3" : "node");
    if (!program) return tl::unexpected(program.error());
    std::vector<std::string> command{*program};
    // Its own folder and the system's library are all that it may import.
    if (extension == ".py") command.emplace_back("-s");
    command.push_back(file.string());
    return command;
  }
  return std::vector<std::string>{file.string()};
}

}  // namespace sealwire::cli

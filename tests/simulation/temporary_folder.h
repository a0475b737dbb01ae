// A folder that goes with its owner, in memory where there is such a place.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace sealwire::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = std::filesystem::is_directory(memory, error);
    std::string pattern =
        ((in_memory ? memory : std::filesystem::temp_directory_path()) / "sealwire-faults-XXXXXX")
            .string();
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  std::filesystem::path path;
};

}  // namespace sealwire::test

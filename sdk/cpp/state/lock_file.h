// One process a state: a lock on a file beside it, which the kernel drops when the process ends.
#pragma once

#include <filesystem>

#include "protocol/error.h"

namespace sealwire::sdk {

class LockFile {
 public:
  /// Fails with state_locked (naming the process) or file_failed.
  static Result<LockFile> take(const std::filesystem::path& path);
  LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  LockFile& operator=(LockFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace sealwire::sdk

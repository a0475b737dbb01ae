// One broker a store: a lock file that names its holder and dies with it.
#pragma once

#include <filesystem>

#include "protocol/error.h"

namespace sealwire::broker::sqlite {

/// Held as long as it lives. The file stays: removing it would let two brokers lock two files.
class StoreLock {
 public:
  /// Fails with state_locked, naming the process that has it, or file_failed.
  static Result<StoreLock> take(const std::filesystem::path& path);
  StoreLock(StoreLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  StoreLock& operator=(StoreLock&&) = delete;
  ~StoreLock();

 private:
  explicit StoreLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace sealwire::broker::sqlite

// Copies the write-ahead log into the database on a thread of its own, so that commits do not wait
// for it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "broker/store/sqlite/database.h"

namespace sealwire::broker::sqlite {

class Checkpointer {
 public:
  /// `database` is a connection of its own.
  explicit Checkpointer(Database database);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  /// Asks for a checkpoint; one that is running goes on first. Any thread.
  void wake();

 private:
  void run();

  Database database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sealwire::broker::sqlite

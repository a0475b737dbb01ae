// The thread that makes one end's callbacks, in the order in which they were posted.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace sealwire::channel::memory {

class DeliveryThread {
 public:
  using Task = std::function<void()>;

  DeliveryThread() : thread_([this] { run(); }) {}
  ~DeliveryThread() { finish(); }

  /// From any thread; does nothing once `finish` was called.
  void post(Task task) {
    const std::lock_guard lock(mutex_);
    if (finishing_) return;
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

  /// Runs what was posted and ends the thread. Not from within a task.
  void finish() {
    {
      const std::lock_guard lock(mutex_);
      finishing_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return finishing_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool finishing_ = false;
  std::thread thread_;
};

}  // namespace sealwire::channel::memory

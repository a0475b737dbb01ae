// How other threads get the attention of the thread that owns the sockets.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sealwire::channel::zeromq {

class ZmqConnection;

/// Bounded: a connection rings once until it has been answered. Thread-safe.
class Doorbell {
 public:
  Doorbell() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Doorbell() { ::close(descriptor_); }
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  int descriptor() const { return descriptor_; }

  void ring(std::shared_ptr<ZmqConnection> connection) {
    const std::lock_guard lock(mutex_);
    if (rung_.empty() && !stop_) wake();
    rung_.push_back(std::move(connection));
  }
  void ring_stop() {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    wake();
  }
  struct Rung {
    std::vector<std::shared_ptr<ZmqConnection>> connections;
    bool stop = false;
  };
  Rung answer() {
    std::uint64_t ignored = 0;
    const std::lock_guard lock(mutex_);
    [[maybe_unused]] const auto size = ::read(descriptor_, &ignored, sizeof ignored);
    return {std::exchange(rung_, {}), stop_};
  }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto size = ::write(descriptor_, &one, sizeof one);
  }
  const int descriptor_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<ZmqConnection>> rung_;
  bool stop_ = false;
};

}  // namespace sealwire::channel::zeromq

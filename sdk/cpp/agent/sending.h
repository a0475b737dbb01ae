// What a caller of send() and request() waits on.
#pragma once

#include <condition_variable>
#include <mutex>

#include "sealwire/message.h"

namespace sealwire {

/// A value that comes once. Any thread.
template <class T>
class Once {
 public:
  void set(T value) {
    const std::scoped_lock held(mutex_);
    if (value_) return;
    value_ = std::move(value);
    came_.notify_all();
  }
  std::optional<T> wait(Millis timeout) {
    std::unique_lock held(mutex_);
    came_.wait_for(held, timeout, [this] { return value_.has_value(); });
    return value_;
  }
  std::optional<T> get() {
    const std::scoped_lock held(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::optional<T> value_;
};

class SendingState {
 public:
  Once<Result<>> stored;
  Once<Result<Accepted>> outcome;
  std::size_t bytes = 0;  // what it counts for in the agent's outbox

  void refuse(const Error& error) {
    stored.set(fail(error));
    outcome.set(fail(error));
  }
};

using RequestState = Once<Result<Message>>;

}  // namespace sealwire

// SIGINT and SIGTERM as something to wait for.
#pragma once

#include <csignal>
#include <utility>

#include "sealwire/message.h"

namespace sealwire {

/// While it lives both signals are noted instead of ending the process. One at a time.
class SignalWatch {
 public:
  static Result<SignalWatch> start();
  SignalWatch(SignalWatch&& other) noexcept;
  SignalWatch& operator=(SignalWatch&&) = delete;
  ~SignalWatch();
  /// True when a signal came that no earlier call has told of.
  bool wait(Millis timeout);

 private:
  SignalWatch() = default;
  bool active_ = false;
  struct sigaction before_int_ = {};
  struct sigaction before_term_ = {};
};

}  // namespace sealwire

#include "sdk/cpp/agent/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace sealwire {
namespace {

// A handler reaches nothing but this.
std::atomic<int> signal_event = -1;

void on_signal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  const ssize_t written = ::write(signal_event.load(), &one, sizeof one);
  static_cast<void>(written);  // the counter can only be full of signals
  errno = saved;
}

}  // namespace

Result<SignalWatch> SignalWatch::start() {
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
  if (event < 0) return fail(Errc::file_failed, std::strerror(errno));
  int none = -1;
  if (!signal_event.compare_exchange_strong(none, event)) {
    ::close(event);
    return fail(Errc::config_invalid, "another agent of this process is in run()");
  }
  SignalWatch watch;
  watch.active_ = true;
  struct sigaction action = {};
  action.sa_handler = &on_signal;
  ::sigaction(SIGINT, &action, &watch.before_int_);
  ::sigaction(SIGTERM, &action, &watch.before_term_);
  return watch;
}

SignalWatch::SignalWatch(SignalWatch&& other) noexcept
    : active_(std::exchange(other.active_, false)),
      before_int_(other.before_int_),
      before_term_(other.before_term_) {}

SignalWatch::~SignalWatch() {
  if (!active_) return;
  ::sigaction(SIGINT, &before_int_, nullptr);
  ::sigaction(SIGTERM, &before_term_, nullptr);
  ::close(signal_event.exchange(-1));
}

bool SignalWatch::wait(Millis timeout) {
  pollfd watched{signal_event.load(), POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(timeout.count())) <= 0) return false;
  std::uint64_t count = 0;
  return ::read(signal_event.load(), &count, sizeof count) == sizeof count;
}

}  // namespace sealwire

#include "adapters/bridges/process/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "adapters/bridges/process/cage.h"
#include "adapters/bridges/process/doors.h"
#include "adapters/bridges/process/lines.h"
#include "sdk/cli/input.h"
#include "sdk/cli/text.h"

namespace sealwire::bridge {
namespace {

constexpr int kTellMs = 5000;  // that a bridge may leave its input unread
constexpr std::chrono::milliseconds kGrace{5000};
constexpr std::size_t kLogLineBytes = 4096;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  int take(std::size_t which) { return std::exchange(ends.at(which), -1); }
  void close(std::size_t which) {
    if (ends.at(which) >= 0) ::close(take(which));
  }
  ~Pipe() {
    close(0);
    close(1);
  }
};

/// While it lives a pipe that nobody reads is an error of write(2) and no signal, whatever the
/// program thinks of SIGPIPE. For one thread.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec now{};
    ::sigtimedwait(&pipe_, nullptr, &now);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{}, before_{};
};

class Process final : public Bridge {
 public:
  Process(pid_t pid, int input, int output, int errors, std::unique_ptr<Tunnels> tunnels,
          const ProcessOptions& options, OnSaid said, OnEnd ended)
      : pid_(pid),
        input_(input),
        output_(output),
        errors_(errors),
        tunnels_(std::move(tunnels)),
        log_(options.log),
        said_(std::move(said)),
        ended_(std::move(ended)),
        reader_([this] { read(); }),
        logger_([this] { read_errors(); }) {}

  ~Process() override {
    ending_ = true;
    tell(Stop{});
    {
      const std::lock_guard lock(mutex_);
      ::close(std::exchange(input_, -1));
    }
    const auto deadline = std::chrono::steady_clock::now() + kGrace;
    while (!gone_ && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    end_it();
    reader_.join();
    logger_.join();
    ::close(output_);
    ::close(errors_);
  }

  void tell(const Told& told) override {
    const std::string line = write_told(told);
    const std::lock_guard lock(mutex_);
    const WithoutSigpipe error_instead;
    std::string_view rest = line;
    while (!rest.empty() && input_ >= 0 && !gone_) {
      const ssize_t written = ::write(input_, rest.data(), rest.size());
      if (written > 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
        continue;
      }
      pollfd writable{input_, POLLOUT, 0};
      if (written < 0 && errno == EAGAIN && ::poll(&writable, 1, kTellMs) > 0) continue;
      if (written < 0 && errno == EINTR) continue;
      return end_it();  // it reads no more
    }
  }

 private:
  void end_it() {
    if (!gone_) ::kill(-pid_, SIGKILL);
  }

  void read() {
    cli::LineReader lines(output_, kLineBytes);
    std::string line;
    Error why{Errc::closed, "the bridge ended"};
    for (bool good = true; good;) {
      switch (lines.next(line, -1)) {
        case cli::LineReader::Got::nothing:
          break;
        case cli::LineReader::Got::end:
          good = false;
          break;
        case cli::LineReader::Got::too_long:
          why = {Errc::config_invalid, "the bridge wrote a line longer than 2 MiB"};
          good = false;
          break;
        case cli::LineReader::Got::line:
          auto said = parse_said(line);
          good = said.has_value();
          if (!said)
            why = {said.error().code, "the bridge broke the contract: " + said.error().detail};
          else if (!ending_)
            said_(std::move(*said));
          break;
      }
    }
    end_it();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    gone_ = true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
      why = {Errc::denied,
             "the kernel ended the bridge at a system call that only an attack makes"};
    ::kill(-pid_, SIGKILL);  // what it may have left behind in its group
    if (!ending_) ended_(why);
  }

  void read_errors() {
    cli::LineReader lines(errors_, kLogLineBytes);
    std::string line;
    for (;;) {
      const auto got = lines.next(line, -1);
      if (got == cli::LineReader::Got::end) return;
      if (got == cli::LineReader::Got::line) log_(cli::printable(line));
    }
  }

  const pid_t pid_;
  int input_;
  const int output_;
  const int errors_;
  const std::unique_ptr<Tunnels> tunnels_;
  const std::function<void(const std::string&)> log_;
  const OnSaid said_;
  const OnEnd ended_;
  std::mutex mutex_;
  std::atomic<bool> gone_ = false;
  std::atomic<bool> ending_ = false;
  std::thread reader_;
  std::thread logger_;
};

void limit(int resource, rlim_t most) {
  const rlimit both{most, most};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* arguments, char* const* environment, const Cage* cage,
                         const Doors* doors, int report) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  limit(RLIMIT_CORE, 1);  // not 0, which a core_pattern that is a pipe does not heed
  limit(RLIMIT_NOFILE, 64);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_DATA, rlim_t{2} * 1024 * 1024 * 1024);
  const bool alone = doors != nullptr && doors->open();
  if ((alone || doors == nullptr) && (cage == nullptr || cage->enter(alone)))
    ::execve(arguments[0], arguments, environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<Bridge>> start_process(const ProcessOptions& options, Bridge::OnSaid said,
                                              Bridge::OnEnd ended) {
  std::optional<Cage> cage;
  if (options.caged) {
    SW_TRY(cage, Cage::build(options.command, !options.tunnels.empty()));
  }
  std::optional<Doors> doors;
  if (!options.tunnels.empty()) {
    if (!cage) return fail(Errc::config_invalid, "a tunnel wants the cage");
    SW_TRY(doors, Doors::make(options.tunnels.size()));
  }
  Pipe in;
  Pipe out;
  Pipe errors;
  Pipe report;  // stays silent, and closes, when exec succeeds
  if (!in.open() || !out.open() || !errors.open() || !report.open())
    return fail(Errc::file_failed, std::string("pipe: ") + std::strerror(errno));
  std::vector<char*> argv;
  for (const std::string& argument : options.command)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";
  std::string language = "LANG=C.UTF-8";
  std::string no_bytecode = "PYTHONDONTWRITEBYTECODE=1";
  const std::array<char*, 4> environment{path.data(), language.data(), no_bytecode.data(), nullptr};
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // the parent died before prctl
    ::dup2(in.ends[0], STDIN_FILENO);
    ::dup2(out.ends[1], STDOUT_FILENO);
    ::dup2(errors.ends[1], STDERR_FILENO);
    become(argv.data(), environment.data(), cage ? &*cage : nullptr, doors ? &*doors : nullptr,
           report.ends[1]);
  }
  if (pid < 0) return fail(Errc::file_failed, std::string("fork: ") + std::strerror(errno));
  ::setpgid(pid, pid);  // whichever of the two comes first
  in.close(0);
  out.close(1);
  errors.close(1);
  report.close(1);
  int error = 0;
  if (::read(report.ends[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid, nullptr, 0);
    return fail(Errc::file_failed, options.command[0] + ": " + std::strerror(error));
  }
  std::unique_ptr<Tunnels> tunnels;
  if (doors) {
    auto opened = doors->take().and_then(
        [&](const auto& all) { return Tunnels::start(options.tunnels, all, options.log); });
    if (!opened) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return fail(opened.error());
    }
    tunnels = std::move(*opened);
  }
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  return std::make_unique<Process>(pid, in.take(1), out.take(0), errors.take(0), std::move(tunnels),
                                   options, std::move(said), std::move(ended));
}

}  // namespace sealwire::bridge

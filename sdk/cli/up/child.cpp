#include "sdk/cli/up/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

namespace sealwire::cli {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings)
    result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

Error system_error(const std::string& what) {
  return Error{Errc::file_failed, what + ": " + std::strerror(errno)};
}

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  void close(std::size_t which) {
    if (ends.at(which) >= 0) ::close(std::exchange(ends.at(which), -1));
  }
  ~Pipe() {
    close(0);
    close(1);
  }
};

// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* arguments, char* const* environment, int report) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(arguments[0], arguments, environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& arguments, const std::string& log_file) {
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return fail(system_error(log_file));
  Pipe report;  // stays silent, and closes, when exec succeeds
  Pipe output;
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || !report.open() || !output.open()) {
    ::close(log);
    return fail(system_error("cannot start " + arguments.at(0)));
  }
  const std::vector<char*> argv = pointers(arguments);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);  // the parent died before prctl
    ::dup2(null, STDIN_FILENO);
    ::dup2(output.ends[1], STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    become(argv.data(), environ, report.ends[1]);
  }
  ::close(log);
  ::close(null);
  if (pid < 0) return fail(system_error("fork"));
  report.close(1);
  int error = 0;
  if (::read(report.ends[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid, nullptr, 0);
    return fail(Errc::file_failed, arguments.at(0) + ": " + std::strerror(error));
  }
  return Child(pid, std::exchange(output.ends[0], -1));
}

Child::~Child() {
  stop(std::chrono::seconds(10));
  if (output_ >= 0) ::close(output_);
}

std::optional<int> Child::ended() {
  int status = 0;
  if (pid_ == 0) return 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return status;
}

bool Child::stop(std::chrono::milliseconds grace) {
  if (ended()) return true;
  ::kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (std::chrono::steady_clock::now() < deadline) {
    if (ended()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  return false;
}

Result<Finished> run_to_end(const std::vector<std::string>& arguments,
                            const std::string& standard_input, Output output,
                            const std::vector<std::string>& environment) {
  Pipe in;
  Pipe out;
  Pipe report;
  if (!in.open() || !out.open() || !report.open()) return fail(system_error("pipe"));
  const std::vector<char*> argv = pointers(arguments);
  std::vector<char*> variables = pointers(environment);
  variables.pop_back();
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.push_back(*variable);
  variables.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(in.ends[0], STDIN_FILENO);
    if (output == Output::captured) {
      ::dup2(out.ends[1], STDOUT_FILENO);
      ::dup2(out.ends[1], STDERR_FILENO);
    }
    become(argv.data(), variables.data(), report.ends[1]);
  }
  if (pid < 0) return fail(system_error("fork"));
  in.close(0);
  out.close(1);
  report.close(1);
  int error = 0;
  const bool not_executed =
      ::read(report.ends[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error);

  Finished finished;
  std::string_view rest = standard_input;
  std::array<char, 65536> chunk{};
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  if (rest.empty()) in.close(1);
  while (!not_executed && (in.ends[1] >= 0 || out.ends[0] >= 0)) {
    std::array<pollfd, 2> wait{{{out.ends[0], POLLIN, 0}, {in.ends[1], POLLOUT, 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) break;
    if (wait[1].revents != 0) {
      const ssize_t put = ::write(in.ends[1], rest.data(), rest.size());
      if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
      if (rest.empty() || (put < 0 && errno != EAGAIN && errno != EINTR)) in.close(1);
    }
    if (wait[0].revents != 0) {
      const ssize_t got = ::read(out.ends[0], chunk.data(), chunk.size());
      if (got == 0 || (got < 0 && errno != EINTR)) out.close(0);
      if (got > 0) finished.output.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (not_executed) return fail(Errc::file_failed, arguments.at(0) + ": " + std::strerror(error));
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace sealwire::cli

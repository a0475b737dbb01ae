#include "tests/support/sealwired_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace sealwire::test {
namespace {

/// Runs `arguments` with stdout on a pipe (returned) and stderr in `log`; it
/// preloads what SEALWIRE_PRELOAD names, except for init.
Result<std::pair<pid_t, int>> spawn(std::vector<std::string> arguments,
                                    const std::filesystem::path& log) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return fail(Errc::file_failed, "pipe");
  std::vector<char*> argv;
  for (auto& argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const char* preload = arguments[1] == "init" ? nullptr : std::getenv("SEALWIRE_PRELOAD");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(log_fd, STDERR_FILENO);
    if (preload != nullptr) ::setenv("LD_PRELOAD", preload, 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(log_fd);
  if (pid < 0) return fail(Errc::file_failed, "fork");
  return std::pair(pid, out[0]);
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

}  // namespace

Result<SealwiredProcess> SealwiredProcess::make(const std::filesystem::path& program,
                                                const std::string& limits,
                                                const std::string& verification) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sealwire-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return fail(Errc::file_failed, pattern);
  SealwiredProcess process;
  process.program_ = program;
  process.folder_ = pattern;
  SW_TRY(const auto child, spawn({program.string(), "init", pattern, "--open", "--wss-port", "0",
                                  "--zeromq-port", "0", "--http-port", "1"},
                                 process.folder_ / "log"));
  int status = 0;
  ::waitpid(child.first, &status, 0);
  ::close(child.second);
  if (status != 0)
    return fail(Errc::file_failed, "sealwired init: " + text_of(process.folder_ / "log"));
  const auto file = process.folder_ / "sealwired.toml";
  std::string config = text_of(file);
  replace(config, "listen = \"127.0.0.1:1\"", "listen = \"127.0.0.1:0\"");
  replace(config, "[limits]\n", "[limits]\n" + limits);
  replace(config, "[verification]\n", "[verification]\n" + verification);
  std::ofstream(file) << config;
  const int written = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ::fsync(written);  // for tests that cut the power
  ::close(written);
  return process;
}

SealwiredProcess::SealwiredProcess(SealwiredProcess&& other) noexcept
    : program_(std::move(other.program_)),
      folder_(std::exchange(other.folder_, {})),
      pid_(std::exchange(other.pid_, -1)),
      endpoints_(std::move(other.endpoints_)) {}

SealwiredProcess::~SealwiredProcess() {
  if (pid_ > 0) stop(SIGKILL);
  std::error_code ignored;  // the disk under it may be one that fails
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Result<> SealwiredProcess::start() {
  SW_TRY(const auto child,
         spawn({program_.string(), "--config", (folder_ / "sealwired.toml").string()},
               folder_ / "log"));
  pid_ = child.first;
  endpoints_.clear();
  FILE* out = ::fdopen(child.second, "r");
  bool ready = false;
  char line[512];
  while (!ready && std::fgets(line, sizeof line, out) != nullptr) {
    std::string text(line);
    if (text.ends_with('\n')) text.pop_back();
    if (text.starts_with("endpoint ")) endpoints_.push_back(text.substr(9));
    ready = text == "ready";
  }
  std::fclose(out);
  if (ready) return {};
  const int status = stop(SIGKILL);
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                              : "status " + std::to_string(WEXITSTATUS(status));
  return fail(Errc::connect_failed, "sealwired does not start (" + how + "): " + log());
}

void SealwiredProcess::freeze() {
  if (pid_ > 0) ::kill(pid_, SIGSTOP);
}

int SealwiredProcess::stop(int signal) {
  if (pid_ <= 0) return 0;  // kill(-1) would be for everybody
  int status = 0;
  ::kill(pid_, signal);
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

std::string SealwiredProcess::endpoint(std::string_view scheme) const {
  for (const auto& endpoint : endpoints_)
    if (endpoint.starts_with(scheme)) return endpoint;
  return {};
}

std::string SealwiredProcess::log() const {
  return text_of(folder_ / "log");
}

std::size_t SealwiredProcess::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double SealwiredProcess::cpu_seconds() const {
  std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream after(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field)
    after >> skipped;
  double user = 0, system = 0;
  after >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace sealwire::test

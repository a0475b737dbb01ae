#include "conformance/runner/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "conformance/runner/failure.h"

namespace conformance {

Process::Process(const std::string& command,
                 const std::vector<std::pair<std::string, std::string>>& environment) {
  // The child may call nothing that allocates: other threads run.
  std::vector<std::string> texts;
  for (char** each = environ; *each != nullptr; ++each)
    texts.emplace_back(*each);
  for (const auto& [name, value] : environment)
    texts.push_back(name + "=" + value);
  std::vector<char*> pointers;
  for (std::string& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) throw NotRun("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    dup2(to[0], 0);
    dup2(from[1], 1);
    execle("/bin/sh", "sh", "-c", command.c_str(), nullptr, pointers.data());
    _exit(127);
  }
  setpgid(pid_, pid_);
  close(to[0]);
  close(from[1]);
  in_ = to[1];
  out_ = from[0];
}

Process::~Process() {
  end_input();
  close(out_);
  kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Process::write_line(const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t sent = write(in_, text.data() + at, text.size() - at);
    if (sent <= 0) throw Failure("the program takes no more lines");
    at += static_cast<std::size_t>(sent);
  }
}

void Process::end_input() {
  if (in_ >= 0) close(in_);
  in_ = -1;
}

std::optional<std::string> Process::read_line(int wait_ms) {
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    pollfd poller{out_, POLLIN, 0};
    if (ended_ || poll(&poller, 1, wait_ms) <= 0) return std::nullopt;
    char bytes[4096];
    const ssize_t got = read(out_, bytes, sizeof bytes);
    if (got <= 0)
      ended_ = true;
    else
      buffer_.append(bytes, static_cast<std::size_t>(got));
  }
}

}  // namespace conformance

#include "sdk/cli/up/broker_process.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "sdk/cli/find_program.h"
#include "sdk/cli/input.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kReadyMs = 20'000;
constexpr std::uint16_t kWebSocketPort = 7410;
constexpr std::uint16_t kZeroMqPort = 7411;

// The same ports at every start where nobody has them, so that agents find the broker again.
std::uint16_t port_or_any(std::uint16_t wanted) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(wanted);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool vacant =
      ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return vacant ? wanted : 0;
}

// Every agent of this machine's user may come, and the log says of each envelope what was seen.
std::string development_config() {
  return fmt::format(R"(# Written by `sealwire up` at every start.
[[listen]]
uri = "wss://127.0.0.1:{}"
certificate_file = "certificate.pem"
private_key_file = "certificate.key"

[[listen]]
uri = "tcp://127.0.0.1:{}"
curve_secret_file = "curve.key"

[admission]
mode = "open"

[http]
listen = ""

[log]
level = "debug"
format = "json"
)",
                     port_or_any(kWebSocketPort), port_or_any(kZeroMqPort));
}

std::string last_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string last;
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) last = line;
  const auto json = last.substr(0, 1) == "{" ? last.find("\"message\":\"") : std::string::npos;
  return json == std::string::npos ? last : last.substr(json + 11, last.rfind('"') - json - 11);
}

}  // namespace

Outcome<BrokerProcess> BrokerProcess::start(const fs::path& folder) {
  const auto program = find_program("sealwired", "./run      (builds both)");
  if (!program) return tl::unexpected(program.error());
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (!fs::exists(folder / "sealwired.toml")) {
    SW_TRY(const Finished made,
           run_to_end({*program, "init", folder.string()}, "", Output::captured));
    if (made.status != 0)
      return failure(Errc::file_failed, "sealwired init: " + made.output,
                     "rm -r " + folder.string() + "      (and run this again)");
  }
  const fs::path config = folder / "development.toml";
  std::ofstream(config) << development_config();
  fs::resize_file(folder / "log", 0, error);
  SW_TRY(Child child,
         Child::start({*program, "--config", config.string()}, (folder / "log").string()));
  BrokerProcess broker(folder, std::move(child));
  if (auto ready = broker.wait_ready(); !ready) return tl::unexpected(ready.error());
  return broker;
}

Outcome<> BrokerProcess::wait_ready() {
  LineReader lines(child_.output(), 4096);
  std::string line;
  for (;;) {
    switch (lines.next(line, kReadyMs)) {
      case LineReader::Got::line:
        if (line == "ready") return {};
        if (line.starts_with("endpoint wss:")) websocket_ = line.substr(9);
        if (line.starts_with("endpoint tcp:")) zeromq_ = line.substr(9);
        if (line.starts_with("broker-key ")) key_ = line.substr(11);
        break;
      case LineReader::Got::too_long:
        break;
      case LineReader::Got::nothing:
        return failure(Errc::timeout, "the broker is not ready; its log is " + log_file().string());
      case LineReader::Got::end:
        child_.stop(std::chrono::seconds(5));  // it has closed its output: it is on its way out
        return tl::unexpected(*failed());
    }
  }
}

std::optional<Failure> BrokerProcess::failed() {
  if (!child_.ended()) return std::nullopt;
  return Failure(Error{Errc::closed, "the broker ended: " + last_line(log_file())},
                 "cat " + log_file().string());
}

}  // namespace sealwire::cli

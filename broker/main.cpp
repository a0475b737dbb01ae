// sealwired: the command line, and the signals that steer the broker.
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <new>
#include <string_view>

#include "broker/cage.h"
#include "broker/config_json.h"
#include "broker/init.h"
#include "broker/log.h"
#include "broker/server.h"
#include "broker/store/sqlite/sqlite_store.h"
#include "protocol/crypto/crypto.h"
#include "protocol/identity/did_key.h"

namespace sealwire::broker {
namespace {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,         // could not start, or init failed
  kUsage = 2,          // the command line
  kConfiguration = 3,  // the configuration; stderr lists what is wrong
  kStore = 4,          // the store is locked, damaged or of a later version
  kCutShort = 5,       // stopped before everything under way was finished
};

constexpr const char* kFooter =
    R"(Signals: SIGTERM and SIGINT finish what is under way and stop; a second one stops at once.
SIGHUP reads certificates, admission, limits and the log level again.

Once it listens, stdout has a line for each endpoint, the broker's key and HTTP, then "ready".

Exit codes: 0 stopped; 1 could not start; 2 usage; 3 configuration; 4 store locked or damaged;
5 stopped before what was under way had finished (nothing accepted is lost).)";

void print(const ConfigProblems& problems) {
  for (const auto& problem : problems)
    std::fprintf(stderr, "%s\n", describe(problem).c_str());
}

/// From here on this process is the user whom the configuration names, if it names one.
tl::expected<Config, ConfigProblems> config_as_its_user(const std::string& path) {
  auto config = load_config(path);
  if (!config) return config;
  if (const auto became = become_configured_user(*config); !became)
    return tl::make_unexpected(ConfigProblems{
        {path, 0, "\"process.user\": " + became.error().detail, "see docs/operate.md"}});
  return config;
}

/// Configuration and what it needs of this machine.
tl::expected<Config, ConfigProblems> checked(tl::expected<Config, ConfigProblems> config,
                                             const std::string& path) {
  if (!config) return config;
  if (auto problems = check_environment(*config, path); !problems.empty())
    return tl::make_unexpected(std::move(problems));
  return config;
}

/// A session costs a descriptor or two.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

sigset_t steering_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, each);
  return signals;
}

void reload(Server& server, Log& log, const std::string& path) {
  const auto config = checked(load_config(path), path);
  if (!config) {
    for (const auto& problem : config.error())
      log.write(LogLevel::error, "not reloaded: " + describe(problem));
    return;
  }
  log.set_level(config->log.level);
  if (auto done = server.reload(*config); !done)
    log.write(LogLevel::error, "reload: " + done.error().detail);
  else
    log.write(LogLevel::info, "reloaded");
}

/// Before the first thread. Fails where the configuration requires what is missing.
Result<CageReport> enter_cage_and_say(const Config& config, const std::string& path, Log& log) {
  const bool superuser = ::geteuid() == 0;
  SW_TRY(CageReport report, enter_cage(config, path, cage::support()));
  log.write(report.missing.empty() ? LogLevel::info : LogLevel::warning, describe(report));
  if (superuser)
    log.write(LogLevel::warning,
              "runs as root, who owns too much: name another user in [process] user, or in the "
              "service");
  return report;
}

/// What a burst has taken goes back to the system. Left alone, the C library keeps at the end of
/// each thread's heap twice as much as the largest block that was ever freed.
void keep_memory_small() {
  ::mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

/// The next of `signals`. Every minute of waiting, free pages between what is in use go back, too.
int next_signal(const sigset_t& signals) {
  const timespec minute{60, 0};
  while (true) {
    const int signal = ::sigtimedwait(&signals, nullptr, &minute);
    if (signal > 0) return signal;
    if (errno == EAGAIN) ::malloc_trim(0);
  }
}

/// True when everything was finished before the deadline and no second signal came.
bool stop(Server& server, Log& log, std::chrono::milliseconds deadline, const sigset_t& signals) {
  log.write(LogLevel::info, "stopping");
  auto stopped = std::async(std::launch::async, [&] { return server.stop(deadline); });
  while (stopped.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    const timespec moment{0, 20'000'000};
    const int signal = ::sigtimedwait(&signals, nullptr, &moment);
    if (signal == SIGTERM || signal == SIGINT) {
      log.write(LogLevel::warning, "stopped at once");
      // Threads may be anywhere; what was accepted is on disk.
      std::_Exit(kCutShort);
    }
  }
  return stopped.get();
}

int serve(const std::string& path) {
  const auto config = checked(config_as_its_user(path), path);
  if (!config) {
    print(config.error());
    return kConfiguration;
  }
  // Before the first thread, so that every thread leaves them to this one.
  const sigset_t signals = steering_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  keep_memory_small();

  Log log(config->log);
  const auto refused = [&log](const Error& error) {
    log.write(LogLevel::error, std::string(name(error.code)) + ": " + error.detail);
    return kFailed;
  };
  const auto cage = enter_cage_and_say(*config, path, log);
  if (!cage) return refused(cage.error());
  auto server = Server::start(*config, log);
  if (!server) {
    const Error& error = server.error();
    refused(error);
    return error.code == Errc::state_locked || error.code == Errc::state_corrupt ? kStore : kFailed;
  }
  if (const auto closed = close_cage(*config, *cage); !closed) return refused(closed.error());
  for (const auto& endpoint : (*server)->endpoints())
    std::printf("endpoint %s\n", endpoint.c_str());
  std::printf("broker-key %s\n", hex((*server)->key().span()).c_str());
  if (const auto url = (*server)->http_url(); !url.empty()) std::printf("http %s\n", url.c_str());
  std::printf("ready\n");
  std::fflush(stdout);

  while (next_signal(signals) == SIGHUP)
    reload(**server, log, path);
  const bool drained = stop(**server, log, std::chrono::milliseconds(config->drain_ms), signals);
  log.write(LogLevel::info, "stopped");
  return drained ? kOk : kCutShort;
}

int check(const std::string& path, bool json) {
  const auto config = config_as_its_user(path);
  const auto sound = checked(config, path);
  if (json) {
    const auto line =
        config_json(config ? &*config : nullptr, sound ? ConfigProblems{} : sound.error());
    std::printf("%s\n", line.c_str());
    return sound ? kOk : kConfiguration;
  }
  if (!sound) {
    print(sound.error());
    return kConfiguration;
  }
  std::printf("ok\n");
  return kOk;
}

int init(const InitOptions& options) {
  crypto::SystemRandom random;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  const auto made = initialise_folder(options, {static_cast<std::uint64_t>(now)}, random);
  if (!made) {
    std::fprintf(stderr, "%s: %s\n", std::string(name(made.error().code)).c_str(),
                 made.error().detail.c_str());
    return kFailed;
  }
  for (const auto& file : made->files)
    std::fprintf(stderr, "wrote %s\n", file.c_str());
  std::fprintf(stderr,
               "\nAgents pin this broker by its key, which stands on stdout. Keep broker.key.\n"
               "start it with:  sealwired --config %s\n",
               made->config_file.c_str());
  std::printf("broker-key %s\n", hex(made->broker_key.span()).c_str());
  return kOk;
}

int renew(const std::string& path) {
  const auto config = config_as_its_user(path);
  if (!config) {
    print(config.error());
    return kConfiguration;
  }
  crypto::SystemRandom random;
  const auto renewed = SqliteStore::renew({config->store_path, config->store_bytes_max}, random);
  if (!renewed) {
    std::fprintf(stderr, "%s: %s\n", std::string(name(renewed.error().code)).c_str(),
                 renewed.error().detail.c_str());
    return kStore;
  }
  std::fprintf(stderr, "the store has a new incarnation; agents resume from what it holds\n");
  std::printf("incarnation %s\n", hex(renewed->span()).c_str());
  return kOk;
}

int run(int argc, char** argv) {
  CLI::App app("sealwired: the Sealwire message broker", "sealwired");
  app.footer(kFooter);
  std::string config;
  bool only_check = false, json = false;
  app.add_option("--config", config, "the configuration (TOML)")->type_name("FILE");
  CLI::Option* check_option =
      app.add_flag("--check", only_check, "check the configuration and what it needs, then stop");
  app.add_flag("--json", json, "with --check: what the configuration comes to, as JSON")
      ->needs(check_option);
  app.set_version_flag("--version", "sealwired " SEALWIRE_VERSION " (wire sealwire/0)");

  CLI::App* init_command =
      app.add_subcommand("init", "write a configuration and fresh keys into a folder");
  InitOptions options;
  init_command->add_option("folder", options.folder, "made if it is not there")
      ->required()
      ->type_name("DIR");
  init_command->add_option("--host", options.host, "address to listen on")->capture_default_str();
  init_command->add_option("--wss-port", options.wss_port, "WebSocket; 0: the system chooses")
      ->capture_default_str();
  init_command->add_option("--zeromq-port", options.zeromq_port, "ZeroMQ; 0: the system chooses")
      ->capture_default_str();
  init_command->add_option("--http-port", options.http_port, "health and metrics, on loopback")
      ->capture_default_str();
  init_command->add_flag("--open", options.open_admission, "admit every agent that proves its key");

  CLI::App* renew_command = app.add_subcommand(
      "renew", "after restoring the store from a backup: it gets a new incarnation");
  renew_command->add_option("--config", config, "the configuration (TOML)")
      ->required()
      ->type_name("FILE");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  crypto::initialise();
  if (init_command->parsed()) return init(options);
  if (renew_command->parsed()) return renew(config);
  if (config.empty()) {
    std::fprintf(stderr,
                 "sealwired needs --config FILE; `sealwired init DIR` writes one to start from\n");
    return kUsage;
  }
  return only_check ? check(config, json) : serve(config);
}

}  // namespace
}  // namespace sealwire::broker

// What was accepted is stored, so ending here loses nothing; going on half way might. Nothing that
// allocates is called.
[[noreturn]] static void end_without_memory() {
  constexpr std::string_view kReason = "sealwired: out of memory\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kReason.data(), kReason.size());
  ::_exit(EXIT_FAILURE);
}

int main(int argc, char** argv) {
  std::set_new_handler(end_without_memory);
  try {
    return sealwire::broker::run(argc, argv);
  } catch (const std::exception& error) {  // a library's own way to say that it has no memory
    std::fprintf(stderr, "sealwired: %s\n", error.what());
    return EXIT_FAILURE;
  }
}

// The configuration of sealwired: TOML text in, one validated struct out, or everything that is
// wrong with it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "broker/log_sink.h"
#include "broker/router_config.h"

namespace sealwire::broker {

struct ListenConfig {
  std::string uri;
  std::map<std::string, std::string> options;  // the channel's own; `*_file` are resolved paths
  bool allow_insecure = false;
  unsigned threads = 0;  // 0: as many as the machine affords
  std::size_t connections_max = 20'000;
  std::size_t unproven_max = 4096;              // of them, before they have proven a key
  std::size_t unproven_per_address_max = 1024;  // of those
  unsigned line = 0;                            // in the configuration
};

struct HttpConfig {
  bool enabled = true;
  std::string host = "127.0.0.1";  // an address, not a name
  std::uint16_t port = 7480;       // 0: the system chooses
};

enum class LogFormat : std::uint8_t { text, json };

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

enum class CageMode : std::uint8_t {
  required,   // no start where a layer is missing
  available,  // as many layers as there are here; the log names the others
  off,
};

struct ProcessConfig {
  CageMode cage = CageMode::available;
  std::string user;  // what the superuser becomes; empty: nobody else
};

struct Config {
  std::vector<ListenConfig> listen;
  std::filesystem::path key_file = "broker.key";
  std::filesystem::path store_path = "sealwire.db";
  std::uint64_t store_bytes_max = 0;  // 0: the disk
  RouterConfig router;
  HttpConfig http;
  LogConfig log;
  ProcessConfig process;
  std::uint64_t drain_ms = 10 * kSecondMs;  // SIGTERM waits so long for what is under way
};

struct ConfigProblem {
  std::string file;
  unsigned line = 0;  // 0: of the whole file
  std::string what;
  std::string remedy;
};
using ConfigProblems = std::vector<ConfigProblem>;

/// "file:line: what; remedy"
std::string describe(const ConfigProblem& problem);

/// Pure: relative paths are taken from the folder of `filename`, which is not opened. Every problem
/// is reported, not only the first (of faulty TOML, which ends the parse, the first).
tl::expected<Config, ConfigProblems> parse_config(std::string_view text,
                                                  const std::string& filename);

/// Reads and parses `path`.
tl::expected<Config, ConfigProblems> load_config(const std::filesystem::path& path);

/// What only this machine can tell: files are there, with the right modes, and schemes are known.
ConfigProblems check_environment(const Config& config, const std::string& filename);

}  // namespace sealwire::broker

// `sealwired init`: the files that a broker needs to start, made once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/random.h"
#include "protocol/time.h"

namespace sealwire::broker {

struct InitOptions {
  std::filesystem::path folder;    // made if it is not there, with mode 0700
  std::string host = "127.0.0.1";  // to listen on
  std::uint16_t wss_port = 7410;   // 0: the system chooses, at every start
  std::uint16_t zeromq_port = 7411;
  std::uint16_t http_port = 7480;
  bool open_admission = false;
};

struct Initialised {
  std::filesystem::path config_file;
  std::vector<std::filesystem::path> files;  // all of them
  BrokerKey broker_key;
};

/// Writes configuration, broker key, self-signed certificate and CURVE key. Fails with
/// key_file_exists, before it writes anything, when one of them is there already.
Result<Initialised> initialise_folder(const InitOptions& options, UnixMillis now, Random& random);

/// The commented configuration that it writes.
std::string initial_config(const InitOptions& options);

}  // namespace sealwire::broker

// The whole broker as one object: store, pipeline, channels and the operator's HTTP door, put
// together from a configuration. Used by sealwired and, in-process, by tests.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "protocol/bytes.h"

namespace sealwire::broker {

struct Metrics;

class Server {
 public:
  /// Opens the store, starts the pipeline and then the doors; everything runs on threads of its own
  /// when it returns. `log` outlives it. Fails with the error of whichever part could not start,
  /// and leaves nothing running.
  static Result<std::unique_ptr<Server>> start(Config config, LogSink& log);
  /// Stops at once. What was accepted is on disk.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  BrokerKey key() const;
  /// Ready to be dialled, in the order of the configuration.
  std::vector<std::string> endpoints() const;
  /// "" where HTTP is off.
  std::string http_url() const;
  const Metrics& metrics() const;

  /// Reads certificates again; takes over admission, limits. What needs a restart is only said in
  /// the log. Fails with the first channel that could not (its old certificate stays).
  Result<> reload(const Config& config);

  /// Accepts no more connections, finishes what was decided, closes every session as `closing`.
  /// True if all that happened within `deadline`. Nothing runs afterwards.
  bool stop(std::chrono::milliseconds deadline);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::broker

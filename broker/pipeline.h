// The broker's core with its threads and queues: channels call it as their handler, one router
// thread decides and settles, one committer thread writes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "adapters/channels/channel.h"
#include "broker/log_sink.h"
#include "broker/metrics.h"
#include "broker/router_config.h"
#include "broker/store/store.h"
#include "protocol/crypto/crypto.h"

namespace sealwire::broker {

/// Everything outlives the pipeline. `store` is used by two threads as its header says.
struct PipelineParts {
  const crypto::SigningKey* key = nullptr;  // the broker's
  Store* store = nullptr;
  Random* random = nullptr;  // thread-safe (SystemRandom is)
  Metrics* metrics = nullptr;
  LogSink* log = nullptr;
  std::function<UnixMillis()> clock;  // thread-safe
};

/// Bounds: events waiting for the router (number, bytes, bytes of one connection). A connection
/// that would exceed one is closed as `unavailable` ("overloaded"): a channel cannot be paused, and
/// nothing was promised for what waits. An agent that has no more unanswered than
/// `queued_bytes_per_connection_max` never meets the last.
class Pipeline final : public channel::Handler {
 public:
  /// Loads the store and starts the threads. Fails with what `Store::load` fails with.
  static Result<std::unique_ptr<Pipeline>> start(RouterConfig config, PipelineParts parts);
  /// Stops at once; what was not accepted is lost, what was accepted is on disk. Every channel that
  /// calls this handler must be gone before.
  ~Pipeline() override;

  // channel::Handler, for any number of channels and threads
  void on_open(const channel::ConnectionPtr& connection) override;
  void on_bytes(const channel::ConnectionPtr& connection, ByteSpan frame) override;
  void on_writable(const channel::ConnectionPtr& connection) override;
  void on_close(const channel::ConnectionPtr& connection, const Error& error) override;

  /// Refuses what is new, commits what was decided, closes every session as `closing`. True when
  /// all that happened before `deadline`.
  bool drain(std::chrono::milliseconds deadline);
  /// Takes over admission, quotas and rates (those of handshakes start anew); the rest of `config`
  /// needs a restart. Any thread.
  void reload(RouterConfig config);
  /// The router makes progress and its last commit succeeded: what /readyz tells. Any thread.
  bool healthy() const;

 private:
  struct Impl;
  explicit Pipeline(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::broker

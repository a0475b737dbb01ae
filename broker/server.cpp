#include "broker/server.h"

#include <atomic>
#include <thread>

#include "adapters/channels/registry.h"
#include "broker/http.h"
#include "broker/keys.h"
#include "broker/locked_key.h"
#include "broker/metrics_text.h"
#include "broker/pipeline.h"
#include "broker/store/sqlite/sqlite_store.h"
#include "broker/suggest.h"

namespace sealwire::broker {
namespace {

UnixMillis system_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
}

/// One core is the router's and the committer's.
unsigned io_threads() {
  return std::max(2U, std::thread::hardware_concurrency()) - 1;
}

channel::Endpoint endpoint_of(const ListenConfig& listen, const RouterConfig& router) {
  channel::Endpoint endpoint;
  endpoint.uri = listen.uri;
  endpoint.options = listen.options;
  endpoint.limits.connections = listen.connections_max;
  endpoint.limits.unproven = listen.unproven_max;
  endpoint.limits.unproven_per_address = listen.unproven_per_address_max;
  endpoint.limits.handshake_ms = router.handshake_ms;
  endpoint.threads = listen.threads == 0 ? io_threads() : listen.threads;
  endpoint.allow_insecure = listen.allow_insecure;
  return endpoint;
}

Result<std::unique_ptr<channel::Running>> listen(const ListenConfig& config,
                                                 const RouterConfig& router,
                                                 channel::Handler& handler) {
  const channel::Channel* channel = channel::find_channel(config.uri);
  if (channel == nullptr)
    return fail(Errc::address_invalid, "no channel has the scheme of " + printable(config.uri));
  auto running = channel->listen(endpoint_of(config, router), handler);
  if (!running)
    return fail(running.error().code,
                "[[listen]] " + printable(config.uri) + ": " + running.error().detail);
  return running;
}

}  // namespace

// In this order: each part goes before those that it uses.
struct Server::Impl {
  Impl(crypto::SigningKey broker_key, LogSink& sink) : key(std::move(broker_key)), log(sink) {}

  LockedKey key;
  LogSink& log;
  crypto::SystemRandom random;
  Metrics metrics;
  Config config;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<Pipeline> pipeline;
  std::vector<std::unique_ptr<channel::Running>> doors;
  std::atomic<bool> open = false;  // for /readyz
  std::unique_ptr<HttpServer> http;

  Result<> start() {
    SW_TRY(store, SqliteStore::open({config.store_path, config.store_bytes_max}, random));
    PipelineParts parts;
    parts.key = &*key;
    parts.store = store.get();
    parts.random = &random;
    parts.metrics = &metrics;
    parts.log = &log;
    parts.clock = system_now;
    SW_TRY(pipeline, Pipeline::start(config.router, std::move(parts)));
    for (const ListenConfig& each : config.listen) {
      SW_TRY(auto door, listen(each, config.router, *pipeline));
      doors.push_back(std::move(door));
    }
    open = true;
    if (config.http.enabled) {
      SW_TRY(http, HttpServer::start(config.http, {[this] { return open && pipeline->healthy(); },
                                                   [this] { return metrics_text(metrics); }}));
    }
    return {};
  }
};

Result<std::unique_ptr<Server>> Server::start(Config config, LogSink& log) {
  crypto::initialise();
  SW_TRY(crypto::SigningKey key, load_broker_key(config.key_file));
  auto impl = std::make_unique<Impl>(std::move(key), log);
  impl->config = std::move(config);
  if (!impl->key.locked())
    log.write(LogLevel::warning,
              "the broker's key is not locked in memory and could be swapped out: raise the limit "
              "of locked memory (LimitMEMLOCK, ulimit -l)");
  SW_CHECK(impl->start());
  for (const auto& door : impl->doors)
    log.write(LogLevel::info, "listening on " + door->uri());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

BrokerKey Server::key() const {
  return (*impl_->key).public_key<BrokerKey>();
}

std::vector<std::string> Server::endpoints() const {
  std::vector<std::string> uris;
  for (const auto& door : impl_->doors)
    uris.push_back(door->uri());
  return uris;
}

std::string Server::http_url() const {
  return impl_->http ? impl_->http->url() : "";
}

const Metrics& Server::metrics() const {
  return impl_->metrics;
}

Result<> Server::reload(const Config& config) {
  const auto same_doors = [](const ListenConfig& a, const ListenConfig& b) {
    return a.uri == b.uri && a.options == b.options && a.allow_insecure == b.allow_insecure &&
           a.threads == b.threads && a.connections_max == b.connections_max &&
           a.unproven_max == b.unproven_max &&
           a.unproven_per_address_max == b.unproven_per_address_max;
  };
  const Config& now = impl_->config;
  if (config.key_file != now.key_file || config.store_path != now.store_path ||
      config.store_bytes_max != now.store_bytes_max || config.http.enabled != now.http.enabled ||
      config.http.host != now.http.host || config.http.port != now.http.port ||
      config.router.verification != now.router.verification ||
      config.log.format != now.log.format || config.process.cage != now.process.cage ||
      config.process.user != now.process.user || config.drain_ms != now.drain_ms ||
      !std::equal(config.listen.begin(), config.listen.end(), now.listen.begin(), now.listen.end(),
                  same_doors))
    impl_->log.write(
        LogLevel::warning,
        "more changed than admission, limits, log level and certificates: the rest takes "
        "effect at the next start");
  impl_->pipeline->reload(config.router);
  Result<> result;
  for (const auto& door : impl_->doors) {
    auto reloaded = door->reload();
    if (!reloaded && result)
      result = fail(reloaded.error().code, door->uri() + ": " + reloaded.error().detail);
  }
  return result;
}

bool Server::stop(std::chrono::milliseconds deadline) {
  impl_->open = false;
  for (const auto& door : impl_->doors)
    door->stop_accepting();
  const bool drained = impl_->pipeline->drain(deadline);
  impl_->http.reset();
  impl_->doors.clear();
  impl_->pipeline.reset();
  impl_->store.reset();
  return drained;
}

}  // namespace sealwire::broker

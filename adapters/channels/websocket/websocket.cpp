#include "adapters/channels/websocket/websocket.h"

#include "adapters/channels/uri.h"
#include "adapters/channels/websocket/engine.h"

namespace sealwire::channel {
namespace websocket {
namespace {

Errc code_of(Ending ending) {
  switch (ending) {
    case Ending::orderly:
      return Errc::closed;
    case Ending::lost:
      return Errc::connection_lost;
    case Ending::frame_too_large:
      return Errc::frame_too_large;
    case Ending::protocol:
      return Errc::frame_malformed;
    case Ending::timeout:
      return Errc::timeout;
    case Ending::connect_failed:
      return Errc::connect_failed;
  }
  return Errc::connection_lost;
}

class WebSocketConnection final : public Connection {
 public:
  explicit WebSocketConnection(std::shared_ptr<Link> link) : link_(std::move(link)) {
    if (link_->exporter.empty()) return;
    binding_ = {BindingType::tls_exporter, link_->exporter};
  }
  Sent send(Bytes frame) override {
    switch (link_->send(std::move(frame))) {
      case Taken::taken:
        return Sent::taken;
      case Taken::full:
        return Sent::full;
      case Taken::closed:
        return Sent::closed;
    }
    return Sent::closed;
  }
  void promote() override { link_->promote(); }
  void close(std::string_view reason) override { link_->close(std::string(reason)); }
  const Binding& binding() const override { return binding_; }
  const std::string& peer_address() const override { return link_->peer_address; }

 private:
  const std::shared_ptr<Link> link_;
  Binding binding_;
};

/// Gives the engine's events to the handler. The link owns its connection while it is open.
class Translator final : public Events {
 public:
  explicit Translator(Handler& handler) : handler_(handler) {}

  void on_open(const std::shared_ptr<Link>& link) override {
    const auto connection = std::make_shared<WebSocketConnection>(link);
    link->owner = connection;
    handler_.on_open(connection);
  }
  void on_bytes(Link& link, const std::uint8_t* data, std::size_t size) override {
    handler_.on_bytes(connection_of(link), {data, size});
  }
  void on_writable(Link& link) override { handler_.on_writable(connection_of(link)); }
  void on_close(Link* link, Ending ending, const std::string& detail) override {
    const Error error{code_of(ending), detail};
    if (link == nullptr) {
      handler_.on_close(nullptr, error);
    } else {
      handler_.on_close(connection_of(*link), error);
      link->owner = nullptr;
    }
  }

 private:
  static ConnectionPtr connection_of(const Link& link) {
    return std::static_pointer_cast<WebSocketConnection>(link.owner);
  }
  Handler& handler_;
};

class WebSocketRunning final : public Running {
 public:
  WebSocketRunning(Uri uri, std::unique_ptr<Translator> translator, std::unique_ptr<Engine> engine)
      : translator_(std::move(translator)), engine_(std::move(engine)) {
    uri.port = engine_->port();
    uri_ = uri.scheme + "://" + authority(uri) + uri.path;
  }
  std::string uri() const override { return uri_; }
  Result<> reload() override {
    if (auto error = engine_->reload(); !error.empty())
      return fail(Errc::config_invalid, std::move(error));
    return {};
  }
  void stop_accepting() override { engine_->stop_accepting(); }

 private:
  std::string uri_;
  const std::unique_ptr<Translator> translator_;
  const std::unique_ptr<Engine> engine_;  // goes first
};

std::vector<std::string> comma_list(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    if (end > at) result.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

Result<Uri> checked_uri(const Endpoint& endpoint) {
  SW_TRY(auto uri, parse_uri(endpoint.uri));
  if (uri.scheme != "ws" && uri.scheme != "wss") {
    return fail(Errc::address_invalid, "expected ws:// or wss://");
  }
  if (!uri.query.empty()) return fail(Errc::address_invalid, "a WebSocket endpoint has no query");
  if (uri.scheme == "ws") SW_CHECK(require_secure_or_loopback(uri, endpoint));
  if (uri.path.empty()) uri.path = "/";
  return uri;
}

Settings settings_of(const Uri& uri, const Endpoint& endpoint) {
  Settings settings;
  settings.tls = uri.scheme == "wss";
  settings.host = uri.host;
  settings.port = uri.port;
  settings.path = uri.path;
  settings.origins = comma_list(option(endpoint, "origins"));
  settings.certificate_file = option(endpoint, "certificate_file");
  settings.private_key_file = option(endpoint, "private_key_file");
  settings.ca_file = option(endpoint, "ca_file");
  settings.frame_bytes_before_proof = endpoint.limits.frame_bytes_before_proof;
  settings.frame_bytes = endpoint.limits.frame_bytes;
  settings.buffered_bytes = endpoint.limits.buffered_bytes;
  settings.connections = endpoint.limits.connections;
  settings.unproven = endpoint.limits.unproven;
  settings.unproven_per_address = endpoint.limits.unproven_per_address;
  settings.handshake_ms = endpoint.limits.handshake_ms;
  settings.threads = endpoint.threads;
  return settings;
}

Result<std::unique_ptr<Running>> start(const Uri& uri, const Endpoint& endpoint, Handler& handler,
                                       Started (*starter)(const Settings&, Events&)) {
  auto translator = std::make_unique<Translator>(handler);
  auto started = starter(settings_of(uri, endpoint), *translator);
  if (!started.engine) {
    return fail(started.configuration ? Errc::config_invalid : Errc::connect_failed, started.error);
  }
  return std::make_unique<WebSocketRunning>(uri, std::move(translator), std::move(started.engine));
}

class WebSocketChannel final : public Channel {
 public:
  std::string_view name() const override { return "websocket"; }
  std::vector<std::string_view> schemes() const override { return {"wss", "ws"}; }
  Capabilities capabilities() const override { return {.binding = true, .native_close = true}; }

  Result<std::unique_ptr<Running>> listen(const Endpoint& endpoint,
                                          Handler& handler) const override {
    SW_TRY(const auto uri, checked_uri(endpoint));
    SW_CHECK(check_options(endpoint, {"certificate_file", "private_key_file", "origins"}));
    return start(uri, endpoint, handler, uri.scheme == "wss" ? listen_tls : listen_plain);
  }
  Result<std::unique_ptr<Running>> dial(const Endpoint& endpoint, Handler& handler) const override {
    SW_TRY(const auto uri, checked_uri(endpoint));
    SW_CHECK(check_options(endpoint, {"ca_file"}));
    return start(uri, endpoint, handler, uri.scheme == "wss" ? dial_tls : dial_plain);
  }
};

}  // namespace
}  // namespace websocket

const Channel& websocket_channel() {
  static const websocket::WebSocketChannel channel;
  return channel;
}

}  // namespace sealwire::channel

// wss://: the engine over TLS.
#include "adapters/channels/websocket/client.h"
#include "adapters/channels/websocket/server.h"
#include "adapters/channels/websocket/tls_context.h"

// After the transport, which it does not include itself.
#include <websocketpp/transport/asio/security/tls.hpp>

namespace sealwire::channel::websocket {
namespace {

using Tls = LibraryConfig<websocketpp::transport::asio::tls_socket::endpoint>;

bool bind_exporter(websocketpp::connection<Tls>& connection, std::vector<std::uint8_t>& value) {
  value = tls_exporter(connection.get_socket().native_handle());
  return !value.empty();
}

/// The listener's context: the accepting threads read it, reload() swaps it.
struct Current {
  std::mutex mutex;
  TlsContext context;
};

}  // namespace

Started listen_tls(const Settings& settings, Events& events) {
  const auto current = std::make_shared<Current>();
  const auto load = [current, certificate = settings.certificate_file,
                     key = settings.private_key_file] {
    std::string error;
    auto fresh = server_context(certificate, key, error);
    if (!fresh) return error;
    const std::lock_guard lock(current->mutex);
    current->context = std::move(fresh);
    return std::string();
  };
  if (auto error = load(); !error.empty()) return {nullptr, true, error};
  const auto prepare = [current](auto& server) {
    server.set_tls_init_handler([current](const websocketpp::connection_hdl&) {
      const std::lock_guard lock(current->mutex);
      return current->context;
    });
  };
  auto engine = std::make_unique<ServerEngine<Tls>>(
      settings, events, ServerSecurity<Tls>{prepare, bind_exporter}, load);
  if (auto error = engine->start(); !error.empty()) return {nullptr, false, error};
  return {std::move(engine), false, {}};
}

Started dial_tls(const Settings& settings, Events& events) {
  std::string error;
  const TlsContext context = client_context(settings.ca_file, settings.host, error);
  if (!context) return {nullptr, true, error};
  const auto prepare = [context](auto& client) {
    client.set_tls_init_handler(
        [context](const websocketpp::connection_hdl&) { return TlsContext(context); });
  };
  auto engine = std::make_unique<ClientEngine<Tls>>(settings, events,
                                                    ClientSecurity<Tls>{prepare, bind_exporter});
  if (error = engine->start(); !error.empty()) return {nullptr, false, error};
  return {std::move(engine), false, {}};
}

}  // namespace sealwire::channel::websocket

// ws://: the engine over plain TCP.
#include "adapters/channels/websocket/client.h"
#include "adapters/channels/websocket/server.h"

// After the transport, which it does not include itself.
#include <websocketpp/transport/asio/security/none.hpp>

namespace sealwire::channel::websocket {
namespace {

using Plain = LibraryConfig<websocketpp::transport::asio::basic_socket::endpoint>;

bool no_binding(websocketpp::connection<Plain>&, std::vector<std::uint8_t>&) {
  return true;
}

}  // namespace

Started listen_plain(const Settings& settings, Events& events) {
  auto engine = std::make_unique<ServerEngine<Plain>>(
      settings, events, ServerSecurity<Plain>{[](auto&) {}, no_binding},
      [] { return std::string(); });
  if (auto error = engine->start(); !error.empty()) return {nullptr, false, error};
  return {std::move(engine), false, {}};
}

Started dial_plain(const Settings& settings, Events& events) {
  auto engine = std::make_unique<ClientEngine<Plain>>(
      settings, events, ClientSecurity<Plain>{[](auto&) {}, no_binding});
  if (auto error = engine->start(); !error.empty()) return {nullptr, false, error};
  return {std::move(engine), false, {}};
}

}  // namespace sealwire::channel::websocket

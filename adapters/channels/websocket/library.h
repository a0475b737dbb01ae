// websocketpp as this channel uses it: one thread an io_context, hence no locks and no strands; no
// logs, no compression, and limits of ours in place of its 32 MB. C++17, part of the engine.
#pragma once

#include <memory>
#include <websocketpp/client.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core.hpp>
#include <websocketpp/random/random_device.hpp>
#include <websocketpp/server.hpp>
#include <websocketpp/transport/asio/endpoint.hpp>

namespace sealwire::channel::websocket {

inline constexpr char kSubprotocol[] = "sealwire.0";
inline constexpr long kCloseMs = 1000;        // for what was taken and the close handshake
inline constexpr long kShutdownMs = 50;       // for TLS' own goodbye
inline constexpr long kEngineCloseMs = 1500;  // for all of a listener's connections to close

template <class Config>
class LibraryLink;

template <class Config>
struct LibraryConnectionBase {
  std::shared_ptr<LibraryLink<Config>> link;
};

template <class Socket>
struct LibraryConfig : public websocketpp::config::core {
  using type = LibraryConfig;
  using concurrency_type = websocketpp::concurrency::none;
  using alog_type = websocketpp::log::basic<concurrency_type, websocketpp::log::alevel>;
  using elog_type = websocketpp::log::basic<concurrency_type, websocketpp::log::elevel>;
  using rng_type =
      websocketpp::random::random_device::int_generator<std::uint32_t, concurrency_type>;
  using connection_base = LibraryConnectionBase<LibraryConfig>;

  static bool const enable_multithreading = false;
  static websocketpp::log::level const elog_level = websocketpp::log::elevel::none;
  static websocketpp::log::level const alog_level = websocketpp::log::alevel::none;
  static std::size_t const max_http_body_size = 0;

  struct transport_config : public websocketpp::config::core::transport_config {
    using concurrency_type = type::concurrency_type;
    using alog_type = type::alog_type;
    using elog_type = type::elog_type;
    using request_type = websocketpp::config::core::request_type;
    using response_type = websocketpp::config::core::response_type;
    using socket_type = Socket;
    static bool const enable_multithreading = false;
    static long const timeout_socket_shutdown = kShutdownMs;
  };
  using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

/// An io_context with one thread. Links hold it weakly, so that one kept by the application does
/// not touch a loop that has gone.
struct Loop {
  boost::asio::io_context io{1};
};

/// An exception out of the library costs the connection whose handler threw; the others go on.
inline void run(Loop& loop) {
  for (;;) {
    try {
      loop.io.run();
      return;
    } catch (const std::exception&) {
    }
  }
}

}  // namespace sealwire::channel::websocket

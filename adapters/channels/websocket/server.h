// The listening end: on each I/O thread an acceptor of its own, so that a connection stays on one
// thread. C++17, part of the engine.
#pragma once

#include "adapters/channels/websocket/server_loop.h"

namespace sealwire::channel::websocket {

template <class Config>
class ServerEngine final : public Engine {
 public:
  ServerEngine(Settings settings, Events& events, ServerSecurity<Config> security,
               std::function<std::string()> reload)
      : settings_(std::move(settings)),
        security_(std::move(security)),
        reload_(std::move(reload)),
        census_(std::make_shared<Census>(settings_.connections, settings_.unproven,
                                         settings_.unproven_per_address)) {
    for (unsigned i = 0; i < std::max(1u, settings_.threads); ++i) {
      loops_.push_back(std::make_unique<ServerLoop<Config>>(settings_, events, census_, security_));
    }
  }
  ~ServerEngine() override {
    for (const auto& loop : loops_)
      loop->begin_stop();
    for (const auto& loop : loops_)
      loop->finish_stop();
  }

  std::string start() {
    boost::system::error_code ec;
    boost::asio::io_context io;
    boost::asio::ip::tcp::resolver resolver(io);
    const auto found = resolver.resolve(settings_.host, std::to_string(settings_.port), ec);
    if (ec) return ec.message();
    boost::asio::ip::tcp::endpoint at = *found.begin();
    if (auto error = refuse_taken_port(io, at); !error.empty()) return error;
    for (const auto& loop : loops_) {
      if (auto error = loop->listen(at, loops_.size() > 1); !error.empty()) return error;
      at = loop->bound();
    }
    port_ = at.port();
    for (const auto& loop : loops_)
      loop->start();
    return {};
  }

  std::uint16_t port() const override { return port_; }
  std::string reload() override {
    auto error = reload_();
    if (error.empty()) {
      for (const auto& loop : loops_)
        loop->renew_waiting_connection();
    }
    return error;
  }
  void stop_accepting() override {
    for (const auto& loop : loops_)
      loop->stop_accepting();
  }

 private:
  // SO_REUSEPORT would silently share the port with another broker of the same user.
  static std::string refuse_taken_port(boost::asio::io_context& io,
                                       const boost::asio::ip::tcp::endpoint& at) {
    boost::system::error_code ec;
    if (at.port() == 0) return {};
    boost::asio::ip::tcp::acceptor probe(io);
    probe.open(at.protocol(), ec);
    probe.set_option(boost::asio::socket_base::reuse_address(true), ec);
    probe.bind(at, ec);
    return ec ? ec.message() : std::string();
  }

  const Settings settings_;
  const ServerSecurity<Config> security_;
  const std::function<std::string()> reload_;
  const std::shared_ptr<Census> census_;
  std::vector<std::unique_ptr<ServerLoop<Config>>> loops_;
  std::uint16_t port_ = 0;
};

}  // namespace sealwire::channel::websocket

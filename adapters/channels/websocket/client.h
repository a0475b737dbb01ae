// The dialling end: one connection, one thread. C++17, part of the engine.
#pragma once

#include <thread>

#include "adapters/channels/websocket/link.h"

namespace sealwire::channel::websocket {

/// What differs between ws and wss.
template <class Config>
struct ClientSecurity {
  using Client = websocketpp::client<Config>;
  using Connection = websocketpp::connection<Config>;
  std::function<void(Client&)> prepare;
  std::function<bool(Connection&, std::vector<std::uint8_t>&)> bind;
};

template <class Config>
class ClientEngine final : public Engine {
 public:
  using Client = websocketpp::client<Config>;
  using ConnectionPtr = typename Client::connection_ptr;
  using Hdl = websocketpp::connection_hdl;

  ClientEngine(Settings settings, Events& events, ClientSecurity<Config> security)
      : settings_(std::move(settings)), events_(events), security_(std::move(security)) {}

  ~ClientEngine() override {
    boost::asio::post(loop_->io, [this] {
      deadline_.expires_after(std::chrono::milliseconds(kEngineCloseMs));
      deadline_.async_wait([this](const boost::system::error_code&) { loop_->io.stop(); });
      link_->is_open() ? link_->close("the dialling end went") : link_->abort();
    });
    if (thread_.joinable()) thread_.join();
    if (link_) end(Ending::timeout, "the dialling end went");
  }

  /// Empty, or why the URI cannot be dialled.
  std::string start() {
    websocketpp::lib::error_code ec;
    client_.init_asio(&loop_->io, ec);
    if (ec) return ec.message();
    security_.prepare(client_);
    client_.set_user_agent("");
    client_.set_open_handshake_timeout(static_cast<long>(settings_.handshake_ms));
    client_.set_tcp_pre_init_handler([](const Hdl& hdl) {
      boost::system::error_code ignored;
      get(hdl)->get_raw_socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    });
    client_.set_open_handler([this](const Hdl& hdl) { opened(get(hdl)); });
    client_.set_message_handler([this](const Hdl& hdl, const auto& message) {
      if (link_->is_open()) link_->received(get(hdl), message);
    });
    client_.set_ping_handler([this](const Hdl& hdl, const std::string& payload) {
      link_->ping(get(hdl), payload);
      return false;
    });
    client_.set_close_handler([this](const Hdl& hdl) { ended(get(hdl)); });
    client_.set_fail_handler([this](const Hdl& hdl) { ended(get(hdl)); });

    const bool v6 = settings_.host.find(':') != std::string::npos;
    const auto connection =
        client_.get_connection(std::string(settings_.tls ? "wss://" : "ws://") +
                                   (v6 ? "[" + settings_.host + "]" : settings_.host) + ":" +
                                   std::to_string(settings_.port) + settings_.path,
                               ec);
    if (ec) return ec.message();
    connection->add_subprotocol(kSubprotocol, ec);
    if (ec) return ec.message();
    link_ =
        std::make_shared<LibraryLink<Config>>(settings_, events_, loop_, connection, true, Place());
    handshake_.expires_after(std::chrono::milliseconds(settings_.handshake_ms));
    handshake_.async_wait([this](const boost::system::error_code& timer_ec) {
      if (timer_ec || link_->is_open()) return;
      refusal_ = "no answer in time";
      link_->abort();
    });
    client_.connect(connection);
    thread_ = std::thread([this] { run(*loop_); });
    return {};
  }

  std::uint16_t port() const override { return settings_.port; }
  std::string reload() override { return {}; }
  void stop_accepting() override {}

 private:
  static ConnectionPtr get(const Hdl& hdl) {
    return std::static_pointer_cast<typename Client::connection_type>(hdl.lock());
  }

  void opened(const ConnectionPtr& connection) {
    handshake_.cancel();
    if (connection->get_response_header("Sec-WebSocket-Protocol") != kSubprotocol) {
      refusal_ = std::string("the other end does not speak ") + kSubprotocol;
    } else if (!security_.bind(*connection, link_->exporter)) {
      refusal_ = "this TLS session has no safe channel binding";
    } else {
      boost::system::error_code ignored;
      link_->peer_address =
          connection->get_raw_socket().remote_endpoint(ignored).address().to_string();
      link_->opened();
      return;
    }
    websocketpp::lib::error_code ec;
    connection->close(websocketpp::close::status::policy_violation, refusal_, ec);
  }

  void ended(const ConnectionPtr& connection) {
    boost::system::error_code ignored;
    connection->get_raw_socket().close(ignored);
    if (link_->is_open()) {
      link_->ended(connection);
    } else {
      const auto status = static_cast<int>(connection->get_response_code());
      end(Ending::connect_failed, !refusal_.empty() ? refusal_
                                  : status != 0
                                      ? "HTTP status " + std::to_string(status)
                                      : connection->get_uri()->str() + ": " + reason(*connection));
    }
    loop_->io.stop();
  }

  /// websocketpp has one word for all that keeps a connection from coming about.
  static std::string reason(const typename Client::connection_type& connection) {
    const auto ec = connection.get_ec();
    return ec == websocketpp::transport::error::pass_through
               ? "no connection: nothing listens there, or it cannot be reached"
               : ec.message();
  }

  void end(Ending ending, const std::string& detail) {
    if (link_->has_ended()) return;
    const bool never_opened = !link_->is_open();
    link_->end(ending, detail);
    if (never_opened) events_.on_close(nullptr, Ending::connect_failed, detail);
  }

  const Settings settings_;
  Events& events_;
  const ClientSecurity<Config> security_;
  const std::shared_ptr<Loop> loop_ = std::make_shared<Loop>();
  Client client_;
  boost::asio::steady_timer handshake_{loop_->io};
  boost::asio::steady_timer deadline_{loop_->io};
  std::shared_ptr<LibraryLink<Config>> link_;
  std::string refusal_;
  std::thread thread_;
};

}  // namespace sealwire::channel::websocket

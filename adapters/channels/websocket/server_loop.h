// One I/O thread of a listener: its acceptor, its connections and what it refuses of them. C++17,
// part of the engine.
#pragma once

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "adapters/channels/websocket/link.h"

namespace sealwire::channel::websocket {

/// What differs between ws and wss.
template <class Config>
struct ServerSecurity {
  using Server = websocketpp::server<Config>;
  using Connection = websocketpp::connection<Config>;
  std::function<void(Server&)> prepare;
  /// The channel binding; false where this connection cannot have one and must.
  std::function<bool(Connection&, std::vector<std::uint8_t>&)> bind;
};

template <class Config>
class ServerLoop {
 public:
  using Server = websocketpp::server<Config>;
  using ConnectionPtr = typename Server::connection_ptr;
  using LinkPtr = std::shared_ptr<LibraryLink<Config>>;
  using Hdl = websocketpp::connection_hdl;
  using Endpoint = boost::asio::ip::tcp::endpoint;

  ServerLoop(const Settings& settings, Events& events, std::shared_ptr<Census> census,
             const ServerSecurity<Config>& security)
      : settings_(settings), events_(events), census_(std::move(census)), security_(security) {}

  /// Empty, or why the address could not be bound.
  std::string listen(const Endpoint& at, bool shared_port) {
    websocketpp::lib::error_code ec;
    server_.init_asio(&loop_->io, ec);
    if (ec) return ec.message();
    security_.prepare(server_);
    server_.set_user_agent("");
    server_.set_max_http_body_size(0);
    server_.set_reuse_addr(true);
    server_.set_open_handshake_timeout(static_cast<long>(settings_.handshake_ms));
    server_.set_tcp_pre_bind_handler(
        [this, shared_port](std::shared_ptr<boost::asio::ip::tcp::acceptor> it) {
          acceptor_ = std::move(it);
          boost::system::error_code option_ec;
          if (shared_port) {
            using ReusePort = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
            acceptor_->set_option(ReusePort(true), option_ec);
          }
          return option_ec ? websocketpp::error::make_error_code(websocketpp::error::general)
                           : websocketpp::lib::error_code();
        });
    server_.set_validate_handler([this](const Hdl& hdl) { return validate(*get(hdl)); });
    server_.set_open_handler([](const Hdl& hdl) { get(hdl)->link->opened(); });
    server_.set_message_handler([](const Hdl& hdl, const auto& message) {
      const auto connection = get(hdl);
      connection->link->received(connection, message);
    });
    server_.set_ping_handler([](const Hdl& hdl, const std::string& payload) {
      const auto connection = get(hdl);
      connection->link->ping(connection, payload);
      return false;
    });
    server_.set_close_handler([this](const Hdl& hdl) { ended(get(hdl)); });
    server_.set_fail_handler([this](const Hdl& hdl) { ended(get(hdl)); });
    server_.listen(at, ec);
    if (ec) return ec.message();
    accept();
    return {};
  }

  Endpoint bound() const {
    boost::system::error_code ignored;
    return acceptor_->local_endpoint(ignored);
  }
  void start() {
    thread_ = std::thread([this] { run(*loop_); });
  }
  void stop_accepting() {
    boost::asio::post(loop_->io, [this] { close_acceptor(); });
  }
  /// The connection that waits to be accepted holds the old certificate: it is made anew.
  void renew_waiting_connection() {
    boost::asio::post(loop_->io, [this] {
      boost::system::error_code ignored;
      acceptor_->cancel(ignored);
    });
  }
  void begin_stop() {
    boost::asio::post(loop_->io, [this] {
      close_acceptor();
      stopping_ = true;
      const auto links = links_;
      for (const auto& link : links) {
        link->is_open() ? link->close("the listener ended") : link->abort();
      }
      deadline_.expires_after(std::chrono::milliseconds(kEngineCloseMs));
      deadline_.async_wait([this](const boost::system::error_code&) { loop_->io.stop(); });
      stop_when_empty();
    });
  }
  void finish_stop() {
    if (thread_.joinable()) thread_.join();
    const auto links = links_;
    for (const auto& link : links)
      link->end(Ending::timeout, "the listener ended");
  }

 private:
  static ConnectionPtr get(const Hdl& hdl) {
    return std::static_pointer_cast<typename Server::connection_type>(hdl.lock());
  }

  void close_acceptor() {
    accepting_ = false;
    boost::system::error_code ignored;
    acceptor_->close(ignored);
  }

  // A loop of our own: the library's spins when there are no descriptors left.
  void accept() {
    const auto connection = server_.get_connection();
    if (!connection) return;
    acceptor_->async_accept(
        connection->get_raw_socket(), [this, connection](const boost::system::error_code& ec) {
          if (ec) {
            connection->terminate(
                websocketpp::error::make_error_code(websocketpp::error::operation_canceled));
          } else {
            admit(connection);
          }
          if (!accepting_) return;
          if (!ec || ec == boost::asio::error::operation_aborted ||
              ec == boost::asio::error::connection_aborted) {
            accept();
            return;
          }
          accept_again_.expires_after(std::chrono::milliseconds(100));
          accept_again_.async_wait([this](const boost::system::error_code& timer_ec) {
            if (!timer_ec && accepting_) accept();
          });
        });
  }

  void admit(const ConnectionPtr& connection) {
    boost::system::error_code ec;
    auto& socket = connection->get_raw_socket();
    const auto address = socket.remote_endpoint(ec).address();
    auto place = ec ? Place() : Place::take(census_, census_key(address.to_string()));
    if (!place) {
      socket.close(ec);
      connection->terminate(websocketpp::error::make_error_code(websocketpp::error::rejected));
      return;
    }
    socket.set_option(boost::asio::ip::tcp::no_delay(true), ec);
    const auto link = std::make_shared<LibraryLink<Config>>(settings_, events_, loop_, connection,
                                                            false, std::move(place));
    link->peer_address = address.to_string();
    connection->link = link;
    links_.insert(link);
    // One clock for TLS and HTTP together; the library has one for each.
    connection->set_timer(
        static_cast<long>(settings_.handshake_ms),
        [weak = std::weak_ptr(link)](const websocketpp::lib::error_code& timer_ec) {
          const auto late = weak.lock();
          if (!timer_ec && late && !late->is_open()) late->abort();
        });
    connection->start();
  }

  bool validate(typename Server::connection_type& connection) {
    namespace status = websocketpp::http::status_code;
    const auto refuse = [&connection](status::value code) {
      connection.set_status(code);
      return false;
    };
    const auto& headers = connection.get_request().get_headers();
    if (connection.get_request_header("Sec-WebSocket-Version") != "13")
      return refuse(status::bad_request);
    const auto origin = headers.find("Origin");
    if (origin != headers.end() && std::find(settings_.origins.begin(), settings_.origins.end(),
                                             origin->second) == settings_.origins.end()) {
      return refuse(status::forbidden);
    }
    if (connection.get_resource() != settings_.path) return refuse(status::not_found);
    const auto& offered = connection.get_requested_subprotocols();
    if (std::find(offered.begin(), offered.end(), kSubprotocol) == offered.end()) {
      return refuse(status::bad_request);
    }
    if (!security_.bind(connection, connection.link->exporter)) return refuse(status::bad_request);
    websocketpp::lib::error_code ec;
    connection.select_subprotocol(kSubprotocol, ec);
    return !ec;
  }

  void ended(const ConnectionPtr& connection) {
    const auto link = std::move(connection->link);
    if (!link) return;
    boost::system::error_code ignored;
    connection->get_raw_socket().close(ignored);
    link->ended(connection);
    links_.erase(link);
    stop_when_empty();
  }

  void stop_when_empty() {
    if (stopping_ && links_.empty()) loop_->io.stop();
  }

  const Settings& settings_;
  Events& events_;
  const std::shared_ptr<Census> census_;
  const ServerSecurity<Config>& security_;
  const std::shared_ptr<Loop> loop_ = std::make_shared<Loop>();
  Server server_;
  std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  boost::asio::steady_timer accept_again_{loop_->io};
  boost::asio::steady_timer deadline_{loop_->io};
  std::set<LinkPtr> links_;
  bool accepting_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sealwire::channel::websocket

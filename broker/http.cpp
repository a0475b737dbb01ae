#include "broker/http.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <thread>

namespace sealwire::broker {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint32_t kRequestBytesMax = 8 * 1024;
constexpr std::chrono::seconds kExchangeMax{5};
constexpr int kConnectionsMax = 32;

using Response = http::response<http::string_body>;

struct Site {
  HttpPages pages;
  bool loopback = true;
  int connections = 0;  // touched by the server's thread only
};

/// The host of a Host header or URL authority, without its port.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool names_an_address(std::string_view host) {
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  asio::ip::make_address(std::string(host), error);
  return !error;
}

Response answer(const Site& site, const http::request<http::empty_body>& request) {
  const auto reply = [&request](http::status status, std::string body,
                                const char* type = "text/plain; charset=utf-8") {
    Response response{status, request.version()};
    response.set(http::field::content_type, type);
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(false);
    response.body() = std::move(body);
    response.prepare_payload();
    if (request.method() == http::verb::head) response.body().clear();
    return response;
  };
  const auto host = request[http::field::host];
  if (site.loopback && !names_an_address(host_of({host.data(), host.size()})))
    return reply(http::status::misdirected_request, "name this machine by its address\n");

  const std::string_view target(request.target().data(), request.target().size());
  const auto path = target.substr(0, target.find('?'));
  if (path != "/livez" && path != "/readyz" && path != "/metrics")
    return reply(http::status::not_found, "there are /livez, /readyz and /metrics\n");
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response response = reply(http::status::method_not_allowed, "GET or HEAD only\n");
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  if (path == "/livez") return reply(http::status::ok, "ok\n");
  if (path == "/metrics")
    return reply(http::status::ok, site.pages.metrics(), "text/plain; version=0.0.4");
  return site.pages.ready() ? reply(http::status::ok, "ok\n")
                            : reply(http::status::service_unavailable, "not ready\n");
}

/// One connection: read a request, answer it, close.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(tcp::socket socket, Site& site) : stream_(std::move(socket)), site_(site) {
    ++site_.connections;
    parser_.header_limit(kRequestBytesMax);
    parser_.body_limit(0);
  }
  ~Exchange() { --site_.connections; }

  void run() {
    stream_.expires_after(kExchangeMax);
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](beast::error_code error, std::size_t) {
                              if (!error) self->reply();
                            });
  }

 private:
  void reply() {
    response_ = answer(site_, parser_.get());
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code, std::size_t) {
                        beast::error_code ignored;
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                      });
  }

  beast::tcp_stream stream_;
  Site& site_;
  beast::flat_buffer buffer_{kRequestBytesMax};
  http::request_parser<http::empty_body> parser_;
  Response response_;
};

}  // namespace

struct HttpServer::Impl {
  // First, so that it goes last: exchanges still count themselves out when `context` goes.
  Site site;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer accept_again{context};
  std::thread thread;

  void accept() {
    acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) {
        if (site.connections < kConnectionsMax)
          std::make_shared<Exchange>(std::move(socket), site)->run();
        return accept();
      }
      // Without descriptors every accept fails at once: not in a loop.
      accept_again.expires_after(std::chrono::milliseconds(100));
      accept_again.async_wait([this](beast::error_code stopped) {
        if (!stopped) accept();
      });
    });
  }
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpConfig& config, HttpPages pages) {
  beast::error_code error;
  const auto address = asio::ip::make_address(config.host, error);
  if (error) return fail(Errc::address_invalid, "http.listen: not an address: " + config.host);
  auto impl = std::make_unique<Impl>();
  impl->site.pages = std::move(pages);
  impl->site.loopback = address.is_loopback();
  const tcp::endpoint endpoint(address, config.port);
  tcp::acceptor& acceptor = impl->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return fail(Errc::connect_failed, "http.listen: cannot listen on " + config.host + ":" +
                                          std::to_string(config.port) + ": " + error.message());
  impl->accept();
  impl->thread = std::thread([&context = impl->context] { context.run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  impl_->context.stop();
  impl_->thread.join();
}

std::string HttpServer::url() const {
  beast::error_code error;
  const auto endpoint = impl_->acceptor.local_endpoint(error);
  const std::string host = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

}  // namespace sealwire::broker

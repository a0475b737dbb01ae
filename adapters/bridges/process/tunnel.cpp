#include "adapters/bridges/process/tunnel.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <optional>
#include <thread>

#include "adapters/channels/uri.h"

namespace sealwire::bridge {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using Secure = ssl::stream<tcp::socket>;
using boost::system::error_code;

constexpr std::chrono::seconds kConnect{10};
constexpr std::size_t kPieceBytes = 16 * 1024;

struct Gate {
  Tunnel tunnel;
  tcp::acceptor acceptor;
  asio::steady_timer again;
  std::optional<ssl::context> context;
};

// One connection of the bridge's. What one side has not taken yet, the other does not read on.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(tcp::socket near, Gate& gate, std::size_t& count,
       const std::function<void(const std::string&)>& log)
      : gate_(gate),
        count_(count),
        log_(log),
        near_(std::move(near)),
        resolver_(near_.get_executor()),
        timer_(near_.get_executor()) {
    ++count_;
    if (gate.context)
      secure_.emplace(near_.get_executor(), *gate.context);
    else
      plain_.emplace(near_.get_executor());
  }
  ~Link() { --count_; }

  void run() {
    timer_.expires_after(kConnect);
    timer_.async_wait([self = shared_from_this()](error_code stopped) {
      if (!stopped) self->end("no answer in time");
    });
    resolver_.async_resolve(
        gate_.tunnel.host, std::to_string(gate_.tunnel.port),
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
          if (error) return self->end(error.message());
          asio::async_connect(self->far(), found, [self](error_code failed, const tcp::endpoint&) {
            failed ? self->end(failed.message()) : self->connected();
          });
        });
  }

 private:
  tcp::socket& far() { return secure_ ? secure_->next_layer() : *plain_; }

  void connected() {
    if (!secure_) return carry();
    const std::string& host = gate_.tunnel.host;
    SSL_set_tlsext_host_name(secure_->native_handle(), host.c_str());
    secure_->set_verify_callback(ssl::host_name_verification(host));
    secure_->async_handshake(Secure::client, [self = shared_from_this()](error_code error) {
      error ? self->end(error.message()) : self->carry();
    });
  }

  void carry() {
    timer_.cancel();
    if (secure_) {
      pump(near_, *secure_, up_);
      pump(*secure_, near_, down_);
    } else {
      pump(near_, *plain_, up_);
      pump(*plain_, near_, down_);
    }
  }

  template <class From, class To>
  void pump(From& from, To& to, std::array<char, kPieceBytes>& piece) {
    from.async_read_some(asio::buffer(piece), [this, self = shared_from_this(), &from, &to, &piece](
                                                  error_code error, std::size_t size) {
      if (error) return end({});
      asio::async_write(to, asio::buffer(piece, size),
                        [this, self, &from, &to, &piece](error_code failed, std::size_t) {
                          failed ? end({}) : pump(from, to, piece);
                        });
    });
  }

  void end(const std::string& why) {
    if (!why.empty()) log_("tunnel " + gate_.tunnel.name + ": " + why);
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;
    near_.close(ignored);
    far().close(ignored);
  }

  Gate& gate_;
  std::size_t& count_;
  const std::function<void(const std::string&)>& log_;
  tcp::socket near_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::optional<tcp::socket> plain_;  // one of these two
  std::optional<Secure> secure_;
  std::array<char, kPieceBytes> up_{}, down_{};
};

Result<ssl::context> client_context(const Tunnel& tunnel) {
  ssl::context context(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  error_code error;
  context.set_verify_mode(ssl::verify_peer, error);
  if (tunnel.ca_file.empty())
    context.set_default_verify_paths(error);
  else
    context.load_verify_file(tunnel.ca_file, error);
  if (!error && !tunnel.cert_file.empty()) {
    context.use_certificate_chain_file(tunnel.cert_file, error);
    if (!error) context.use_private_key_file(tunnel.cert_file, ssl::context::pem, error);
  }
  if (error) return fail(Errc::file_failed, "tunnel " + tunnel.name + ": " + error.message());
  return context;
}

}  // namespace

struct Tunnels::Impl {
  // First, so that they go last: links still count themselves out when `context` goes.
  std::function<void(const std::string&)> log;
  std::size_t links = 0;
  asio::io_context context{1};
  std::list<Gate> gates;
  std::thread thread;

  void accept(Gate& gate) {
    gate.acceptor.async_accept([this, &gate](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) {
        if (links < kTunnelConnections)
          std::make_shared<Link>(std::move(socket), gate, links, log)->run();
        return accept(gate);
      }
      // Without descriptors every accept fails at once: not in a loop.
      gate.again.expires_after(std::chrono::milliseconds(100));
      gate.again.async_wait([this, &gate](error_code stopped) {
        if (!stopped) accept(gate);
      });
    });
  }
};

Result<Tunnel> parse_tunnel(const std::string& name, const std::string& uri) {
  SW_TRY(const channel::Uri parsed, channel::parse_uri(uri));
  Tunnel tunnel{name, parsed.host, parsed.port, parsed.scheme == "tls", {}, {}};
  for (const auto& [key, value] : parsed.query) {
    if (!tunnel.tls || (key != "ca" && key != "cert"))
      return fail(Errc::address_invalid, "a tunnel has no parameter " + key + " here");
    (key == "ca" ? tunnel.ca_file : tunnel.cert_file) = value;
  }
  if ((parsed.scheme != "tcp" && !tunnel.tls) || parsed.port == 0 || parsed.path.size() > 1)
    return fail(Errc::address_invalid, "a tunnel leads to tcp://HOST:PORT or tls://HOST:PORT");
  return tunnel;
}

Result<std::unique_ptr<Tunnels>> Tunnels::start(std::vector<Tunnel> tunnels,
                                                const std::vector<int>& listeners,
                                                std::function<void(const std::string&)> log) {
  auto impl = std::make_unique<Impl>();
  impl->log = std::move(log);
  for (std::size_t i = 0; i < tunnels.size(); ++i)
    impl->gates.push_back({std::move(tunnels[i]),
                           tcp::acceptor(impl->context, tcp::v4(), listeners.at(i)),
                           asio::steady_timer(impl->context), std::nullopt});
  for (Gate& gate : impl->gates) {
    if (gate.tunnel.tls) {
      SW_TRY(gate.context, client_context(gate.tunnel));
    }
    impl->accept(gate);
  }
  impl->thread = std::thread([&context = impl->context] { context.run(); });
  return std::unique_ptr<Tunnels>(new Tunnels(std::move(impl)));
}

Tunnels::Tunnels(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Tunnels::~Tunnels() {
  impl_->context.stop();
  impl_->thread.join();
}

}  // namespace sealwire::bridge

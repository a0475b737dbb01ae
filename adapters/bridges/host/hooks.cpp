#include "adapters/bridges/host/hooks.h"

#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <thread>

#include "sdk/cpp/agent/wall_clock.h"

namespace sealwire::bridge {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint32_t kHeaderBytes = 16 * 1024;
constexpr std::chrono::seconds kReadMax{10};
constexpr std::chrono::seconds kAnswerMax{15};

class Exchange;

struct Site {
  HookOptions options;
  std::function<void(Hook)> came;
  std::size_t connections = 0;  // these three: the server's thread only
  std::uint64_t next_ref = 1;
  std::map<std::string, std::weak_ptr<Exchange>> waiting;  // for the bridge's answer
  std::atomic<std::uint64_t> forged{0}, unusable{0};
};

// Of one length whatever was given, so that the time says nothing of the secret.
bool equal(std::string_view given, ByteSpan secret) {
  const auto a = crypto::sha256(as_bytes(given));
  const auto b = crypto::sha256(secret);
  return sodium_memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

/// One connection: a request's header, proof, its body, the bridge's answer, close.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(tcp::socket socket, Site& site) : stream_(std::move(socket)), site_(site) {
    ++site_.connections;
    parser_.header_limit(kHeaderBytes);
    parser_.body_limit(kHookBytes);
  }
  ~Exchange() { --site_.connections; }

  void run() {
    stream_.expires_after(kReadMax);
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](beast::error_code error, std::size_t) {
                              self->on_header(error);
                            });
  }

  void answer(unsigned status) {
    if (ref_.empty()) return;
    site_.waiting.erase(std::exchange(ref_, {}));
    reply(status);
  }

 private:
  // Proof before memory: a body is read for whoever has shown that it may come.
  void on_header(beast::error_code error) {
    if (error) return unusable(error == http::error::body_limit ? 413 : 400);
    for (const auto& field : parser_.get()) {
      std::string name(field.name_string());
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      // A field twice is one field with both values (RFC 9110 section 5.3).
      auto [at, fresh] = request_.headers.emplace(std::move(name), std::string(field.value()));
      if (!fresh) at->second.append(", ").append(std::string(field.value()));
    }
    request_.method = std::string(parser_.get().method_string());
    const std::string target(parser_.get().target());
    if (!target.starts_with('/')) return unusable(400);
    request_.uri = site_.options.public_url + target;
    path_ = target.substr(0, target.find('?'));
    if (!is_proved()) {
      ++site_.forged;
      return reply(401);
    }
    if (request_.method != "POST") return unusable(405);
    if (path_.size() > kIdBytes) return unusable(404);
    http::async_read(
        stream_, buffer_, parser_,
        [self = shared_from_this()](beast::error_code read, std::size_t) { self->on_body(read); });
  }

  bool is_proved() {
    const HookOptions& options = site_.options;
    if (options.secret) {
      const auto given = request_.headers.find(options.secret->header);
      if (given != request_.headers.end() && equal(given->second, options.secret->value.span()))
        return true;
    }
    signed_ =
        !options.keys.empty() && verify_request(request_, options.keys, wall_clock()).has_value();
    return signed_;
  }

  void on_body(beast::error_code error) {
    if (error) return unusable(error == http::error::body_limit ? 413 : 400);
    const std::string& body = parser_.get().body();
    if (signed_ && !is_digest_of(request_, as_bytes(body))) {
      ++site_.forged;
      return reply(401);
    }
    ref_ = std::to_string(site_.next_ref++);
    site_.waiting.emplace(ref_, weak_from_this());
    stream_.expires_never();
    timer_.expires_after(kAnswerMax);
    // Keeps the exchange alive; whoever answers first cancels it.
    timer_.async_wait([self = shared_from_this()](beast::error_code stopped) {
      if (!stopped) self->answer(503);
    });
    site_.came({ref_, path_, to_bytes(as_bytes(body))});
  }

  void unusable(unsigned status) {
    ++site_.unusable;
    reply(status);
  }

  void reply(unsigned status) {
    timer_.cancel();
    response_.result(status);
    response_.version(11);
    response_.set(http::field::cache_control, "no-store");
    if (status == 405) response_.set(http::field::allow, "POST");
    if (status == 503) response_.set(http::field::retry_after, "1");
    response_.keep_alive(false);
    response_.prepare_payload();
    stream_.expires_after(kReadMax);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code, std::size_t) {
                        beast::error_code ignored;
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                      });
  }

  beast::tcp_stream stream_;
  Site& site_;
  asio::steady_timer timer_{stream_.get_executor()};
  beast::flat_buffer buffer_{kHeaderBytes + kHookBytes};
  http::request_parser<http::string_body> parser_;
  HttpRequest request_;
  std::string path_, ref_;
  bool signed_ = false;
  http::response<http::empty_body> response_;
};

Result<tcp::endpoint> endpoint_of(const std::string& listen) {
  const auto colon = listen.rfind(':');
  std::string host = listen.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string digits = colon == std::string::npos ? "" : listen.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  boost::system::error_code bad;
  const auto address = asio::ip::make_address(host, bad);
  if (bad || digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
    return fail(Errc::address_invalid, "not ADDRESS:PORT: " + listen);
  return tcp::endpoint(address, port);
}

}  // namespace

struct Hooks::Impl {
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
        if (site.connections < kHooksOpen)
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

Result<std::unique_ptr<Hooks>> Hooks::start(HookOptions options, std::function<void(Hook)> came) {
  if (!options.secret && options.keys.empty())
    return fail(Errc::config_invalid, "nothing says by what a request proves itself");
  SW_TRY(const tcp::endpoint endpoint, endpoint_of(options.listen));
  auto impl = std::make_unique<Impl>();
  beast::error_code error;
  tcp::acceptor& acceptor = impl->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return fail(Errc::connect_failed,
                "cannot listen on " + options.listen + ": " + error.message());
  impl->site.options = std::move(options);
  impl->site.came = std::move(came);
  std::unique_ptr<Hooks> hooks(new Hooks(std::move(impl)));
  auto& site = hooks->impl_->site;
  if (site.options.public_url.empty()) site.options.public_url = hooks->url();
  hooks->impl_->accept();
  hooks->impl_->thread = std::thread([&context = hooks->impl_->context] { context.run(); });
  return hooks;
}

Hooks::Hooks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Hooks::~Hooks() {
  impl_->context.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Hooks::answer(const Hooked& hooked) {
  asio::post(impl_->context, [impl = impl_.get(), ref = hooked.ref, status = hooked.status] {
    const auto found = impl->site.waiting.find(ref);
    if (found == impl->site.waiting.end()) return;
    if (const auto exchange = found->second.lock()) exchange->answer(status);
  });
}

void Hooks::interrupt() {
  asio::post(impl_->context, [impl = impl_.get()] {
    for (const auto& [ref, waiting] : std::map(impl->site.waiting))
      if (const auto exchange = waiting.lock()) exchange->answer(503);
  });
}

HookCounts Hooks::counts() const {
  return {impl_->site.forged, impl_->site.unusable};
}

std::string Hooks::url() const {
  beast::error_code error;
  const auto endpoint = impl_->acceptor.local_endpoint(error);
  const std::string host = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

}  // namespace sealwire::bridge

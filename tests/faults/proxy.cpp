#include "tests/faults/proxy.h"

#include <array>
#include <atomic>
#include <list>
#include <random>
#include <thread>
#include <utility>

// Behind <utility>, which Boost 1.74 forgets.
#include <boost/asio.hpp>

namespace sealwire::test {
namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

struct Link {
  Link(tcp::socket client_, asio::io_context& io) : client(std::move(client_)), broker(io) {}
  tcp::socket client, broker;

  void close(bool abort) {
    for (tcp::socket* socket : {&client, &broker}) {
      boost::system::error_code ignored;
      if (abort) socket->set_option(asio::socket_base::linger(true, 0), ignored);
      socket->close(ignored);
    }
  }
};

}  // namespace

struct Proxy::Impl {
  Impl(const std::vector<std::uint16_t>& ports, std::uint64_t seed) : dice(seed) {
    for (const std::uint16_t port : ports)
      asio::co_spawn(io, accept(port), asio::detached);
    thread = std::thread([this] { io.run(); });
  }
  ~Impl() {
    io.stop();
    thread.join();
  }

  asio::awaitable<void> accept(std::uint16_t port) {
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::make_address(kAddress), port));
    for (;;) {
      auto link = std::make_shared<Link>(co_await acceptor.async_accept(asio::use_awaitable), io);
      links.push_back(link);
      asio::co_spawn(io, serve(link, port), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<Link> link, std::uint16_t port) {
    try {
      co_await heal();
      co_await link->broker.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), port),
                                          asio::use_awaitable);
      asio::co_spawn(io, pump(link, link->broker, link->client), asio::detached);
      co_await pump(link, link->client, link->broker);
    } catch (const boost::system::system_error&) {
      link->close(false);
    }
    links.remove(link);
  }

  asio::awaitable<void> pump(std::shared_ptr<Link> link, tcp::socket& from, tcp::socket& to) {
    std::array<char, 16 * 1024> piece{};
    try {
      for (;;) {
        const std::size_t size =
            co_await from.async_read_some(asio::buffer(piece), asio::use_awaitable);
        if (const std::int64_t most = delay_ms; most > 0)
          co_await wait(std::chrono::milliseconds(dice() % static_cast<std::uint64_t>(most)));
        co_await heal();
        co_await asio::async_write(to, asio::buffer(piece.data(), size), asio::use_awaitable);
      }
    } catch (const boost::system::system_error&) {
      link->close(false);
    }
  }

  asio::awaitable<void> wait(std::chrono::milliseconds time) {
    asio::steady_timer timer(io, time);
    co_await timer.async_wait(asio::use_awaitable);
  }
  asio::awaitable<void> heal() {
    while (partitioned)
      co_await wait(2ms);
  }

  asio::io_context io{1};
  std::mt19937_64 dice;
  std::list<std::shared_ptr<Link>> links;
  std::atomic<std::int64_t> delay_ms{0};
  std::atomic<bool> partitioned{false};
  std::atomic<std::uint64_t> resets{0};
  std::thread thread;
};

Proxy::Proxy(const std::vector<std::uint16_t>& ports, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(ports, seed)) {}
Proxy::~Proxy() = default;
void Proxy::delay(std::chrono::milliseconds most) {
  impl_->delay_ms = most.count();
}
void Proxy::partition(bool on) {
  impl_->partitioned = on;
}
void Proxy::reset() {
  asio::post(impl_->io, [impl = impl_.get()] {
    impl->resets += impl->links.size();
    for (const auto& link : impl->links)
      link->close(true);
  });
}
std::uint64_t Proxy::resets() const {
  return impl_->resets;
}

}  // namespace sealwire::test

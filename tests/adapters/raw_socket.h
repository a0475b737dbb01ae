// A TCP peer that says whatever a test wants, optionally over TLS.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

namespace sealwire::channel::contract {

class RawSocket {
 public:
  static constexpr int kPatienceMs = 10000;

  explicit RawSocket(std::uint16_t port)
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int at_once = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    EXPECT_EQ(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  ~RawSocket() { close(); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  /// False when the handshake fails.
  bool start_tls(int version_max, std::uint64_t options = 0) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    SSL_CTX_set_options(context_.get(), options);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), descriptor_);
    return SSL_connect(ssl_.get()) == 1;
  }

  bool send(const std::string& bytes) {
    if (ssl_) return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// What comes until `end` is in it, the peer closes, or the patience ends.
  std::string receive_until(const std::string& end) {
    std::string all;
    while (all.find(end) == std::string::npos && receive_some(all)) {
    }
    return all;
  }
  std::string receive_at_least(std::size_t size) {
    std::string all;
    while (all.size() < size && receive_some(all)) {
    }
    return all;
  }
  /// False when the peer says something, or closes, within that time.
  bool quiet_for(int milliseconds) {
    pollfd item{descriptor_, POLLIN, 0};
    return ::poll(&item, 1, milliseconds) == 0;
  }
  /// Milliseconds until the peer closes, or -1.
  long wait_close() {
    const auto from = std::chrono::steady_clock::now();
    std::string ignored;
    while (receive_some(ignored)) {
    }
    const auto took = std::chrono::steady_clock::now() - from;
    return closed_ ? std::chrono::duration_cast<std::chrono::milliseconds>(took).count() : -1;
  }
  /// Frees this end's memory of TLS; the connection stays as it is.
  void forget_tls() {
    ssl_.reset();
    context_.reset();
  }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  bool receive_some(std::string& all) {
    char buffer[4096];
    pollfd item{descriptor_, POLLIN, 0};
    if (!(ssl_ && SSL_pending(ssl_.get()) > 0) && ::poll(&item, 1, kPatienceMs) <= 0) return false;
    const auto size = ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer)
                           : ::recv(descriptor_, buffer, sizeof buffer, 0);
    closed_ = size <= 0;
    if (!closed_) all.append(buffer, static_cast<std::size_t>(size));
    return !closed_;
  }

  template <auto Free>
  struct Freed {
    template <class T>
    void operator()(T* it) const {
      Free(it);
    }
  };
  int descriptor_;
  bool closed_ = false;
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Freed<SSL_free>> ssl_;
};

}  // namespace sealwire::channel::contract

#include "conformance/transport/stream.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "conformance/runner/failure.h"

namespace conformance {
namespace {

int prepared(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{patience_ms / 1000, patience_ms % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return fd;
}

int connect_to(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found) !=
      0)
    throw Failure("no such host: " + endpoint.host);
  int fd = -1;
  for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
    fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(found);
  if (fd < 0) throw NotRun("nothing listens at " + endpoint.text);
  return prepared(fd);
}

}  // namespace

Stream::Stream(const Endpoint& endpoint, int tls_version) : fd_(connect_to(endpoint)) {
  if (endpoint.scheme != "wss") return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  // SES-011 authenticates the broker: a certificate is neither needed nor looked at.
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  if (tls_version != 0) {
    SSL_CTX_set_security_level(context_.get(), 0);  // so that old versions can be offered at all
    SSL_CTX_set_min_proto_version(context_.get(), tls_version);
    SSL_CTX_set_max_proto_version(context_.get(), tls_version);
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_);
  if (SSL_connect(ssl_.get()) != 1) throw Failure("the TLS handshake failed");
}

Stream::Stream(int accepted, SSL_CTX* server) : fd_(prepared(accepted)) {
  if (server == nullptr) return;
  ssl_.reset(SSL_new(server));
  SSL_set_fd(ssl_.get(), fd_);
  if (SSL_accept(ssl_.get()) != 1) throw Failure("the TLS handshake failed");
}

Stream::~Stream() {
  drop();
}

bool Stream::write(View bytes) {
  while (!bytes.empty()) {
    const long sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Stream::readable(int wait_ms) {
  if (ssl_ && SSL_pending(ssl_.get()) != 0) return true;
  pollfd poller{fd_, POLLIN, 0};
  return poll(&poller, 1, wait_ms) > 0;
}

Bytes Stream::read_some(int wait_ms) {
  if (!readable(wait_ms)) throw Failure("nothing came in " + std::to_string(wait_ms) + " ms");
  Bytes bytes(65536);
  const long got = ssl_ ? SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                        : recv(fd_, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

void Stream::end_writing() {
  if (ssl_)
    SSL_shutdown(ssl_.get());
  else
    shutdown(fd_, SHUT_WR);
}

void Stream::drop() {
  ssl_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Bytes Stream::exporter() const {
  static constexpr char kLabel[] = "EXPORTER-Channel-Binding";
  Bytes value(32);
  if (SSL_export_keying_material(ssl_.get(), value.data(), value.size(), kLabel, sizeof kLabel - 1,
                                 value.data(), 0, 1) != 1)
    throw Failure("no keying material");
  return value;
}

}  // namespace conformance

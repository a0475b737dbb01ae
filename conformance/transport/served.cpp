#include "conformance/transport/served.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conformance/runner/failure.h"

namespace conformance {
namespace {

// SES-011 authenticates the broker: any certificate will do.
SSL_CTX* server_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("conformance"), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_sign(certificate, key, EVP_sha256());
    if (SSL_CTX_use_certificate(made, certificate) != 1 || SSL_CTX_use_PrivateKey(made, key) != 1)
      throw NotRun("no TLS certificate could be made");
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
  }();
  return context;
}

// The answer to a Sec-WebSocket-Key (RFC 6455 section 4.2.2).
std::string accept_of(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  std::string encoded(sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(encoded.data(), encoded.size(), digest, size, sodium_base64_VARIANT_ORIGINAL);
  encoded.pop_back();
  return encoded;
}

}  // namespace

ServedSocket::ServedSocket(int fd, bool tls) : stream_(fd, tls ? server_context() : nullptr) {
  upgrade();
}

void ServedSocket::upgrade() {
  static constexpr std::string_view kEnd = "\r\n\r\n";
  auto end = buffer_.end();
  while ((end = std::search(buffer_.begin(), buffer_.end(), kEnd.begin(), kEnd.end())) ==
         buffer_.end()) {
    const Bytes more = stream_.read_some();
    if (more.empty()) throw Failure("the agent closed before it asked for a WebSocket");
    buffer_ = std::move(buffer_) + more;
  }
  HttpAnswer request;  // of a request, the head reads alike
  request.head.assign(buffer_.begin(), end);
  buffer_.erase(buffer_.begin(), end + kEnd.size());
  if (!request.head.starts_with("GET / HTTP/1.1\r\n"))
    throw Failure("the request target is not / (SES-040)");
  if (request.header("Sec-WebSocket-Protocol") != "sealwire.0")
    throw Failure("the subprotocol asked for is not sealwire.0 (SES-040)");
  stream_.write(
      bytes_of("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
               "Upgrade\r\nSec-WebSocket-Protocol: sealwire.0\r\nSec-WebSocket-Accept: " +
               accept_of(request.header("Sec-WebSocket-Key")) + "\r\n\r\n"));
}

bool ServedSocket::fill(std::size_t bytes, int wait_ms) {
  while (buffer_.size() < bytes) {
    const Bytes more = stream_.read_some(wait_ms);
    if (more.empty()) return false;
    buffer_ = std::move(buffer_) + more;
  }
  return true;
}

bool ServedSocket::waiting(int wait_ms) {
  return !buffer_.empty() || stream_.readable(wait_ms);
}

void ServedSocket::send(View message) {
  WsFrame frame{opcode::binary, copy(message)};
  frame.masked = false;
  stream_.write(frame.encode());
}

std::optional<Bytes> ServedSocket::receive(int wait_ms) {
  Bytes message;
  for (;;) {
    if (!fill(2, wait_ms)) return std::nullopt;
    const std::uint8_t first = buffer_[0], second = buffer_[1], op = first & 0x0f;
    if ((first & 0x70) != 0) throw Failure("a reserved bit is set (SES-040: no extensions)");
    if ((second & 0x80) == 0)
      throw Failure("a client's frame is not masked (RFC 6455 section 5.1)");
    const std::size_t form = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
    if (!fill(6 + form, wait_ms)) return std::nullopt;
    std::uint64_t length = form == 0 ? second & 0x7f : 0;
    for (std::size_t i = 0; i < form; ++i)
      length = length << 8 | buffer_[2 + i];
    if (length > (8u << 20)) throw Failure("a frame of " + std::to_string(length) + " bytes");
    if (!fill(6 + form + length, wait_ms)) return std::nullopt;
    const Bytes mask(buffer_.begin() + static_cast<long>(2 + form),
                     buffer_.begin() + static_cast<long>(6 + form));
    const auto start = buffer_.begin() + static_cast<long>(6 + form);
    Bytes payload(start, start + static_cast<long>(length));
    buffer_.erase(buffer_.begin(), start + static_cast<long>(length));
    for (std::size_t i = 0; i < payload.size(); ++i)
      payload[i] ^= mask[i % 4];
    if (op == opcode::close) {
      if (payload.size() >= 2) close_status_ = payload[0] << 8 | payload[1];
      return std::nullopt;
    }
    if (op == opcode::text) throw Failure("the agent sent a text message (SES-040)");
    if (op == opcode::ping || op == opcode::pong) continue;
    message = std::move(message) + payload;
    if ((first & 0x80) != 0) return message;
  }
}

void ServedSocket::close() {
  WsFrame frame{opcode::close, big_endian(1000, 2)};
  frame.masked = false;
  stream_.write(frame.encode());
  stream_.drop();
}

Listener::Listener(bool tls) : tls_(tls), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (bind(fd_, raw, size) != 0 || listen(fd_, 16) != 0 || getsockname(fd_, raw, &size) != 0)
    throw NotRun("no port to listen on");
  port_ = ntohs(address.sin_port);
}

Listener::~Listener() {
  close(fd_);
}

std::string Listener::endpoint() const {
  return std::string(tls_ ? "wss" : "ws") + "://127.0.0.1:" + std::to_string(port_) + "/";
}

std::unique_ptr<ServedSocket> Listener::accept(int wait_ms) {
  pollfd poller{fd_, POLLIN, 0};
  if (poll(&poller, 1, wait_ms) <= 0) return nullptr;
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  return fd < 0 ? nullptr : std::make_unique<ServedSocket>(fd, tls_);
}

}  // namespace conformance

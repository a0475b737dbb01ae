// A TCP connection with or without TLS, on which every byte is the caller's.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "conformance/transport/connection.h"

namespace conformance {

class Stream {
 public:
  /// `tls_version`: of OpenSSL; 0 for the newest.
  explicit Stream(const Endpoint& endpoint, int tls_version = 0);
  /// The listening end of an accepted connection; no context for no TLS.
  Stream(int accepted, SSL_CTX* server);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// False when the peer takes no more.
  bool write(View bytes);
  /// Some bytes; none at the end of the stream. Throws Failure when neither comes in time.
  Bytes read_some(int wait_ms = patience_ms);
  /// Whether something comes within the time: bytes, or the end of the stream.
  bool readable(int wait_ms);
  /// Ends our direction only.
  void end_writing();
  void drop();
  bool tls() const { return ssl_ != nullptr; }
  /// RFC 9266 with a context that is present and empty.
  Bytes exporter() const;

 private:
  int fd_ = -1;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
};

}  // namespace conformance

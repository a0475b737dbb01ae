// The operator's door: /livez, /readyz and /metrics over HTTP, on a thread of its own. It only
// tells; nothing can be changed through it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/config.h"

namespace sealwire::broker {

/// Both are called on the server's thread.
struct HttpPages {
  std::function<bool()> ready;
  std::function<std::string()> metrics;
};

/// One request a connection, of at most 8 KiB and 5 s; 32 connections at a time. On loopback a
/// request must name an address or localhost as its host, so that no web page can read the answer
/// by rebinding a name.
class HttpServer {
 public:
  /// Fails with address_invalid or connect_failed (the port is taken).
  static Result<std::unique_ptr<HttpServer>> start(const HttpConfig& config, HttpPages pages);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// "http://address:port", with the port that was really bound.
  std::string url() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::broker

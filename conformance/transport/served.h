// The suite as the listening end, for agents: TLS under a certificate made on the spot, or none,
// and RFC 6455 from the server's side.
#pragma once

#include "conformance/transport/websocket.h"

namespace conformance {

class ServedSocket final : public Connection {
 public:
  /// Reads the opening request and answers it; throws Failure where SES-040 is not kept.
  ServedSocket(int fd, bool tls);

  /// Whether something comes within the time: bytes, or the end of the stream.
  bool waiting(int wait_ms);
  void send(View message) override;
  std::optional<Bytes> receive(int wait_ms = patience_ms) override;
  void close() override;
  void drop() override { stream_.drop(); }
  wire::Binding binding() const override {
    return stream_.tls() ? wire::Binding::tls_exporter : wire::Binding::none;
  }
  Bytes binding_value() const override { return stream_.tls() ? stream_.exporter() : Bytes(); }
  std::optional<int> close_status() const override { return close_status_; }

 private:
  bool fill(std::size_t bytes, int wait_ms);
  void upgrade();
  Stream stream_;
  Bytes buffer_;
  std::optional<int> close_status_;
};

/// A port of the loopback address.
class Listener {
 public:
  explicit Listener(bool tls);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string endpoint() const;
  /// Nothing when nobody comes in time.
  std::unique_ptr<ServedSocket> accept(int wait_ms);

 private:
  const bool tls_;
  int fd_ = -1, port_ = 0;
};

}  // namespace conformance

// RFC 6455 from the client's side, by hand: whole messages for sessions, single frames for the
// cases that send wrong ones.
#pragma once

#include <deque>

#include "conformance/transport/stream.h"

namespace conformance {

namespace opcode {
enum : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
}

/// How a frame is laid out; the defaults are right (section 5.2).
struct WsFrame {
  std::uint8_t op = opcode::binary;
  Bytes payload;
  bool fin = true;
  std::uint8_t rsv = 0;  // three bits
  bool masked = true;
  std::optional<Bytes> mask = {};  // random when absent
  int length_bytes = 0;            // 1, 2 or 8 where another than the shortest is wanted
  std::optional<std::uint64_t> length_told = {};  // a lie
  Bytes encode() const;
};

/// The opening request, line by line (section 4.1).
struct Upgrade {
  std::string method = "GET", target = "/", version = "HTTP/1.1";
  std::vector<std::pair<std::string, std::string>> headers;
  static Upgrade good(const Endpoint& endpoint);
  Upgrade with(const std::string& name, const std::string& value) const;  // replaces
  Upgrade without(const std::string& name) const;
  std::string text() const;
};

struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string header(const std::string& name) const;  // empty when absent
};

class WebSocket final : public Connection {
 public:
  explicit WebSocket(const Endpoint& endpoint, int tls_version = 0);
  /// Sends the request and reads the answer; what follows 101 are frames.
  WebSocket(const Endpoint& endpoint, const Upgrade& request, int tls_version = 0);

  const HttpAnswer& answer() const { return answer_; }
  Stream& stream() { return stream_; }
  void send_frame(const WsFrame& frame) { stream_.write(frame.encode()); }
  struct Incoming {
    std::uint8_t op;
    bool fin;
    Bytes payload;
  };
  /// The next frame as it is; nothing at the end of the stream.
  std::optional<Incoming> read_frame(int wait_ms = patience_ms);

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
  Stream stream_;
  HttpAnswer answer_;
  Bytes buffer_;
  std::optional<int> close_status_;
};

}  // namespace conformance

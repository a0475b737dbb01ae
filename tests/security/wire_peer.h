// A peer that speaks its transport byte by byte, so that it can also speak it wrongly.
#pragma once

#include "adapters/channels/uri.h"
#include "tests/adapters/raw_socket.h"

namespace sealwire::broker {

/// WebSocket (wss, ws) or ZMTP 3.0 without a mechanism (zmtp).
class WirePeer {
 public:
  WirePeer(std::string transport, const std::string& uri)
      : transport_(std::move(transport)), socket_(channel::parse_uri(uri)->port) {}

  bool websocket() const { return transport_ != "zmtp"; }
  channel::contract::RawSocket& socket() { return socket_; }

  /// Bytes with which the transport's own handshake begins.
  std::string opening() const { return websocket() ? upgrade("") : greeting(); }
  static std::string upgrade(const std::string& extra) {
    return "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Protocol: sealwire.0\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           extra + "\r\n";
  }
  void start_tls() { EXPECT_TRUE(transport_ != "wss" || socket_.start_tls(TLS1_3_VERSION)); }
  /// A listener that is full closes before TLS.
  void start_tls_if_answered() {
    if (transport_ == "wss") (void)socket_.start_tls(TLS1_3_VERSION);
  }
  /// The transport is open: the broker waits for Hello. The listener's answer to the opening.
  std::string open(const std::string& extra = "") {
    std::string answer = open_if_answered(extra);
    EXPECT_TRUE(!websocket() || answer.find(" 101 ") != std::string::npos) << answer;
    return answer;
  }
  /// The same, where the listener may be full; "sealwire.0" is in the answer of one that is not.
  std::string open_if_answered(const std::string& extra = "") {
    start_tls_if_answered();
    if (websocket()) {
      socket_.send(upgrade(extra));
      return socket_.receive_until("\r\n\r\n");
    }
    socket_.send(greeting());
    const std::string socket_type(
        "\x0bSocket-Type\0\0\0\x06"
        "DEALER",
        22);
    socket_.send(command("\x05READY" + socket_type));
    // The greeting, and READY; or ERROR, where the door is full.
    if (const auto answer = socket_.receive_until("R"); answer.find("READY") == std::string::npos)
      return answer;
    socket_.send(part(std::string(1, '\0'), true) + part("sealwire.0", false));
    return socket_.receive_until("sealwire.0");
  }

  /// One message that carries `frame`.
  std::string message(const std::string& frame) const {
    return websocket() ? fragment(frame, 0x82) : data_kind() + part(frame, false);
  }
  /// The head of a message that declares that length and brings none of it.
  std::string declares(std::uint64_t length) const {
    std::string big(8, '\0');
    for (int i = 0; i < 8; ++i)
      big[static_cast<std::size_t>(i)] = static_cast<char>(length >> (56 - 8 * i));
    if (websocket()) return std::string("\x82\xff", 2) + big + std::string(4, '\0');
    return data_kind() + std::string("\x02", 1) + big;
  }
  /// The first piece of a message that has more to come.
  std::string first_piece(const std::string& bytes) const {
    return websocket() ? fragment(bytes, 0x02) : data_kind() + part(bytes, true);
  }
  std::string next_piece(const std::string& bytes, bool last) const {
    return websocket() ? fragment(bytes, last ? 0x80 : 0x00) : part(bytes, !last);
  }
  /// A control frame in the middle: WebSocket's ping, ZMTP's PING command.
  std::string ping() const {
    return websocket() ? fragment("ping", 0x89) : command(std::string("\x04PING\0\0", 7));
  }

  // --- the transports' own pieces
  static std::string fragment(const std::string& payload, int first_byte) {
    std::string out{static_cast<char>(first_byte)};
    if (payload.size() < 126) {
      out += static_cast<char>(0x80 | payload.size());
    } else {
      out += static_cast<char>(0x80 | 126);
      out += static_cast<char>(payload.size() >> 8);
      out += static_cast<char>(payload.size() & 0xff);
    }
    return out + std::string(4, '\0') + payload;  // a mask of zeros
  }
  static std::string part(const std::string& body, bool more) {
    return zmtp_frame(more ? 1 : 0, body);
  }
  static std::string command(const std::string& body) { return zmtp_frame(4, body); }

 private:
  static std::string greeting() {
    return std::string("\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL", 16) + std::string(48, '\0');
  }
  static std::string zmtp_frame(int flags, const std::string& body) {
    if (body.size() < 256)
      return std::string{static_cast<char>(flags), static_cast<char>(body.size())} + body;
    std::string out{static_cast<char>(flags | 2)};
    for (int shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>(static_cast<std::uint64_t>(body.size()) >> shift);
    return out + body;
  }
  static std::string data_kind() { return part(std::string(1, '\x01'), true); }

  std::string transport_;
  channel::contract::RawSocket socket_;
};

}  // namespace sealwire::broker

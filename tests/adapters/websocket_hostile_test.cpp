// What browsers, scanners and attackers send to a WebSocket port.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "adapters/channels/contract_recorder.h"
#include "adapters/channels/uri.h"
#include "adapters/channels/websocket/websocket.h"
#include "tests/adapters/raw_socket.h"
#include "tests/adapters/test_certificate.h"

namespace sealwire::channel::contract {
namespace {

struct Request {
  std::string line = "GET / HTTP/1.1";
  std::string version = "13";
  std::string subprotocol = "sealwire.0";
  std::string extra = {};

  std::string text() const {
    return line + "\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
           (subprotocol.empty() ? "" : "Sec-WebSocket-Protocol: " + subprotocol + "\r\n") +
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: " + version +
           "\r\n" + extra + "\r\n";
  }
};

// A masked client frame with an all-zero key; `b0` is FIN, RSV and opcode.
std::string frame(int b0, const std::string& payload) {
  std::string out{static_cast<char>(b0)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  }
  return out + std::string(4, '\0') + payload;
}

int close_code(const std::string& server_frame) {
  if (server_frame.size() < 4 || static_cast<std::uint8_t>(server_frame[0]) != 0x88) return -1;
  return static_cast<std::uint8_t>(server_frame[2]) << 8 |
         static_cast<std::uint8_t>(server_frame[3]);
}

class WebSocketHostile : public testing::Test {
 protected:
  void listen_at(Endpoint endpoint) {
    auto running = websocket_channel().listen(endpoint, recorder_);
    ASSERT_TRUE(running.has_value()) << running.error().detail;
    running_ = std::move(*running);
    port_ = parse_uri(running_->uri())->port;
  }
  void listen(std::map<std::string, std::string> options = {}, Limits limits = {}) {
    Endpoint endpoint;
    endpoint.uri = "ws://127.0.0.1:0";
    endpoint.options = std::move(options);
    endpoint.limits = limits;
    listen_at(std::move(endpoint));
  }
  Endpoint tls_endpoint(const std::string& certificate, const std::string& key) {
    Endpoint endpoint;
    endpoint.uri = "wss://127.0.0.1:0";
    endpoint.options = {{"certificate_file", certificate}, {"private_key_file", key}};
    return endpoint;
  }
  int status_of(const Request& request) {
    RawSocket peer(port_);
    peer.send(request.text());
    const auto answer = peer.receive_until("\r\n\r\n");
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }
  // A peer whose WebSocket handshake is done.
  std::unique_ptr<RawSocket> open_peer() {
    const auto before = recorder_.opened();
    auto peer = std::make_unique<RawSocket>(port_);
    peer->send(Request().text());
    EXPECT_NE(peer->receive_until("\r\n\r\n").find("101"), std::string::npos);
    recorder_.wait_open(before + 1);
    return peer;
  }
  void expect_served() {
    const auto before = recorder_.opened();
    const auto peer = open_peer();
    peer->send(frame(0x82, "still here"));
    EXPECT_EQ(recorder_.wait_frames(recorder_.wait_open(before + 1), 1).size(), 1u);
  }

  Recorder recorder_;
  std::unique_ptr<Running> running_;
  std::uint16_t port_ = 0;
};

TEST_F(WebSocketHostile, Atk42a_A_page_whose_origin_is_not_listed_gets_no_connection) {
  listen({{"origins", "https://good.example,https://other.example:8443"}});
  for (const auto* origin :
       {"https://evil.example", "null", "https://good.example.evil.example", "http://good.example",
        "https://good.example:8443", "https://GOOD.example", "https://good.example, https://x",
        "file://", "https://good.example/"}) {
    EXPECT_EQ(status_of({.extra = "Origin: " + std::string(origin) + "\r\n"}), 403) << origin;
  }
  EXPECT_EQ(
      status_of({.extra = "Origin: https://good.example\r\nOrigin: https://evil.example\r\n"}),
      403);
  EXPECT_EQ(status_of({.extra = "oRIGIN: https://evil.example\r\n"}), 403);
  EXPECT_EQ(recorder_.opened(), 0u);
  EXPECT_EQ(status_of({.extra = "Origin: https://good.example\r\n"}), 101);
  EXPECT_EQ(status_of({.extra = "Origin: https://other.example:8443\r\n"}), 101);
  EXPECT_EQ(status_of({}), 101);
}

TEST_F(WebSocketHostile, Atk42b_With_no_origins_listed_no_page_gets_one_not_even_our_own_hosts) {
  listen();
  EXPECT_EQ(status_of({.extra = "Origin: http://localhost\r\n"}), 403);
  EXPECT_EQ(status_of({.extra = "Origin: http://127.0.0.1:" + std::to_string(port_) + "\r\n"}),
            403);
}

TEST_F(WebSocketHostile, OnlyOurSubprotocolVersionAndPathAreTaken) {
  listen();
  EXPECT_EQ(status_of({.subprotocol = ""}), 400);
  EXPECT_EQ(status_of({.subprotocol = "mqtt"}), 400);
  EXPECT_EQ(status_of({.subprotocol = "sealwire.0x"}), 400);
  EXPECT_EQ(status_of({.subprotocol = "mqtt, sealwire.0"}), 101);
  for (const auto* version : {"0", "7", "8", "14", ""})
    EXPECT_NE(status_of({.version = version}), 101) << version;
  EXPECT_EQ(status_of({.line = "GET /other HTTP/1.1"}), 404);
  EXPECT_EQ(status_of({.line = "GET /?x=y HTTP/1.1"}), 404);
  EXPECT_NE(status_of({.line = "POST / HTTP/1.1"}), 101);
}

TEST_F(WebSocketHostile, CompressionIsNotNegotiatedAndACompressedFrameCloses) {
  listen();
  RawSocket peer(port_);
  peer.send(Request{
      .extra = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n"}
                .text());
  const auto answer = peer.receive_until("\r\n\r\n");
  EXPECT_NE(answer.find("101"), std::string::npos);
  EXPECT_EQ(answer.find("deflate"), std::string::npos);
  peer.send(frame(0xc2, "deflated?"));
  EXPECT_EQ(close_code(peer.receive_at_least(4)), 1002);
}

TEST_F(WebSocketHostile, ATextMessageClosesWith1003) {
  listen();
  const auto peer = open_peer();
  peer->send(frame(0x81, "hello"));
  EXPECT_EQ(close_code(peer->receive_at_least(4)), 1003);
  peer->send(frame(0x88, "\x03\xeb"));
  EXPECT_EQ(recorder_.wait_close(recorder_.wait_open()).code, Errc::frame_malformed);
  EXPECT_TRUE(recorder_.wait_frames(recorder_.wait_open(), 0).empty());
}

TEST_F(WebSocketHostile, FramesAgainstTheStandardCloseWith1002) {
  listen();
  const std::vector<std::pair<const char*, std::string>> cases{
      {"unmasked", std::string("\x82\x01x", 3)},
      {"reserved opcode", frame(0x83, "x")},
      {"reserved bit", frame(0xa2, "x")},
      {"continuation of nothing", frame(0x80, "x")},
      {"fragmented ping", frame(0x09, "x")},
      {"ping of 126 bytes", frame(0x89, std::string(126, 'x'))},
      {"new message within a message", frame(0x02, "x") + frame(0x82, "y")},
  };
  for (const auto& [name, bytes] : cases) {
    const auto peer = open_peer();
    peer->send(bytes);
    EXPECT_EQ(close_code(peer->receive_at_least(4)), 1002) << name;
  }
  expect_served();
}

TEST_F(WebSocketHostile, FragmentsOfOneByteWithPingsBetweenAreOneFrame) {
  listen();
  const auto peer = open_peer();
  peer->send(frame(0x02, "a"));
  for (int i = 0; i < 50; ++i)
    peer->send(frame(0x00, "b") + frame(0x89, "ping"));
  peer->send(frame(0x80, "c"));
  const auto frames = recorder_.wait_frames(recorder_.wait_open(), 1);
  EXPECT_EQ(as_text(frames.at(0)), "a" + std::string(50, 'b') + "c");
}

TEST_F(WebSocketHostile, FragmentsTogetherOverTheLimitClose) {
  Limits limits;
  limits.frame_bytes_before_proof = 1000;
  listen({}, limits);
  const auto peer = open_peer();
  peer->send(frame(0x02, std::string(600, 'a')));
  peer->send(frame(0x00, std::string(401, 'b')));
  EXPECT_EQ(recorder_.wait_close(recorder_.wait_open()).code, Errc::frame_too_large);
  EXPECT_EQ(close_code(peer->receive_at_least(4)), 1009);
}

TEST_F(WebSocketHostile, AHugeDeclaredLengthClosesBeforeAnyOfItComes) {
  listen();
  for (const auto* length :
       {"\x7f\xff\xff\xff\xff\xff\xff\xff", "\x00\x00\x00\x01\x00\x00\x00\x00"}) {
    const auto count = recorder_.opened();
    const auto peer = open_peer();
    peer->send(std::string("\x82\xff", 2) + std::string(length, 8) + std::string(4, '\0'));
    EXPECT_EQ(recorder_.wait_close(recorder_.wait_open(count + 1)).code, Errc::frame_too_large);
  }
  expect_served();
}

TEST_F(WebSocketHostile, APingFloodThatIsNotReadDoesNotStopOthers) {
  listen();
  const auto peer = open_peer();
  std::string pings;
  for (int i = 0; i < 1000; ++i)
    pings += frame(0x89, "");
  for (int i = 0; i < 50; ++i)
    peer->send(pings);
  expect_served();
}

TEST_F(WebSocketHostile, AnOversizeHeaderOrABodyIsRefused) {
  listen();
  EXPECT_EQ(status_of({.extra = "X: " + std::string(20000, 'x') + "\r\n"}), 431);
  RawSocket peer(port_);
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n");
  EXPECT_NE(peer.receive_until("\r\n\r\n").find("413"), std::string::npos);
  expect_served();
}

TEST_F(WebSocketHostile, PlainHttpIsToldToUpgrade) {
  listen();
  RawSocket peer(port_);
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(peer.receive_until("\r\n\r\n").find("426"), std::string::npos);
}

TEST_F(WebSocketHostile, HalfARequestIsClosedInTime) {
  Limits limits;
  limits.handshake_ms = 300;
  listen({}, limits);
  for (const auto* half : {"", "G", "GET / HTTP/1.1\r\nHost: x\r\n"}) {
    RawSocket peer(port_);
    peer.send(half);
    const auto took = peer.wait_close();
    EXPECT_GE(took, 0) << half;
    EXPECT_LT(took, 3000) << half;
  }
}

TEST_F(WebSocketHostile, HalfATlsHandshakeOrHalfARequestAfterItIsClosedInTime) {
  auto endpoint =
      tls_endpoint(test_certificate().certificate_file, test_certificate().private_key_file);
  endpoint.limits.handshake_ms = 400;
  listen_at(endpoint);
  RawSocket silent(port_);
  RawSocket half_hello(port_);
  half_hello.send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
  RawSocket half_request(port_);
  ASSERT_TRUE(half_request.start_tls(TLS1_3_VERSION));
  half_request.send("GET / HT");
  for (auto* peer : {&silent, &half_hello, &half_request}) {
    const auto took = peer->wait_close();
    EXPECT_GE(took, 0);
    EXPECT_LT(took, 3000);
  }
}

TEST_F(WebSocketHostile, GarbageIsClosedAndOthersAreServed) {
  listen();
  for (const auto* garbage :
       {"\x16\x03\x01\x02", "\r\n\r\n\r\n", "SSH-2.0-x\r\n\r\n", "GET\r\n\r\n"}) {
    RawSocket peer(port_);
    peer.send(garbage);
  }
  expect_served();
}

TEST_F(WebSocketHostile, APeerThatVanishesIsLostNotClosed) {
  listen();
  const auto peer = open_peer();
  const auto connection = recorder_.wait_open();
  peer->close();
  EXPECT_EQ(recorder_.wait_close(connection).code, Errc::connection_lost);
}

TEST_F(WebSocketHostile, ASecondListenerOnThePortIsRefusedAlsoWithSharedAcceptors) {
  Endpoint endpoint;
  endpoint.uri = "ws://127.0.0.1:0";
  endpoint.threads = 2;
  listen_at(endpoint);
  endpoint.uri = running_->uri();
  const auto second = websocket_channel().listen(endpoint, recorder_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::connect_failed);
}

TEST_F(WebSocketHostile, TlsWithoutASafeBindingIsRefused) {
  listen_at(tls_endpoint(test_certificate().certificate_file, test_certificate().private_key_file));
  const auto status_over = [this](int version, std::uint64_t options) {
    RawSocket peer(port_);
    if (!peer.start_tls(version, options)) return 0;
    peer.send(Request().text());
    return std::stoi(peer.receive_until("\r\n\r\n").substr(9, 3));
  };
  EXPECT_EQ(status_over(TLS1_1_VERSION, 0), 0);
  EXPECT_EQ(status_over(TLS1_2_VERSION, SSL_OP_NO_EXTENDED_MASTER_SECRET), 400);
  EXPECT_EQ(status_over(TLS1_2_VERSION, 0), 101);
  EXPECT_EQ(status_over(TLS1_3_VERSION, 0), 101);
}

class WebSocketCertificate : public WebSocketHostile {
 protected:
  // The error of a dial that checks against `ca_file`, or closed when it opened.
  Errc dial(const std::string& ca_file, const std::string& host = "127.0.0.1") {
    Recorder recorder;
    Endpoint endpoint;
    endpoint.uri = "wss://" + host + ":" + std::to_string(port_);
    if (!ca_file.empty()) endpoint.options = {{"ca_file", ca_file}};
    auto running = websocket_channel().dial(endpoint, recorder);
    if (!running) return running.error().code;
    while (recorder.callbacks() == 0)
      std::this_thread::yield();
    return recorder.opened() > 0 ? Errc::closed : recorder.wait_failure().code;
  }
};

TEST_F(WebSocketCertificate, IsCheckedAgainstTheCaAndTheHostWhereOneIsNamed) {
  const TestCertificate mine, foreign;
  listen_at(tls_endpoint(mine.certificate_file, mine.private_key_file));
  EXPECT_EQ(dial(mine.certificate_file), Errc::closed);
  EXPECT_EQ(dial(mine.certificate_file, "localhost"), Errc::closed);
  EXPECT_EQ(dial(""), Errc::closed);
  EXPECT_EQ(dial(foreign.certificate_file), Errc::connect_failed);
  EXPECT_EQ(dial(mine.certificate_file, "127.0.0.2"), Errc::connect_failed);
  EXPECT_EQ(dial(mine.directory / "absent"), Errc::config_invalid);
}

TEST_F(WebSocketCertificate, ReloadServesTheNewOneKeepsTheOldOnAnErrorAndOpenConnections) {
  const TestCertificate mine;
  const auto old = mine.directory / "old.pem";
  listen_at(tls_endpoint(mine.certificate_file, mine.private_key_file));
  std::filesystem::copy_file(mine.certificate_file, old);
  Recorder before;
  Endpoint endpoint;
  endpoint.uri = running_->uri();
  const auto kept = websocket_channel().dial(endpoint, before);
  const auto connection = before.wait_open();

  std::ofstream(mine.certificate_file) << "not a certificate";
  const auto failed = running_->reload();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::config_invalid);
  EXPECT_EQ(dial(old), Errc::closed);

  mine.renew();
  ASSERT_TRUE(running_->reload().has_value());
  // The change takes effect on the I/O thread: the first dial may still meet the old certificate.
  while (dial(mine.certificate_file) != Errc::closed) {
  }
  EXPECT_EQ(dial(old), Errc::connect_failed);
  EXPECT_EQ(send(connection, {1}), Sent::taken);
  EXPECT_EQ(recorder_.wait_frames(recorder_.wait_open(), 1).size(), 1u);
}

TEST_F(WebSocketCertificate, AListenerWithoutACertificateOrWithAnothersKeyIsRefused) {
  const TestCertificate mine, foreign;
  for (const auto& endpoint :
       {tls_endpoint("", ""), tls_endpoint(mine.certificate_file, foreign.private_key_file)}) {
    const auto running = websocket_channel().listen(endpoint, recorder_);
    ASSERT_FALSE(running.has_value());
    EXPECT_EQ(running.error().code, Errc::config_invalid);
  }
}

TEST_F(WebSocketCertificate, ThePrivateKeyIsItsOwnersOnly) {
  const TestCertificate mine;
  EXPECT_EQ(std::filesystem::status(mine.private_key_file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace sealwire::channel::contract

// SPEC chapter SES, channel bindings: WebSocket, TLS, ZeroMQ.
#include <openssl/ssl.h>

#include "conformance/runner/run.h"
#include "conformance/transport/websocket.h"
#include "conformance/transport/zeromq.h"

namespace conformance {
namespace {

const Endpoint& websocket_of(Run& t) {
  return *t.settings.websocket;
}

Case upgrade_case(std::string id, std::string steps, std::function<Upgrade(Upgrade)> change,
                  int status) {
  return {.id = std::move(id),
          .steps = "Opens a WebSocket " + steps,
          .expects = status == 0 ? "no 101" : "HTTP status " + std::to_string(status),
          .run =
              [change = std::move(change), status](Run& t) {
                WebSocket socket(websocket_of(t), change(Upgrade::good(websocket_of(t))));
                const int got = socket.answer().status;
                if (got == 101) throw Failure("the upgrade was granted");
                if (got == 0) throw NonStrict("the connection closed without an HTTP answer");
                if (status != 0) equal(got, status, "HTTP status");
              },
          .ways = kBound,
          .profile = "core"};
}

void over_websocket(Cases& cases) {
  cases.push_back({.id = "SES-040.subprotocol",
                   .steps = "Offers the subprotocols chat and sealwire.0",
                   .expects = "101 with Sec-WebSocket-Protocol: sealwire.0 and no extensions",
                   .run =
                       [](Run& t) {
                         const Upgrade request =
                             Upgrade::good(websocket_of(t))
                                 .with("Sec-WebSocket-Protocol", "chat, sealwire.0")
                                 .with("Sec-WebSocket-Extensions",
                                       "permessage-deflate; client_max_window_bits");
                         WebSocket socket(websocket_of(t), request);
                         equal(socket.answer().status, 101, "HTTP status");
                         if (socket.answer().header("Sec-WebSocket-Protocol") != "sealwire.0")
                           throw Failure("the subprotocol is not sealwire.0");
                         if (!socket.answer().header("Sec-WebSocket-Extensions").empty())
                           throw Failure("an extension was granted");
                       },
                   .ways = kBound});
  cases.push_back(upgrade_case(
      "SES-040.no-subprotocol", "without a subprotocol",
      [](Upgrade u) { return u.without("Sec-WebSocket-Protocol"); }, 0));
  for (const char* other : {"chat", "sealwire.1", "sealwire", "SEALWIRE.0x"})
    cases.push_back(upgrade_case(
        std::string("SES-040.subprotocol-") + other, std::string("with the subprotocol ") + other,
        [other](Upgrade u) { return u.with("Sec-WebSocket-Protocol", other); }, 0));
  for (const char* target : {"/other", "/?x=1", "//", "/sealwire", "/%2f"})
    cases.push_back(upgrade_case(
        std::string("SES-040.target") + target, std::string("at the target ") + target,
        [target](Upgrade u) {
          u.target = target;
          return u;
        },
        0));
  for (const char* origin :
       {"https://evil.example", "null", "http://127.0.0.1", "https://localhost", "file://", ""})
    cases.push_back(upgrade_case(
        "SES-042." + std::string(*origin == '\0' ? "empty" : origin),
        std::string("from the Origin \"") + origin + "\"",
        [origin](Upgrade u) { return u.with("Origin", origin); }, 403));
  cases.push_back(
      {.id = "SES-040.text",
       .steps = "On a Ready session sends a text message",
       .expects = "Close(malformed), or WebSocket status 1003",
       .run =
           [](Run& t) {
             Person a = t.newcomer();
             auto& socket = dynamic_cast<WebSocket&>(a->connection());
             socket.send_frame({opcode::text, bytes_of("a text of more than sixteen letters")});
             const auto code = a->closing_code();
             if (code ? *code != Code::malformed : socket.close_status() != 1003)
               throw Failure("neither Close(malformed) nor the WebSocket status 1003");
           },
       .also = {"FRM-009"},
       .ways = kBound | kSealed});
  cases.push_back(
      {.id = "SES-040.two-frames-in-a-message",
       .steps = "Sends two frames in one binary message",
       .expects = "the first is read alone or the message is malformed; never two answers",
       .run =
           [](Run& t) {
             Person a = t.newcomer();
             const Bytes ping = frame({"Ping", {{"nonce", 77}}});
             a->send_frame(Bytes(ping) + ping);
             try {
               expect(a->nothing_comes(), "no entry");
               equal(std::count(a->pongs.begin(), a->pongs.end(), 77u), 1, "Pongs");
             } catch (const SessionClosed& closed) {
               expect(closed.code == Code::malformed, "Close(malformed)");
             }
           },
       .ways = kBound | kSealed | kCurve});
  cases.push_back({.id = "SES-040.fragments",
                   .steps = "Sends Hello in fragments of one byte",
                   .expects = "a Challenge",
                   .run =
                       [](Run& t) {
                         Handshake h = t.handshake(t.stranger());
                         auto& socket = dynamic_cast<WebSocket&>(*h.connection);
                         h.hello_bytes = frame(h.hello());
                         for (std::size_t i = 0; i < h.hello_bytes.size(); ++i)
                           socket.send_frame({i == 0 ? opcode::binary : opcode::continuation,
                                              Bytes{h.hello_bytes[i]},
                                              i + 1 == h.hello_bytes.size()});
                         h.check_challenge(h.receive_challenge());
                       },
                   .ways = kBound});
}

void over_tls(Cases& cases) {
  cases.push_back(
      {.id = "SES-044.tls-1.2",
       .steps = "Shakes hands on TLS 1.2 with the extended master secret and binds to its exporter",
       .expects = "a Challenge that verifies over that exporter, or no TLS 1.2 at all",
       .run =
           [](Run& t) {
             std::unique_ptr<WebSocket> socket;
             try {
               socket = std::make_unique<WebSocket>(websocket_of(t), TLS1_2_VERSION);
             } catch (const Failure&) {
               return;  // TLS 1.3 only
             }
             Handshake h(std::move(socket), t.target, t.stranger(), false);
             h.greet();
           },
       .ways = kBound});
  for (const auto& [name, version] : {std::pair{"1.1", TLS1_1_VERSION}, {"1.0", TLS1_VERSION}})
    cases.push_back({.id = std::string("SES-044.tls-") + name,
                     .steps = std::string("Offers TLS ") + name + " alone",
                     .expects = "the TLS handshake fails",
                     .run =
                         [v = version](Run& t) {
                           try {
                             Stream stream(websocket_of(t), v);
                           } catch (const Failure&) {
                             return;
                           }
                           throw Failure("the TLS handshake succeeded");
                         },
                     .ways = kBound});
}

void over_zeromq(Cases& cases) {
  cases.push_back({.id = "SES-043.session",
                   .steps = "Opens the door, shakes hands, moves to the data port, exchanges "
                            "frames of 1 MiB both ways",
                   .expects = "every frame once and in order",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         for (int i = 0; i < 3; ++i)
                           receives(b, say(a, random_bytes(1'000'000)));
                       },
                   .also = {"SES-041"},
                   .ways = kCurve | kCurveSealed});
  const auto misframed = [&](const char* name, const char* steps,
                             std::function<void(ZeroMq&)> send) {
    cases.push_back({.id = std::string("SES-043.") + name,
                     .steps = std::string("On the door sends ") + steps,
                     .expects = "the connection ends, and others are untouched",
                     .run =
                         [send](Run& t) {
                           Person other = t.newcomer();
                           Handshake h = t.handshake(t.stranger());
                           send(dynamic_cast<ZeroMq&>(*h.connection));
                           const auto message = h.connection->receive(6'000);
                           if (message && !Frame::close_code(*message))
                             throw Failure("the target goes on");
                           expect(other->nothing_comes(), "another session is untouched");
                         },
                     .ways = kCurve});
  };
  misframed("unknown-kind", "a message of the kind 4",
            [](ZeroMq& z) { z.send_raw(4, bytes_of("x")); });
  misframed("second-open", "a second open",
            [](ZeroMq& z) { z.send_raw(0, bytes_of("sealwire.0")); });
  misframed("early-move", "a move before any Proof", [](ZeroMq& z) { z.send_raw(2, {}); });
  cases.push_back({.id = "SES-043.close",
                   .steps = "Sends close and opens again with the agent's key",
                   .expects = "a new session; what was not acknowledged comes again",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope e = say(a);
                         b->grant(1);
                         b->take();
                         b->connection().close();
                         t.reconnect(b);
                         receives(b, e);
                       },
                   .also = {"DLV-020"},
                   .ways = kCurve});
  cases.push_back({.id = "SES-041.without-curve",
                   .steps = "Connects to the door without CURVE",
                   .expects = "no open comes",
                   .run =
                       [](Run& t) {
                         zmq::context_t context(1);
                         zmq::socket_t plain(context, zmq::socket_type::dealer);
                         plain.set(zmq::sockopt::linger, 0);
                         plain.connect("tcp://" + t.settings.zeromq->host + ":" +
                                       std::to_string(t.settings.zeromq->port));
                         const std::uint8_t open = 0;
                         plain.send(zmq::message_t(&open, 1), zmq::send_flags::sndmore);
                         plain.send(zmq::message_t(std::string("sealwire.0")),
                                    zmq::send_flags::none);
                         zmq::pollitem_t item{plain.handle(), 0, ZMQ_POLLIN, 0};
                         if (zmq::poll(&item, 1, std::chrono::milliseconds(1500)) != 0)
                           throw Failure("the door answered without CURVE");
                       },
                   .ways = kCurve});
  cases.push_back({.id = "SES-041.other-curve-key",
                   .steps = "Connects to the door with another server key",
                   .expects = "no open comes",
                   .run =
                       [](Run& t) {
                         Endpoint wrong = *t.settings.zeromq;
                         char key[41], secret[41];
                         zmq_curve_keypair(key, secret);
                         zmq_z85_decode(wrong.curve.data(), key);
                         try {
                           ZeroMq socket(wrong);
                         } catch (const NotRun&) {
                           return;
                         }
                         throw Failure("the door opened");
                       },
                   .ways = kCurve,
                   .pace = Pace::slow});
}

}  // namespace

Cases channel_cases() {
  Cases cases;
  over_websocket(cases);
  over_tls(cases);
  over_zeromq(cases);
  return cases;
}

}  // namespace conformance

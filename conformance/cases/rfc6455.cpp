// WebSocket frames, in families, before any session: what RFC 6455 asks of a server, seen through
// its Pongs, its close handshake, and the Challenge with which a broker answers a Hello however it
// is cut.
#include "conformance/runner/run.h"
#include "conformance/transport/websocket.h"

namespace conformance {
namespace {

using Script = std::function<void(WebSocket&)>;

Case frame_case(std::string id, std::string section, std::string steps, std::string expects,
                Script script) {
  return {.id = "rfc6455." + std::move(id),
          .steps = "Section " + section + ": " + steps,
          .expects = std::move(expects),
          .run =
              [script = std::move(script)](Run& t) {
                WebSocket socket(*t.settings.websocket);
                script(socket);
              },
          .ways = kBound,
          .profile = "websocket"};
}

// Close frame of the server, or nothing at the end of the stream.
std::optional<WebSocket::Incoming> until_close(WebSocket& socket, const Bytes& probe) {
  for (;;) {
    const auto got = socket.read_frame();
    if (!got || got->op == opcode::close) return got;
    if (got->op == opcode::pong && got->payload == probe)
      throw Failure("the server goes on as if nothing had happened");
  }
}

// What was sent is a protocol error: the server fails the connection (7.1.7), and does not go on.
void must_fail(WebSocket& socket, std::initializer_list<int> codes) {
  const Bytes probe = random_bytes(8);
  socket.send_frame({opcode::ping, probe});
  const auto close = until_close(socket, probe);
  if (!close) throw NonStrict("the connection closed without a Close frame (7.1.7: SHOULD)");
  for (const int code : codes)
    if (socket.close_status() == code) return;
  throw NonStrict("the Close frame has the status " + (socket.close_status()
                                                           ? std::to_string(*socket.close_status())
                                                           : std::string("none")));
}

void pongs(WebSocket& socket, const Bytes& payload) {
  const auto got = socket.read_frame();
  if (!got || got->op != opcode::pong || !got->fin) throw Failure("no Pong");
  same(got->payload, payload, "the Pong's payload");
}

Bytes hello() {
  return frame({"Hello",
                {{"versions", std::vector<std::uint64_t>{0}},
                 {"suite", 1},
                 {"key", Agent().key},
                 {"nonce", random_bytes(32)},
                 {"ephemeral", make_agreement_key().key}}});
}

void challenge_comes(WebSocket& socket) {
  const auto message = socket.receive();
  if (!message || Frame(*message).type() != wire::Body::Challenge) throw Failure("no Challenge");
}

void pings(Cases& cases) {
  for (const std::size_t size : {0, 1, 2, 7, 8, 16, 63, 64, 100, 124, 125})
    cases.push_back(frame_case("ping-" + std::to_string(size), "5.5.2",
                               "a Ping of " + std::to_string(size) + " bytes",
                               "a Pong of the same bytes", [size](WebSocket& s) {
                                 const Bytes payload = random_bytes(size);
                                 s.send_frame({opcode::ping, payload});
                                 pongs(s, payload);
                               }));
  for (const int count : {2, 10, 50})
    cases.push_back(frame_case(
        "ping-many-" + std::to_string(count), "5.5.3", std::to_string(count) + " Pings in a row",
        "Pongs in order; older ones may be left out, the last may not", [count](WebSocket& s) {
          for (int i = 0; i < count; ++i)
            s.send_frame({opcode::ping, big_endian(static_cast<std::uint64_t>(i), 4)});
          for (;;) {
            const auto got = s.read_frame();
            if (!got || got->op != opcode::pong) throw Failure("no Pong");
            if (got->payload == big_endian(static_cast<std::uint64_t>(count - 1), 4)) return;
          }
        }));
  for (const std::size_t size : {0, 1, 125})
    cases.push_back(frame_case("pong-unasked-" + std::to_string(size), "5.5.3",
                               "an unsolicited Pong, then a Ping", "a Pong to the Ping alone",
                               [size](WebSocket& s) {
                                 s.send_frame({opcode::pong, Bytes(size, 1)});
                                 s.send_frame({opcode::ping, bytes_of("x")});
                                 pongs(s, bytes_of("x"));
                               }));
  for (const auto& [name, mask] : {std::pair{"zero", Bytes(4)},
                                   {"ones", Bytes(4, 0xff)},
                                   {"low", Bytes{0, 0, 0, 1}},
                                   {"high", Bytes{0x80, 0, 0, 0}},
                                   {"text", bytes_of("mask")}})
    cases.push_back(frame_case(std::string("mask-") + name, "5.3",
                               "a Ping under a given masking key", "a Pong of the unmasked bytes",
                               [m = mask](WebSocket& s) {
                                 WsFrame ping{opcode::ping, random_bytes(37)};
                                 ping.mask = m;
                                 s.send_frame(ping);
                                 pongs(s, ping.payload);
                               }));
  for (const std::size_t chop : {1, 2, 3, 5, 13})
    cases.push_back(frame_case(
        "chopped-ping-" + std::to_string(chop), "5.2",
        "a Ping written " + std::to_string(chop) + " bytes at a time", "a Pong",
        [chop](WebSocket& s) {
          const Bytes payload = random_bytes(60), bytes = WsFrame{opcode::ping, payload}.encode();
          for (std::size_t at = 0; at < bytes.size(); at += chop)
            s.stream().write(View(bytes).subspan(at, std::min(chop, bytes.size() - at)));
          pongs(s, payload);
        }));
}

void fragments(Cases& cases) {
  for (const std::size_t pieces : {2, 3, 5, 9, 17, 40})
    for (const char* between : {"nothing", "ping", "pong", "empty-fragment", "two-pings"})
      cases.push_back(frame_case(
          "fragments-" + std::to_string(pieces) + "-" + between, "5.4",
          "a Hello in " + std::to_string(pieces) + " fragments with " + between + " between them",
          "a Challenge, and a Pong for every Ping",
          [pieces, b = std::string(between)](WebSocket& s) {
            const Bytes message = hello();
            const std::size_t step = message.size() / pieces;
            std::size_t sent_pings = 0;
            for (std::size_t i = 0; i < pieces; ++i) {
              const bool last = i + 1 == pieces;
              const View piece =
                  View(message).subspan(i * step, last ? message.size() - i * step : step);
              s.send_frame({i == 0 ? opcode::binary : opcode::continuation, copy(piece), last});
              if (last) break;
              if (b == "pong") s.send_frame({opcode::pong, Bytes(3)});
              if (b == "empty-fragment") s.send_frame({opcode::continuation, {}, false});
              for (int n = 0; n < (b == "ping" ? 1 : b == "two-pings" ? 2 : 0); ++n, ++sent_pings)
                s.send_frame({opcode::ping, big_endian(sent_pings, 2)});
            }
            std::size_t got_pongs = 0;
            for (;;) {
              const auto got = s.read_frame();
              if (!got || got->op == opcode::close) throw Failure("closed instead of a Challenge");
              if (got->op == opcode::pong) {
                ++got_pongs;
                continue;
              }
              expect(Frame(got->payload).type() == wire::Body::Challenge, "a Challenge");
              break;
            }
            expect(got_pongs <= sent_pings && (sent_pings == 0 || got_pongs >= 1), "Pongs");
          }));
  for (const std::size_t chop : {1, 2, 7, 100})
    cases.push_back(frame_case("chopped-message-" + std::to_string(chop), "5.2",
                               "a Hello written " + std::to_string(chop) + " bytes at a time",
                               "a Challenge", [chop](WebSocket& s) {
                                 const Bytes bytes = WsFrame{opcode::binary, hello()}.encode();
                                 for (std::size_t at = 0; at < bytes.size(); at += chop)
                                   s.stream().write(
                                       View(bytes).subspan(at, std::min(chop, bytes.size() - at)));
                                 challenge_comes(s);
                               }));
  cases.push_back(frame_case("fragments-empty-first", "5.4",
                             "a Hello whose first fragment is empty", "a Challenge",
                             [](WebSocket& s) {
                               s.send_frame({opcode::binary, {}, false});
                               s.send_frame({opcode::continuation, hello()});
                               challenge_comes(s);
                             }));
  cases.push_back(frame_case("fragments-empty-last", "5.4", "a Hello whose last fragment is empty",
                             "a Challenge", [](WebSocket& s) {
                               s.send_frame({opcode::binary, hello(), false});
                               s.send_frame({opcode::continuation, {}});
                               challenge_comes(s);
                             }));
  for (const bool fin : {true, false})
    for (const std::size_t size : {0, 1, 100})
      cases.push_back(frame_case(
          "continuation-of-nothing-" + std::string(fin ? "fin-" : "") + std::to_string(size), "5.4",
          "a continuation frame where no message has begun", "Close 1002",
          [fin, size](WebSocket& s) {
            s.send_frame({opcode::continuation, Bytes(size), fin});
            must_fail(s, {1002});
          }));
  for (const std::uint8_t op : {opcode::text, opcode::binary})
    for (const bool fin : {true, false})
      for (const std::size_t size : {0, 10})
        cases.push_back(frame_case("message-in-message-" + std::to_string(op) +
                                       (fin ? "-fin-" : "-") + std::to_string(size),
                                   "5.4", "a data frame of its own within a fragmented message",
                                   "Close 1002", [op, fin, size](WebSocket& s) {
                                     s.send_frame({opcode::binary, Bytes(10), false});
                                     s.send_frame({op, Bytes(size), fin});
                                     must_fail(s, {1002});
                                   }));
  cases.push_back(frame_case("continuation-after-end", "5.4",
                             "a continuation after the message's last frame",
                             "Challenge, then Close 1002", [](WebSocket& s) {
                               s.send_frame({opcode::binary, hello()});
                               s.send_frame({opcode::continuation, Bytes(3)});
                               must_fail(s, {1002});
                             }));
}

void reserved(Cases& cases) {
  for (const int op : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    for (const std::size_t size : {0, 1, 125})
      for (const bool fin : {true, false}) {
        if (!fin && size == 125) continue;
        cases.push_back(frame_case(
            "opcode-" + std::to_string(op) + "-" + std::to_string(size) + (fin ? "" : "-more"),
            "5.2", "a frame of the reserved opcode " + std::to_string(op), "Close 1002",
            [op, size, fin](WebSocket& s) {
              s.send_frame({static_cast<std::uint8_t>(op), Bytes(size), fin});
              must_fail(s, {1002});
            }));
      }
  for (const int rsv : {1, 2, 3, 4, 5, 6, 7})
    for (const auto& [name, op] : {std::pair{"binary", opcode::binary},
                                   {"ping", opcode::ping},
                                   {"pong", opcode::pong},
                                   {"close", opcode::close}})
      cases.push_back(frame_case(
          "rsv-" + std::to_string(rsv) + "-" + name, "5.2",
          std::string("a ") + name + " frame with reserved bits, no extension being agreed",
          "Close 1002", [rsv, o = op](WebSocket& s) {
            WsFrame f{static_cast<std::uint8_t>(o),
                      o == opcode::close ? big_endian(1000, 2) : Bytes(4)};
            f.rsv = static_cast<std::uint8_t>(rsv);
            s.send_frame(f);
            must_fail(s, {1002});
          }));
  for (const auto& [name, op] : {std::pair{"binary", opcode::binary},
                                 {"text", opcode::text},
                                 {"ping", opcode::ping},
                                 {"pong", opcode::pong},
                                 {"close", opcode::close}})
    for (const std::size_t size : {0, 2, 20})
      cases.push_back(frame_case(std::string("unmasked-") + name + "-" + std::to_string(size),
                                 "5.1", std::string("an unmasked ") + name + " frame", "Close 1002",
                                 [o = op, size](WebSocket& s) {
                                   WsFrame f{static_cast<std::uint8_t>(o),
                                             o == opcode::close && size >= 2 ? big_endian(1000, 2)
                                                                             : Bytes(size)};
                                   f.masked = false;
                                   s.send_frame(f);
                                   must_fail(s, {1002});
                                 }));
}

void control(Cases& cases) {
  for (const auto& [name, op] :
       {std::pair{"ping", opcode::ping}, {"pong", opcode::pong}, {"close", opcode::close}}) {
    for (const std::size_t size : {126, 127, 1000, 65535, 65536})
      cases.push_back(frame_case(
          std::string("long-") + name + "-" + std::to_string(size), "5.5",
          std::string("a ") + name + " frame of " + std::to_string(size) + " bytes", "Close 1002",
          [o = op, size](WebSocket& s) {
            s.send_frame(
                {static_cast<std::uint8_t>(o),
                 o == opcode::close ? big_endian(1000, 2) + Bytes(size - 2, 'x') : Bytes(size)});
            must_fail(s, {1002, 1009});
          }));
    for (const std::size_t size : {0, 2, 10})
      cases.push_back(frame_case(
          std::string("fragmented-") + name + "-" + std::to_string(size), "5.5",
          std::string("a ") + name + " frame without FIN", "Close 1002",
          [o = op, size](WebSocket& s) {
            s.send_frame({static_cast<std::uint8_t>(o),
                          o == opcode::close && size >= 2 ? big_endian(1000, 2) : Bytes(size),
                          false});
            must_fail(s, {1002});
          }));
  }
}

void lengths(Cases& cases) {
  for (const auto& [size, form] :
       {std::pair{0, 2}, {5, 2}, {125, 2}, {0, 8}, {125, 8}, {126, 8}, {5000, 8}})
    cases.push_back(frame_case(
        "length-form-" + std::to_string(form) + "-" + std::to_string(size), "5.2",
        "a Ping or message whose length takes more bytes than it needs", "Close 1002",
        [n = size, f = form](WebSocket& s) {
          WsFrame wrong{n <= 125 ? std::uint8_t{opcode::ping} : std::uint8_t{opcode::binary},
                        Bytes(static_cast<std::size_t>(n))};
          wrong.length_bytes = f;
          s.send_frame(wrong);
          must_fail(s, {1002});
        }));
  for (const auto& [name, length] : {std::pair{"top-bit", std::uint64_t{1} << 63},
                                     {"all-ones", ~std::uint64_t{0}},
                                     {"max-signed", (std::uint64_t{1} << 63) - 1},
                                     {"4-gib", std::uint64_t{1} << 32},
                                     {"over", std::uint64_t{16'385}},
                                     {"5-mib", std::uint64_t{5} << 20}})
    for (const bool fragmented : {false, true})
      cases.push_back(
          frame_case(std::string("length-") + name + (fragmented ? "-continued" : ""), "5.2, 10.4",
                     "announces a message longer than any limit, and sends none of it",
                     "Close 1009 or 1002 at once", [l = length, fragmented](WebSocket& s) {
                       WsFrame f{opcode::binary, {}};
                       if (fragmented) {
                         s.send_frame({opcode::binary, Bytes(100), false});
                         f.op = opcode::continuation;
                       }
                       f.length_told = l;
                       f.length_bytes = l > 65535 ? 8 : 2;
                       s.send_frame(f);
                       std::optional<WebSocket::Incoming> close;
                       for (;;) {
                         const auto got =
                             s.read_frame(4'000);  // before the broker's handshake timeout: at once
                         if (got && got->op != opcode::close) continue;
                         close = got;
                         break;
                       }
                       if (!close) throw NonStrict("the connection closed without a Close frame");
                       if (s.close_status() != 1009 && s.close_status() != 1002)
                         throw NonStrict("another status than 1009 or 1002");
                     }));
  cases.push_back(frame_case(
      "fragments-over-limit", "10.4", "seventeen fragments of 1 KiB each before any Proof",
      "Close 1009, or the protocol's Close(too_large)", [](WebSocket& s) {
        for (int i = 0; i < 17; ++i)
          s.send_frame({i == 0 ? opcode::binary : opcode::continuation, Bytes(1024), false});
        const auto got = s.read_frame(4'000);
        if (got && got->op == opcode::binary) {
          expect(Frame::close_code(got->payload) == Code::too_large, "Close(too_large)");
          return;
        }
        if (!got) throw NonStrict("the connection closed without a Close frame");
        expect(s.close_status() == 1009, "status 1009");
      }));
  for (const std::size_t size : {125, 126, 127, 128, 1000, 16'383, 16'384})
    cases.push_back(
        frame_case("message-" + std::to_string(size), "5.2",
                   "a message of " + std::to_string(size) + " zero bytes, which is no frame",
                   "the protocol's Close(malformed): the message was read", [size](WebSocket& s) {
                     s.send(Bytes(size));
                     const auto message = s.receive();
                     if (!message) throw Failure("the connection closed without Close(malformed)");
                     expect(Frame::close_code(*message) == Code::malformed, "Close(malformed)");
                   }));
}

void closing(Cases& cases) {
  for (const int code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999})
    cases.push_back(frame_case(
        "close-" + std::to_string(code), "7.4.1", "Close with the status " + std::to_string(code),
        "a Close frame in answer", [code](WebSocket& s) {
          s.send_frame({opcode::close, big_endian(static_cast<std::uint64_t>(code), 2)});
          if (!until_close(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
            throw Failure("no Close frame in answer (5.5.1)");
          if (s.close_status() && *s.close_status() != code)
            throw NonStrict("the answer has the status " + std::to_string(*s.close_status()));
        }));
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    cases.push_back(
        frame_case("close-" + std::to_string(code), "7.4",
                   "Close with the status " + std::to_string(code) + ", which may not be sent",
                   "Close 1002", [code](WebSocket& s) {
                     s.send_frame({opcode::close, big_endian(static_cast<std::uint64_t>(code), 2)});
                     if (!until_close(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
                       throw NonStrict("the connection closed without a Close frame");
                     if (s.close_status() != 1002)
                       throw NonStrict("the answer has another status than 1002");
                   }));
  cases.push_back(frame_case("close-empty", "5.5.1", "Close without a status",
                             "a Close frame in answer", [](WebSocket& s) {
                               s.send_frame({opcode::close, {}});
                               if (!until_close(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
                                 throw Failure("no Close frame in answer (5.5.1)");
                             }));
  cases.push_back(
      frame_case("close-one-byte", "5.5.1", "Close with one byte", "Close 1002", [](WebSocket& s) {
        s.send_frame({opcode::close, Bytes(1, 3)});
        if (!until_close(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
          throw NonStrict("the connection closed without a Close frame");
        if (s.close_status() != 1002) throw NonStrict("the answer has another status than 1002");
      }));
  for (const std::string& reason : {std::string("bye"), std::string(123, 'x'),
                                    std::string("gr\xc3\xbc\xc3\x9f"
                                                "e \xe2\x82\xac \xf0\x9f\x90\x98"),
                                    std::string(1, '\0')})
    cases.push_back(
        frame_case("close-reason-" + std::to_string(reason.size()), "5.5.1",
                   "Close with a reason of " + std::to_string(reason.size()) + " bytes of UTF-8",
                   "a Close frame in answer", [reason](WebSocket& s) {
                     s.send_frame({opcode::close, big_endian(1000, 2) + bytes_of(reason)});
                     if (!until_close(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
                       throw Failure("no Close frame in answer (5.5.1)");
                   }));
  for (const char* bad :
       {"80",       "bf",       "c0af",     "c1bf", "e080af", "eda080",  "edbfbf", "f08080af",
        "f4908080", "f5808080", "fe",       "ff",   "c3",     "e282",    "f09f90", "61c3",
        "c328",     "e28228",   "f0288cbc", "c0",   "e08080", "f8888080"})
    cases.push_back(frame_case(std::string("close-utf8-") + bad, "5.5.1, 8.1",
                               std::string("Close with the reason ") + bad + ", which is not UTF-8",
                               "Close 1007 or 1002", [bad](WebSocket& s) {
                                 s.send_frame({opcode::close, big_endian(1000, 2) + unhex(bad)});
                                 if (!until_close(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
                                   throw NonStrict("the connection closed without a Close frame");
                                 if (s.close_status() != 1007 && s.close_status() != 1002)
                                   throw NonStrict("the invalid reason was taken");
                               }));
  for (const std::uint8_t op : {opcode::binary, opcode::ping, opcode::continuation})
    cases.push_back(frame_case("after-close-" + std::to_string(op), "5.5.1", "a frame after Close",
                               "a Close frame, and no answer to what came after",
                               [op](WebSocket& s) {
                                 s.send_frame({opcode::close, big_endian(1000, 2)});
                                 const Bytes probe = random_bytes(6);
                                 s.send_frame({op, op == opcode::binary ? hello() : probe});
                                 bool closed = false;
                                 while (const auto got = s.read_frame()) {
                                   expect(!closed, "no frame after Close");
                                   closed = got->op == opcode::close;
                                   if (!closed)
                                     throw Failure("the server answers what came after Close");
                                 }
                                 expect(closed, "a Close frame");
                               }));
  cases.push_back(frame_case("close-then-end", "7.1.1", "Close, and waits",
                             "a Close frame, then the server ends the TCP connection first",
                             [](WebSocket& s) {
                               s.send_frame({opcode::close, big_endian(1000, 2)});
                               if (!until_close(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
                                 throw Failure("no Close frame in answer (5.5.1)");
                               if (s.read_frame(8'000)) throw Failure("a frame after Close");
                             }));
  cases.push_back(frame_case("half-open", "7.1.1", "ends its direction of the connection",
                             "the server ends its own", [](WebSocket& s) {
                               s.stream().end_writing();
                               while (s.read_frame(8'000)) {
                               }
                             }));
  for (const char* text : {"", "hello", "\xc3\x28", "{}"})
    cases.push_back(frame_case(
        "text-" + std::to_string(std::string(text).size()) + hex(bytes_of(text)).substr(0, 4),
        "5.6, SES-040", "a text message",
        "Close 1003, or the protocol's Close(malformed); no Challenge", [text](WebSocket& s) {
          s.send_frame({opcode::text, bytes_of(text)});
          const auto got = s.read_frame();
          if (got && got->op == opcode::binary) {
            expect(Frame::close_code(got->payload) == Code::malformed, "Close(malformed)");
            return;
          }
          if (!got) throw NonStrict("the connection closed without a Close frame");
          if (s.close_status() != 1003 && s.close_status() != 1007)
            throw NonStrict("another status than 1003");
        }));
}

}  // namespace

Cases rfc6455_cases() {
  Cases cases;
  pings(cases);
  fragments(cases);
  reserved(cases);
  control(cases);
  lengths(cases);
  closing(cases);
  return cases;
}

}  // namespace conformance

// The opening handshake of RFC 6455 (section 4.2): what a server must refuse, and what it must not
// mind.
#include <openssl/sha.h>
#include <sodium.h>

#include "conformance/runner/run.h"
#include "conformance/transport/websocket.h"

namespace conformance {
namespace {

using Change = std::function<Upgrade(Upgrade)>;

std::string accept_of(const std::string& key) {
  const std::string input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::uint8_t digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const std::uint8_t*>(input.data()), input.size(), digest);
  char text[64];
  sodium_bin2base64(text, sizeof text, digest, sizeof digest, sodium_base64_VARIANT_ORIGINAL);
  return text;
}

Case upgrade(std::string id, std::string section, std::string steps, std::string expects,
             Change change, bool good, std::vector<int> statuses = {}) {
  return {.id = "rfc6455.upgrade-" + std::move(id),
          .steps = "Section " + section + ": " + steps,
          .expects = std::move(expects),
          .run =
              [change = std::move(change), good, statuses](Run& t) {
                const Upgrade request = change(Upgrade::good(*t.settings.websocket));
                WebSocket socket(*t.settings.websocket, request);
                const int status = socket.answer().status;
                if (good) {
                  if (status != 101)
                    throw Failure("HTTP status " + std::to_string(status) + " instead of 101");
                  return;
                }
                if (status == 101) throw Failure("the upgrade was granted");
                if (status == 0) throw NonStrict("the connection closed without an HTTP answer");
                if (!statuses.empty() &&
                    std::find(statuses.begin(), statuses.end(), status) == statuses.end())
                  throw NonStrict("HTTP status " + std::to_string(status));
              },
          .ways = kBound,
          .profile = "websocket"};
}

}  // namespace

Cases rfc6455_upgrade_cases() {
  Cases cases;
  const auto refused = [&](std::string id, std::string section, std::string steps, Change change,
                           std::vector<int> statuses = {}) {
    cases.push_back(upgrade(std::move(id), std::move(section), std::move(steps),
                            "an HTTP error, and no 101", std::move(change), false,
                            std::move(statuses)));
  };
  const auto granted = [&](std::string id, std::string section, std::string steps, Change change) {
    cases.push_back(upgrade(std::move(id), std::move(section), std::move(steps), "101",
                            std::move(change), true));
  };
  const auto header = [](std::string name, std::string value) -> Change {
    return [=](Upgrade u) { return u.with(name, value); };
  };
  const auto without = [](std::string name) -> Change {
    return [=](Upgrade u) { return u.without(name); };
  };

  cases.push_back(
      {.id = "rfc6455.upgrade-accept",
       .steps = "Section 4.2.2: a right request",
       .expects =
           "101, Upgrade: websocket, Connection: Upgrade, and the Sec-WebSocket-Accept of the key",
       .run =
           [](Run& t) {
             const Upgrade request = Upgrade::good(*t.settings.websocket);
             WebSocket socket(*t.settings.websocket, request);
             equal(socket.answer().status, 101, "HTTP status");
             std::string key;
             for (const auto& [name, value] : request.headers)
               if (name == "Sec-WebSocket-Key") key = value;
             if (socket.answer().header("Sec-WebSocket-Accept") != accept_of(key))
               throw Failure("Sec-WebSocket-Accept is wrong");
             for (const char* name : {"Upgrade", "Connection"})
               if (socket.answer().header(name).empty())
                 throw Failure(std::string("no header ") + name);
           },
       .ways = kBound,
       .profile = "websocket"});
  for (const char* method : {"POST", "PUT", "HEAD", "OPTIONS", "get"})
    refused(std::string("method-") + method, "4.1", std::string("the method ") + method,
            [method](Upgrade u) {
              u.method = method;
              return u;
            });
  for (const char* version : {"HTTP/1.0", "HTTP/0.9", "HTTP/2.0"})
    refused(std::string("http-") + std::string(version).substr(5), "4.1", version,
            [version](Upgrade u) {
              u.version = version;
              return u;
            });
  refused("no-upgrade", "4.2.1", "no Upgrade header", without("Upgrade"));
  refused("other-upgrade", "4.2.1", "Upgrade: h2c", header("Upgrade", "h2c"));
  refused("no-connection", "4.2.1", "no Connection header", without("Connection"));
  refused("connection-keep-alive", "4.2.1", "Connection: keep-alive alone",
          header("Connection", "keep-alive"));
  refused("no-key", "4.2.1", "no Sec-WebSocket-Key", without("Sec-WebSocket-Key"));
  refused("no-version", "4.2.1", "no Sec-WebSocket-Version", without("Sec-WebSocket-Version"));
  for (const char* version : {"0", "7", "8", "12", "14", "99", "-1", "x"})
    refused(std::string("version-") + version, "4.4",
            std::string("Sec-WebSocket-Version: ") + version,
            header("Sec-WebSocket-Version", version), {426, 400});
  refused("no-host", "4.2.1", "no Host header", without("Host"));
  for (const auto& [name, key] : {std::pair{"empty", ""},
                                  {"short", "c2hvcnQ="},
                                  {"long", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5"},
                                  {"no-base64", "!!!!!!!!!!!!!!!!!!!!!!=="}})
    cases.push_back({.id = std::string("rfc6455.upgrade-key-") + name,
                     .steps = "Section 4.2.1: a Sec-WebSocket-Key that is not 16 bytes in base64",
                     .expects = "an HTTP error; 101 is tolerated by many and non-strict",
                     .run =
                         [k = std::string(key)](Run& t) {
                           WebSocket socket(
                               *t.settings.websocket,
                               Upgrade::good(*t.settings.websocket).with("Sec-WebSocket-Key", k));
                           if (socket.answer().status == 101)
                             throw NonStrict("the upgrade was granted");
                           if (socket.answer().status == 0)
                             throw NonStrict("the connection closed without an HTTP answer");
                         },
                     .ways = kBound,
                     .profile = "websocket"});
  for (const char* value : {"WebSocket", "WEBSOCKET", "webSocket"})
    granted(std::string("upgrade-") + value, "4.2.1", std::string("Upgrade: ") + value,
            header("Upgrade", value));
  for (const auto& [name, value] : {std::pair{"lower", "upgrade"},
                                    {"list", "keep-alive, Upgrade"},
                                    {"spaced", "keep-alive ,  upgrade"}})
    granted(std::string("connection-") + name, "4.2.1", std::string("Connection: ") + value,
            header("Connection", value));
  granted("more-headers", "4.1", "fifty headers that say nothing", [](Upgrade u) {
    for (int i = 0; i < 50; ++i)
      u.headers.emplace_back("X-Nothing-" + std::to_string(i), "x");
    return u;
  });
  granted("lower-case-names", "4.2.1", "header names in lower case", [](Upgrade u) {
    for (auto& [name, value] : u.headers)
      for (char& c : name)
        c = static_cast<char>(std::tolower(c));
    return u;
  });
  granted("extensions-ignored", "9.1", "extensions that the server does not know",
          header("Sec-WebSocket-Extensions",
                 "x-unknown; a=1, permessage-deflate; client_max_window_bits=8"));
  granted("cookies", "4.1", "a Cookie and an Authorization header",
          [](Upgrade u) { return u.with("Cookie", "a=b").with("Authorization", "Basic eDp5"); });
  cases.push_back({.id = "rfc6455.upgrade-plain-http",
                   .steps = "A GET without any header of WebSocket",
                   .expects = "an HTTP error",
                   .run =
                       [](Run& t) {
                         Upgrade request = Upgrade::good(*t.settings.websocket);
                         request.headers.resize(1);
                         WebSocket socket(*t.settings.websocket, request);
                         if (socket.answer().status == 0)
                           throw NonStrict("the connection closed without an HTTP answer");
                         expect(socket.answer().status >= 400, "an HTTP error");
                       },
                   .ways = kBound,
                   .profile = "websocket"});
  for (const std::size_t size : {70'000, 2'000'000})
    cases.push_back(
        {.id = "rfc6455.upgrade-huge-header-" + std::to_string(size),
         .steps = "A request with a header of " + std::to_string(size) + " bytes, without an end",
         .expects = "an HTTP error or the end of the connection within 10 s",
         .run =
             [size](Run& t) {
               Stream stream(*t.settings.websocket);
               stream.write(bytes_of("GET / HTTP/1.1\r\nX: "));
               stream.write(Bytes(size, 'a'));
               stream.read_some(10'000);
             },
         .ways = kBound,
         .profile = "websocket"});
  cases.push_back(
      {.id = "rfc6455.upgrade-frames-early",
       .steps = "Sends a Hello before the answer to its request",
       .expects = "101 and then a Challenge",
       .run =
           [](Run& t) {
             Upgrade request = Upgrade::good(*t.settings.websocket);
             Handshake h = t.handshake(t.stranger());
             const Bytes hello = frame(h.hello());
             Stream stream(*t.settings.websocket);
             stream.write(bytes_of(request.text()) + WsFrame{opcode::binary, hello}.encode());
             Bytes got;
             while (got.size() < 400) {
               const Bytes more = stream.read_some();
               if (more.empty())
                 throw NonStrict("the connection closed: frames before the answer are dropped");
               got = std::move(got) + more;
             }
           },
       .ways = kBound,
       .profile = "websocket"});
  return cases;
}

}  // namespace conformance

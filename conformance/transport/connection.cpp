#include "conformance/transport/connection.h"

#include <regex>

#include "conformance/runner/failure.h"
#include "conformance/transport/websocket.h"
#include "conformance/transport/zeromq.h"

namespace conformance {

Endpoint Endpoint::parse(const std::string& text) {
  static const std::regex kForm(R"((wss|ws|tcp)://([^:/?]+):(\d+)(?:/?|\?curve=([0-9a-f]{64})))");
  std::smatch match;
  if (!std::regex_match(text, match, kForm) || (match[1] == "tcp") != match[4].matched)
    throw Failure("not an endpoint: " + text);
  return {text, match[1], match[2], std::stoi(match[3]),
          match[4].matched ? unhex(match[4].str()) : Bytes()};
}

std::unique_ptr<Connection> dial(const Endpoint& endpoint) {
  if (endpoint.websocket()) return std::make_unique<WebSocket>(endpoint);
  return std::make_unique<ZeroMq>(endpoint);
}

}  // namespace conformance

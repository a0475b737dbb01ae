#include "conformance/transport/websocket.h"

#include <sodium.h>
#include <strings.h>

#include "conformance/runner/failure.h"
#include "conformance/wire/crypto.h"

namespace conformance {

Bytes WsFrame::encode() const {
  const std::uint64_t length = length_told.value_or(payload.size());
  int form = length_bytes;
  if (form == 0) form = length < 126 ? 1 : length < 65536 ? 2 : 8;
  Bytes out{static_cast<std::uint8_t>((fin ? 0x80 : 0) | (rsv << 4) | op)};
  const std::uint8_t mask_bit = masked ? 0x80 : 0;
  out.push_back(static_cast<std::uint8_t>(mask_bit | (form == 1 ? length : form == 2 ? 126 : 127)));
  if (form != 1) out = std::move(out) + big_endian(length, form);
  if (!masked) return std::move(out) + payload;
  const Bytes key = mask ? *mask : random_bytes(4);
  out = std::move(out) + key;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out.push_back(payload[i] ^ key[i % 4]);
  return out;
}

Upgrade Upgrade::good(const Endpoint& endpoint) {
  const Bytes key = random_bytes(16);
  std::string encoded(sodium_base64_encoded_len(16, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(encoded.data(), encoded.size(), key.data(), key.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  encoded.pop_back();
  Upgrade request;
  request.headers = {{"Host", endpoint.host + ":" + std::to_string(endpoint.port)},
                     {"Upgrade", "websocket"},
                     {"Connection", "Upgrade"},
                     {"Sec-WebSocket-Key", encoded},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Protocol", "sealwire.0"}};
  return request;
}

Upgrade Upgrade::without(const std::string& name) const {
  Upgrade changed = *this;
  std::erase_if(changed.headers, [&](const auto& header) { return header.first == name; });
  return changed;
}

Upgrade Upgrade::with(const std::string& name, const std::string& value) const {
  Upgrade changed = *this;
  for (auto& header : changed.headers)
    if (header.first == name) {
      header.second = value;
      return changed;
    }
  changed.headers.emplace_back(name, value);
  return changed;
}

std::string Upgrade::text() const {
  std::string text = method + " " + target + " " + version + "\r\n";
  for (const auto& [name, value] : headers)
    text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

std::string HttpAnswer::header(const std::string& name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string line = head.substr(at + 2, end - at - 2);
    const std::size_t colon = line.find(':');
    if (colon == name.size() && strncasecmp(line.c_str(), name.c_str(), colon) == 0) {
      const std::size_t value = line.find_first_not_of(' ', colon + 1);
      return value == std::string::npos ? "" : line.substr(value);
    }
    at = end;
  }
  return {};
}

WebSocket::WebSocket(const Endpoint& endpoint, int tls_version)
    : WebSocket(endpoint, Upgrade::good(endpoint), tls_version) {
  if (answer_.status != 101)
    throw Failure("the upgrade was answered with HTTP status " + std::to_string(answer_.status));
}

WebSocket::WebSocket(const Endpoint& endpoint, const Upgrade& request, int tls_version)
    : stream_(endpoint, tls_version) {
  stream_.write(bytes_of(request.text()));
  static constexpr std::string_view kEnd = "\r\n\r\n";
  for (;;) {
    const auto end = std::search(buffer_.begin(), buffer_.end(), kEnd.begin(), kEnd.end());
    if (end != buffer_.end()) {
      answer_.head.assign(buffer_.begin(), end);
      buffer_.erase(buffer_.begin(), end + kEnd.size());
      break;
    }
    const Bytes more = stream_.read_some();
    if (more.empty()) return;  // status 0: no answer at all
    buffer_ = std::move(buffer_) + more;
  }
  if (answer_.head.starts_with("HTTP/1.1 ") && answer_.head.size() >= 12)
    answer_.status = std::atoi(answer_.head.c_str() + 9);
}

bool WebSocket::fill(std::size_t bytes, int wait_ms) {
  while (buffer_.size() < bytes) {
    const Bytes more = stream_.read_some(wait_ms);
    if (more.empty()) return false;
    buffer_ = std::move(buffer_) + more;
  }
  return true;
}

std::optional<WebSocket::Incoming> WebSocket::read_frame(int wait_ms) {
  if (!fill(2, wait_ms)) return std::nullopt;
  const std::uint8_t first = buffer_[0], second = buffer_[1];
  if ((first & 0x70) != 0) throw Failure("the target set a reserved bit (SES-040: no extensions)");
  if ((second & 0x80) != 0) throw Failure("the target masked a frame (RFC 6455 section 5.1)");
  const int form = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
  if (!fill(2 + form, wait_ms)) return std::nullopt;
  std::uint64_t length = second & 0x7f;
  if (form != 0) length = 0;
  for (int i = 0; i < form; ++i)
    length = length << 8 | buffer_[2 + i];
  if (length > (16u << 20)) throw Failure("the target sent a frame of " + std::to_string(length));
  if (!fill(2 + form + length, wait_ms)) return std::nullopt;
  const auto start = buffer_.begin() + 2 + form;
  Incoming incoming{static_cast<std::uint8_t>(first & 0x0f), (first & 0x80) != 0,
                    Bytes(start, start + static_cast<long>(length))};
  buffer_.erase(buffer_.begin(), start + static_cast<long>(length));
  if (incoming.op == opcode::close && incoming.payload.size() >= 2)
    close_status_ = incoming.payload[0] << 8 | incoming.payload[1];
  return incoming;
}

void WebSocket::send(View message) {
  send_frame({opcode::binary, copy(message)});
}

std::optional<Bytes> WebSocket::receive(int wait_ms) {
  Bytes message;
  for (;;) {
    const auto frame = read_frame(wait_ms);
    if (!frame || frame->op == opcode::close) return std::nullopt;
    if (frame->op == opcode::ping) {
      send_frame({opcode::pong, frame->payload});
      continue;
    }
    if (frame->op == opcode::pong) continue;
    if (frame->op == opcode::text) throw Failure("the target sent a text message (SES-040)");
    message = std::move(message) + frame->payload;
    if (frame->fin) return message;
  }
}

void WebSocket::close() {
  send_frame({opcode::close, big_endian(1000, 2)});
  stream_.drop();
}

}  // namespace conformance

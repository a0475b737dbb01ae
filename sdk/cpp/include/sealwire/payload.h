// What an application says: some bytes and what they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sealwire {

enum class PayloadKind : std::uint8_t { message = 0, request = 1, reply = 2, error = 3 };

/// Bytes with a media type (RFC 6838). Text converts by itself: `agent.send("bob", "hello")`.
struct Payload {
  std::string media_type = "text/plain;charset=utf-8";
  std::vector<std::uint8_t> data;

  Payload() = default;
  Payload(std::string_view text) : data(text.begin(), text.end()) {}     // NOLINT
  Payload(const char* text) : Payload(std::string_view(text)) {}         // NOLINT
  Payload(const std::string& text) : Payload(std::string_view(text)) {}  // NOLINT

  static Payload json(std::string_view text) {
    Payload payload(text);
    payload.media_type = "application/json";
    return payload;
  }
  static Payload bytes(std::string media_type, std::vector<std::uint8_t> data) {
    Payload payload;
    payload.media_type = std::move(media_type);
    payload.data = std::move(data);
    return payload;
  }
  /// The bytes as text. Valid as long as the payload; nothing is checked or converted.
  std::string_view text() const {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
  }
};

}  // namespace sealwire

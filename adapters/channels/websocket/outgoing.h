// Outgoing WebSocket frames (RFC 6455 section 5.2), several in one buffer: one write and one TLS
// record serve all that waited, and a frame is copied once. C++17, part of the engine.
#pragma once

#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <string>
#include <websocketpp/frame.hpp>

namespace sealwire::channel::websocket {

inline void mask_in_place(char* data, std::size_t size, const std::array<char, 4>& key) {
  std::uint64_t wide = 0;
  std::memcpy(&wide, key.data(), 4);
  std::memcpy(reinterpret_cast<char*>(&wide) + 4, key.data(), 4);
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, 8);
    word ^= wide;
    std::memcpy(data + i, &word, 8);
  }
  for (; i < size; ++i)
    data[i] = static_cast<char>(data[i] ^ key[i % 4]);
}

/// Appends one unfragmented frame; `masked` as a client must.
inline void append_frame(std::string& out, websocketpp::frame::opcode::value opcode,
                         const void* data, std::size_t size, bool masked) {
  namespace frame = websocketpp::frame;
  const frame::basic_header basic(opcode, size, true, masked);
  if (!masked) {
    out += frame::prepare_header(basic, frame::extended_header(size));
    out.append(static_cast<const char*>(data), size);
    return;
  }
  // The mask keeps proxies from being misled (RFC 6455 section 10.3): fresh for every frame.
  std::array<char, 4> key{};
  RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), key.size());
  std::uint32_t key_word = 0;
  std::memcpy(&key_word, key.data(), key.size());
  out += frame::prepare_header(basic, frame::extended_header(size, key_word));
  const auto start = out.size();
  out.append(static_cast<const char*>(data), size);
  mask_in_place(out.data() + start, size, key);
}

}  // namespace sealwire::channel::websocket

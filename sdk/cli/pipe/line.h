// The lines of `sealwire pipe` (docs/pipe.md): what a program may ask, parsed strictly, and content
// as JSON shows it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "protocol/bytes.h"
#include "protocol/error.h"

namespace sealwire::cli {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kPipeLineBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kPipeRefBytes = 128;
inline constexpr std::size_t kPipeUnacknowledged = 64;
inline constexpr std::uint64_t kPipeDeadlineMs = 30'000;
inline constexpr std::uint64_t kPipeDrainMs = 10'000;

/// Bytes and what they are.
struct Typed {
  std::string media_type = "text/plain";
  Bytes data;
  friend bool operator==(const Typed&, const Typed&) = default;
};

enum class Op : std::uint8_t { send, request, reply, ack, peers };

struct Operation {
  Op op = Op::send;
  std::string ref;
  std::string to;       // send, request
  std::string message;  // reply, ack
  Typed content;        // send, request, reply
  std::uint64_t deadline_ms = kPipeDeadlineMs;
};

/// What is wrong with a line, and its `ref` if that much of it could be read.
struct LineError {
  std::string cause;
  std::string ref;
};

tl::expected<Operation, LineError> parse_operation(std::string_view line);

/// JSON no deeper than 64; empty on anything else. (The library's writer recurses: a line of a
/// million brackets would end the process.)
std::optional<Json> parse_json(std::string_view text);

/// Adds `media_type`, and the data as `text`, `json` or `base64`, to `event`.
void put_content(Json& event, const Typed& content);

}  // namespace sealwire::cli

// Text in and out of the command line: what others wrote cannot drive a terminal, and durations and
// times have one spelling.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/time.h"

namespace sealwire::cli {

/// `text` with every control character except newline and tab, every C1 control, every
/// bidirectional override and every byte that is not UTF-8 shown as an escape such as \x1b.
std::string printable(std::string_view text);

bool is_utf8(std::string_view text);

/// "1500ms", "90s", "5m", "1h", "7d"; a bare number means seconds. At most 365 days.
Result<std::uint64_t> parse_duration_ms(std::string_view text);
/// The largest unit that says it exactly: "90s", "1h".
std::string duration_text(std::uint64_t ms);

/// "2026-01-02T03:04:05.678Z" (RFC 3339).
std::string time_text(UnixMillis time);

/// `value` as one line with its newline; bytes that are not UTF-8 become U+FFFD.
std::string to_line(const nlohmann::ordered_json& value);

/// Base64 with padding (RFC 4648 section 4): what other languages' libraries read by default.
std::string base64(ByteSpan bytes);
/// Empty on anything but the one encoding of some bytes.
std::optional<Bytes> parse_base64(std::string_view text);

}  // namespace sealwire::cli

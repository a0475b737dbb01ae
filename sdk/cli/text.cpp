#include "sdk/cli/text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>

namespace sealwire::cli {
namespace {

struct Decoded {
  char32_t point = 0;
  std::size_t size = 0;  // 0: not UTF-8
};

// RFC 3629: shortest form, no surrogates, nothing above U+10FFFF.
Decoded decode_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (size == 0 || lead > 0xF4 || text.size() < size) return {};
  char32_t point = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return {};
    point = (point << 6U) | (at(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast.at(size) || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
    return {};
  return {point, size};
}

bool drives_terminal(char32_t point) {
  return (point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7F && point < 0xA0) ||
         point == 0x061C || point == 0x200E || point == 0x200F ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

struct Unit {
  std::string_view name;
  std::uint64_t ms;
};
constexpr auto kUnits = std::to_array<Unit>(
    {{"d", kDayMs}, {"h", kHourMs}, {"m", kMinuteMs}, {"s", kSecondMs}, {"ms", 1}});

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (next.size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (!drives_terminal(next.point))
      out += text.substr(0, next.size);
    else if (next.point < 0x100)
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(next.point));
    else
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(next.point));
    text.remove_prefix(next.size);
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (next.size == 0) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

Result<std::uint64_t> parse_duration_ms(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* found = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
    return candidate.name == (unit.empty() ? "s" : unit);
  });
  if (error != std::errc{} || found == kUnits.end())
    return fail(Errc::config_invalid,
                fmt::format("\"{}\" is not a duration such as 90s or 1h", text));
  if (number > 365 * kDayMs / found->ms)
    return fail(Errc::config_invalid, fmt::format("\"{}\" is more than a year", text));
  return number * found->ms;
}

std::string duration_text(std::uint64_t ms) {
  for (const Unit& unit : kUnits)
    if (ms != 0 && ms % unit.ms == 0) return fmt::format("{}{}", ms / unit.ms, unit.name);
  return "0s";
}

std::string time_text(UnixMillis time) {
  const auto seconds = static_cast<std::time_t>(time.value / kSecondMs);
  std::tm utc{};
  if (gmtime_r(&seconds, &utc) == nullptr) return std::to_string(time.value);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     time.value % kSecondMs);
}

std::string to_line(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string base64(ByteSpan bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
  text.pop_back();  // the terminating zero
  return text;
}

std::optional<Bytes> parse_base64(std::string_view text) {
  Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return std::nullopt;
  bytes.resize(size);
  // libsodium 1.0.18 takes some bytes beyond ASCII for digits.
  if (base64(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace sealwire::cli

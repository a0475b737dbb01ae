#include "broker/config_text.h"

#include <algorithm>

namespace sealwire::broker {
namespace {

// How many of the same character stand at the front of `text`, at most `max`.
std::size_t repeated(std::string_view text, std::size_t max) {
  const std::size_t end = std::min(text.find_first_not_of(text.front()), text.size());
  return std::min(end, max);
}

// The length of the string at the front of `text`, its quotes included. One that is not closed
// ends with its line, or with the text: the parser stops at that error.
std::size_t string_length(std::string_view text) {
  const char quote = text.front();
  const std::size_t opening = repeated(text, 3);
  if (opening == 2) return 2;  // empty
  const bool multi_line = opening == 3;
  std::size_t at = opening;
  while (at < text.size()) {
    if (text[at] == '\\' && quote == '"') {
      at += 2;
    } else if (text[at] == quote) {
      if (!multi_line) return at + 1;
      // Up to two quotes may stand before the three that close.
      const std::size_t quotes = repeated(text.substr(at), 5);
      at += quotes;
      if (quotes >= 3) return at;
    } else if (text[at] == '\n' && !multi_line) {
      return at;
    } else {
      ++at;
    }
  }
  return text.size();
}

}  // namespace

tl::expected<std::string, unsigned> in_ascii(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  std::string ascii;
  ascii.reserve(text.size());
  unsigned line = 1;
  while (!text.empty()) {
    std::size_t size = 1;
    const bool comment = text.front() == '#';
    if (comment) {
      size = std::min(text.find('\n'), text.size());
    } else if (text.front() == '"' || text.front() == '\'') {
      size = std::min(string_length(text), text.size());
    }
    for (const char c : text.substr(0, size)) {
      const bool beyond = static_cast<unsigned char>(c) >= 0x80;
      if (beyond && !comment) return tl::make_unexpected(line);
      ascii += beyond ? '?' : c;
      if (c == '\n') ++line;
    }
    text.remove_prefix(size);
  }
  return ascii;
}

}  // namespace sealwire::broker

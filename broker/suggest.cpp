#include "broker/suggest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace sealwire::broker {
namespace {

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

/// Length of the well-formed UTF-8 sequence (RFC 3629) at the start of `text`, which does not begin
/// with ASCII; 0 if there is none, or if it is a C1 control.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  const std::size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                             : first >= 0xe0 && first <= 0xef ? 3
                             : first >= 0xf0 && first <= 0xf4 ? 4
                                                              : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const unsigned second = byte(1);
  if (first == 0xc2 && second < 0xa0) return 0;   // C1
  if (first == 0xe0 && second < 0xa0) return 0;   // overlong
  if (first == 0xed && second >= 0xa0) return 0;  // surrogates
  if (first == 0xf0 && second < 0x90) return 0;   // overlong
  if (first == 0xf4 && second >= 0x90) return 0;  // above U+10FFFF
  // U+2028, U+2029 end a line for some readers; U+202A…202E and U+2066…2069 turn text round.
  if (first == 0xe2 && second == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) return 0;
  if (first == 0xe2 && second == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9) return 0;
  return length;
}

}  // namespace

std::string closest(std::string_view word, const std::set<std::string, std::less<>>& candidates) {
  if (word.size() > 64) return {};
  std::string best;
  std::size_t best_distance = 3;
  for (const auto& candidate : candidates) {
    const std::size_t edits = distance(word, candidate);
    if (edits < best_distance && edits < candidate.size()) {
      best_distance = edits;
      best = candidate;
    }
  }
  return best;
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool cut = text.size() > bytes_max;
  text = text.substr(0, bytes_max);
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      result += text[at++];
    } else if (const std::size_t length = byte >= 0x80 ? utf8_length(text.substr(at)) : 0;
               length != 0) {
      result += text.substr(at, length);
      at += length;
    } else {
      result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      ++at;
    }
  }
  if (cut) result += "…";
  return result;
}

}  // namespace sealwire::broker

#include "sdk/cli/up/transcript.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLeftColumns = 52;

std::string field(const std::string& line, const std::string& name) {
  const auto at = line.find(" " + name + "=");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 2;
  return line.substr(from, line.find(' ', from) - from);
}

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Columns of UTF-8 text without wide characters.
std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text)
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  return count;
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines{""};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!lines.back().empty() && columns(lines.back()) + 1 + columns(word) > width)
      lines.emplace_back("    ");
    else if (!lines.back().empty())
      lines.back() += ' ';
    lines.back() += word;
    at = end + 1;
  }
  return lines;
}

std::string describe(const Seen& seen) {
  return fmt::format("{:<11} {:>5} B  {}…", seen.kind, seen.bytes, seen.digest.substr(0, 16));
}

bool contains(const std::filesystem::path& file, const std::string& text) {
  std::ifstream stream(file, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(stream), {});
  return content.find(text) != std::string::npos;
}

}  // namespace

std::optional<Seen> parse_seen(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("message") || !json["message"].is_string())
    return std::nullopt;
  const auto message = json["message"].get<std::string>();
  if (!message.starts_with("envelope ")) return std::nullopt;
  return Seen{field(message, "kind"),
              field(message, "id"),
              field(message, "sender"),
              field(message, "conversation"),
              number(field(message, "sequence")),
              number(field(message, "bytes")),
              field(message, "digest")};
}

Transcript::Transcript(std::ostream& out, std::filesystem::path broker_log, bool json)
    : out_(out), log_(std::move(broker_log)), json_(json) {}

void Transcript::headings() {
  if (json_) return;
  const std::string rule(100, '-');
  out_ << fmt::format("{:<{}}{}\n{:<{}}{}\n{}\n", "THE AGENTS", kLeftColumns, "THE BROKER",
                      "said, end-to-end encrypted", kLeftColumns,
                      "saw: kind, size, digest; no text", rule)
       << std::flush;
}

std::vector<Seen> Transcript::take(const std::string& sender) {
  std::ifstream log(log_);
  log.seekg(read_);
  for (std::string line; std::getline(log, line) && !log.eof();) {  // with its end: a whole one
    read_ = log.tellg();
    if (auto envelope = parse_seen(line)) pending_.push_back(std::move(*envelope));
  }
  const auto others = std::stable_partition(
      pending_.begin(), pending_.end(), [&](const Seen& seen) { return seen.sender == sender; });
  std::vector<Seen> taken(std::make_move_iterator(pending_.begin()),
                          std::make_move_iterator(others));
  pending_.erase(pending_.begin(), others);
  return taken;
}

void Transcript::said(const Speaker& from, const std::string& to, const std::string& text) {
  texts_.insert(text);
  const std::vector<Seen> seen = take(from.instance);
  if (json_) {
    Json envelopes = Json::array();
    for (const Seen& each : seen)
      envelopes.push_back({{"kind", each.kind},
                           {"id", each.id},
                           {"sender", each.sender},
                           {"conversation", each.conversation},
                           {"sequence", each.sequence},
                           {"bytes", each.bytes},
                           {"digest", each.digest}});
    out_ << to_line({{"event", "said"},
                     {"from", from.name},
                     {"to", to},
                     {"text", text},
                     {"broker_saw", envelopes}})
         << std::flush;
    return;
  }
  const auto left =
      wrap(fmt::format("{} → {}: {}", from.name, to, printable(text)), kLeftColumns - 2);
  for (std::size_t i = 0; i < std::max(left.size(), seen.size()); ++i) {
    const std::string said = i < left.size() ? left[i] : "";
    const std::string saw = i < seen.size() ? describe(seen[i]) : "";
    out_ << said;
    if (!saw.empty()) out_ << std::string(kLeftColumns - columns(said), ' ') << saw;
    out_ << '\n';
  }
  out_ << std::flush;
}

bool Transcript::search(const std::filesystem::path& folder) {
  std::uintmax_t bytes = 0;
  std::size_t files = 0;
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error)) continue;
    ++files;
    bytes += entry.file_size(error);
    for (const std::string& text : texts_)
      if (contains(entry.path(), text)) found.push_back(entry.path().string());
  }
  if (json_) {
    out_ << to_line({{"event", "searched"},
                     {"files", files},
                     {"bytes", bytes},
                     {"texts", texts_.size()},
                     {"found_in", found}});
  } else {
    out_ << fmt::format(
                "\nEvery file of the broker, its store and its log ({} files, {} bytes), was "
                "searched "
                "for\nthe {} texts above: ",
                files, bytes, texts_.size())
         << (found.empty() ? "none is there.\n" : "FOUND in " + found.front() + "\n");
  }
  out_ << std::flush;
  return found.empty();
}

}  // namespace sealwire::cli

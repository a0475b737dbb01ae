#include "sdk/cli/pipe/line.h"

#include <fmt/format.h>

#include <array>

#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

constexpr std::size_t kJsonDepth = 64;

struct OpRow {
  Op op;
  std::string_view name;
  bool to;
  bool message;
  bool content;
  bool deadline;
};
constexpr auto kOps = std::to_array<OpRow>({
    {Op::send, "send", true, false, true, false},
    {Op::request, "request", true, false, true, true},
    {Op::reply, "reply", false, true, true, false},
    {Op::ack, "ack", false, true, false, false},
    {Op::peers, "peers", false, false, false, false},
});

bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string) {
      if (text[i] == '\\')
        ++i;  // whatever it escapes is not the end
      else if (text[i] == '"')
        in_string = false;
      continue;
    }
    if (text[i] == '"') in_string = true;
    if ((text[i] == '[' || text[i] == '{') && ++depth > kJsonDepth) return true;
    if ((text[i] == ']' || text[i] == '}') && depth > 0) --depth;
  }
  return false;
}

bool is_type(std::string_view media_type, std::string_view wanted) {
  const std::string_view essence = media_type.substr(0, media_type.find(';'));
  return essence == wanted;
}
bool is_json(std::string_view media_type) {
  const std::string_view essence = media_type.substr(0, media_type.find(';'));
  return essence == "application/json" || essence.ends_with("+json");
}

class Members {
 public:
  explicit Members(Json object) : object_(std::move(object)) {}

  /// Takes the string `name`; its absence is an error only where `required`.
  std::string text(const std::string& name, bool required) {
    const auto found = object_.find(name);
    if (found == object_.end()) {
      if (required) complain(fmt::format("\"{}\" is missing", name));
      return {};
    }
    std::string value;
    if (found->is_string())
      value = found->get<std::string>();
    else
      complain(fmt::format("\"{}\" is not a string", name));
    object_.erase(found);
    return value;
  }
  std::optional<Json> any(const std::string& name) {
    const auto found = object_.find(name);
    if (found == object_.end()) return std::nullopt;
    Json value = *found;
    object_.erase(found);
    return value;
  }
  void complain(std::string cause) {
    if (cause_.empty()) cause_ = std::move(cause);
  }
  /// The first complaint; members that nobody took are one.
  std::string verdict(std::string_view op) {
    if (!object_.empty())
      complain(fmt::format("\"{}\" is not a member of \"{}\"", object_.begin().key(), op));
    return cause_;
  }

 private:
  Json object_;
  std::string cause_;
};

Typed take_content(Members& members) {
  Typed content;
  int given = 0;
  if (auto text = members.any("text")) {
    ++given;
    if (text->is_string())
      content.data = to_bytes(as_bytes(text->get_ref<const std::string&>()));
    else
      members.complain("\"text\" is not a string");
  }
  if (auto json = members.any("json")) {
    ++given;
    content = {"application/json", to_bytes(as_bytes(json->dump()))};
  }
  if (auto base64 = members.any("base64")) {
    ++given;
    auto bytes =
        base64->is_string() ? parse_base64(base64->get_ref<const std::string&>()) : std::nullopt;
    if (!bytes) members.complain("\"base64\" is not base64 with padding");
    content = {"application/octet-stream", std::move(bytes).value_or(Bytes{})};
  }
  if (given != 1) members.complain("one of \"text\", \"json\" and \"base64\" is wanted");
  if (std::string type = members.text("media_type", false); !type.empty())
    content.media_type = std::move(type);
  return content;
}

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
  if (too_deep(text)) return std::nullopt;
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

tl::expected<Operation, LineError> parse_operation(std::string_view line) {
  auto json = parse_json(line);
  if (!json || !json->is_object()) return tl::unexpected(LineError{"not a JSON object", {}});
  Members members(std::move(*json));
  Operation operation;
  operation.ref = members.text("ref", false);
  if (operation.ref.size() > kPipeRefBytes) {
    operation.ref.clear();
    members.complain(fmt::format("\"ref\" is longer than {} bytes", kPipeRefBytes));
  }
  const std::string op = members.text("op", true);
  const auto* row =
      std::find_if(kOps.begin(), kOps.end(), [&](const OpRow& r) { return r.name == op; });
  if (row == kOps.end()) {
    members.complain(fmt::format("\"{}\" is not an operation", op));
    return tl::unexpected(LineError{members.verdict(op), operation.ref});
  }
  operation.op = row->op;
  if (row->to) operation.to = members.text("to", true);
  if (row->message) operation.message = members.text("message", true);
  if (row->content) operation.content = take_content(members);
  if (row->deadline) {
    if (const auto deadline = members.any("deadline_ms")) {
      if (deadline->is_number_unsigned() && *deadline > 0 && *deadline <= 86'400'000)
        operation.deadline_ms = deadline->get<std::uint64_t>();
      else
        members.complain("\"deadline_ms\" is not a number from 1 to 86400000");
    }
  }
  if (std::string cause = members.verdict(op); !cause.empty())
    return tl::unexpected(LineError{std::move(cause), operation.ref});
  return operation;
}

void put_content(Json& event, const Typed& content) {
  event["media_type"] = content.media_type;
  const std::string_view text = as_text(content.data);
  if (is_json(content.media_type)) {
    if (auto json = parse_json(text)) {
      event["json"] = std::move(*json);
      return;
    }
  }
  const bool texty = content.media_type.starts_with("text/") || is_json(content.media_type) ||
                     is_type(content.media_type, "application/xml");
  if (texty && is_utf8(text))
    event["text"] = text;
  else
    event["base64"] = base64(content.data);
}

}  // namespace sealwire::cli

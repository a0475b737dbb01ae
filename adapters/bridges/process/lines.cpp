#include "adapters/bridges/process/lines.h"

#include <climits>

#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::bridge {
namespace {

using cli::Json;

// Takes members one by one; what nobody took is an error, so that a typing mistake does not pass
// for a default.
class Members {
 public:
  explicit Members(Json object) : object_(std::move(object)) {}

  bool has(const char* name) const { return object_.contains(name); }
  std::string text(const char* name, bool required = true) {
    return take<std::string>(name, required, "a string",
                             [](const Json& j) { return j.is_string(); });
  }
  std::uint64_t number(const char* name) {
    return take<std::uint64_t>(name, false, "a number from 0",
                               [](const Json& j) { return j.is_number_unsigned(); });
  }
  bool flag(const char* name) {
    return take<bool>(name, false, "true or false", [](const Json& j) { return j.is_boolean(); });
  }
  std::map<std::string, std::string> texts(const char* name) {
    std::map<std::string, std::string> all;
    Json object = take<Json>(name, false, "an object", [](const Json& j) { return j.is_object(); });
    for (const auto& [key, value] : object.items()) {
      if (!value.is_string()) complain(std::string(name) + " has a member that is not a string");
      if (value.is_string()) all.emplace(key, value.get<std::string>());
    }
    return all;
  }
  std::vector<std::string> list(const char* name) {
    std::vector<std::string> all;
    const Json array =
        take<Json>(name, false, "a list", [](const Json& j) { return j.is_array(); });
    for (const Json& each : array) {
      if (!each.is_string()) complain(std::string(name) + " has a member that is not a string");
      if (each.is_string()) all.push_back(each.get<std::string>());
    }
    return all;
  }
  /// One of `text`, `json`, `base64`.
  Bytes bytes(bool required) {
    const int given = int{has("text")} + int{has("json")} + int{has("base64")};
    if (given > 1 || (required && given == 0))
      complain("one of \"text\", \"json\" and \"base64\" is wanted");
    if (has("text")) return to_bytes(as_bytes(text("text")));
    if (has("json")) {
      const std::string dumped = object_["json"].dump();
      object_.erase("json");
      return to_bytes(as_bytes(dumped));
    }
    if (!has("base64")) return {};
    auto decoded = cli::parse_base64(text("base64"));
    if (!decoded) complain("\"base64\" is not base64 with padding");
    return std::move(decoded).value_or(Bytes{});
  }
  Content content() {
    Content content;
    if (has("json")) content.media_type = "application/json";
    if (has("base64")) content.media_type = "application/octet-stream";
    content.data = bytes(true);
    if (has("media_type")) content.media_type = text("media_type");
    return content;
  }
  Result<> done() {
    if (!object_.empty()) complain("\"" + object_.begin().key() + "\" is no member here");
    if (!cause_.empty()) return fail(Errc::config_invalid, cause_);
    return {};
  }

 private:
  template <class T, class Is>
  T take(const char* name, bool required, const char* what, Is is) {
    const auto found = object_.find(name);
    if (found == object_.end()) {
      if (required) complain("\"" + std::string(name) + "\" is missing");
      return T{};
    }
    T value{};
    if (is(*found))
      value = found->template get<T>();
    else
      complain("\"" + std::string(name) + "\" is not " + what);
    object_.erase(found);
    return value;
  }
  void complain(std::string cause) {
    if (cause_.empty()) cause_ = std::move(cause);
  }
  Json object_;
  std::string cause_;
};

Result<Said> take(const std::string& op, Members& m) {
  // Braced initialisers take their members from left to right.
  if (op == "hello")
    return Hello{m.number("contract"),   m.text("name"), m.flag("pair"),
                 m.flag("ask"),          m.flag("hook"), m.number("chat_interval_ms"),
                 m.number("interval_ms")};
  if (op == "receive") return Receive{m.text("id"), m.text("chat"), m.text("user"), m.content()};
  if (op == "pair") return Pair{m.text("id"), m.text("chat"), m.text("user"), m.text("code")};
  if (op == "answer")
    return Answer{m.text("id"), m.text("chat"), m.text("user"), m.text("delivery"),
                  m.number("choice")};
  if (op == "delivered") return Delivered{m.text("delivery")};
  if (op == "failed")
    return Failed{m.text("delivery"), m.flag("permanent"), m.number("retry_after_ms"),
                  m.text("cause", false)};
  if (op == "moved") return Moved{m.text("chat"), m.text("to")};
  if (op == "hooked")
    return Hooked{m.text("ref"),
                  static_cast<unsigned>(std::min<std::uint64_t>(m.number("status"), UINT_MAX))};
  if (op == "fetch") {
    Fetch fetch;
    fetch.ref = m.text("ref");
    fetch.url = m.text("url");
    if (m.has("method")) fetch.method = m.text("method");
    if (m.has("timeout_ms")) fetch.timeout_ms = m.number("timeout_ms");
    fetch.headers = m.texts("headers");
    fetch.body = m.bytes(false);
    return fetch;
  }
  return fail(Errc::config_invalid, "\"" + op + "\" is not an operation");
}

Result<Told> take_told(const std::string& event, Members& m) {
  if (event == "start") {
    if (m.number("contract") != kContractVersion)
      return fail(Errc::version_unsupported, "not contract 1");
    return Start{m.texts("options")};
  }
  if (event == "deliver")
    return Deliver{m.text("id"), m.text("chat"), m.text("from"), m.content(), m.list("choices")};
  if (event == "outcome") return Outcome{m.text("id"), m.text("code")};
  if (event == "fetched")
    return Fetched{m.text("ref"), static_cast<unsigned>(m.number("status")), m.bytes(false),
                   m.text("cause", false)};
  if (event == "hook") return Hook{m.text("ref"), m.text("path"), m.bytes(false)};
  if (event == "stop") return Stop{};
  return fail(Errc::config_invalid, "\"" + event + "\" is not an event");
}

Json put_bytes(Json json, const Bytes& data) {
  if (cli::is_utf8(as_text(data)))
    json["text"] = as_text(data);
  else
    json["base64"] = cli::base64(data);
  return json;
}

Json write(const Start& start) {
  return {{"event", "start"}, {"contract", kContractVersion}, {"options", start.options}};
}
Json write(const Deliver& deliver) {
  Json json{
      {"event", "deliver"}, {"id", deliver.id}, {"chat", deliver.chat}, {"from", deliver.from}};
  cli::put_content(json, {deliver.content.media_type, deliver.content.data});
  if (!deliver.choices.empty()) json["choices"] = deliver.choices;
  return json;
}
Json write(const Outcome& outcome) {
  return {{"event", "outcome"}, {"id", outcome.id}, {"code", outcome.code}};
}
Json write(const Fetched& fetched) {
  Json json{{"event", "fetched"}, {"ref", fetched.ref}, {"status", fetched.status}};
  if (!fetched.cause.empty()) json["cause"] = fetched.cause;
  return put_bytes(std::move(json), fetched.body);
}
Json write(const Hook& hook) {
  return put_bytes({{"event", "hook"}, {"ref", hook.ref}, {"path", hook.path}}, hook.body);
}
Json write(const Stop&) {
  return {{"event", "stop"}};
}

Json write(const Hello& hello) {
  return {{"op", "hello"},
          {"contract", hello.contract},
          {"name", hello.name},
          {"pair", hello.pair},
          {"ask", hello.ask},
          {"hook", hello.hook},
          {"chat_interval_ms", hello.chat_interval_ms},
          {"interval_ms", hello.interval_ms}};
}
Json write(const Receive& receive) {
  Json json{{"op", "receive"}, {"id", receive.id}, {"chat", receive.chat}, {"user", receive.user}};
  cli::put_content(json, {receive.content.media_type, receive.content.data});
  return json;
}
Json write(const Pair& pair) {
  return {{"op", "pair"},
          {"id", pair.id},
          {"chat", pair.chat},
          {"user", pair.user},
          {"code", pair.code}};
}
Json write(const Answer& answer) {
  return {{"op", "answer"},
          {"id", answer.id},
          {"chat", answer.chat},
          {"user", answer.user},
          {"delivery", answer.delivery},
          {"choice", answer.choice}};
}
Json write(const Delivered& delivered) {
  return {{"op", "delivered"}, {"delivery", delivered.delivery}};
}
Json write(const Failed& failed) {
  return {{"op", "failed"},
          {"delivery", failed.delivery},
          {"permanent", failed.permanent},
          {"retry_after_ms", failed.retry_after_ms},
          {"cause", failed.cause}};
}
Json write(const Moved& moved) {
  return {{"op", "moved"}, {"chat", moved.chat}, {"to", moved.to}};
}
Json write(const Fetch& fetch) {
  return put_bytes({{"op", "fetch"},
                    {"ref", fetch.ref},
                    {"method", fetch.method},
                    {"url", fetch.url},
                    {"headers", fetch.headers},
                    {"timeout_ms", fetch.timeout_ms}},
                   fetch.body);
}
Json write(const Hooked& hooked) {
  return {{"op", "hooked"}, {"ref", hooked.ref}, {"status", hooked.status}};
}

}  // namespace

Result<Told> parse_told(std::string_view line) {
  auto json = cli::parse_json(line);
  if (!json || !json->is_object()) return fail(Errc::config_invalid, "not a JSON object");
  Members members(std::move(*json));
  const std::string event = members.text("event");
  SW_TRY(Told told, take_told(event, members));
  SW_CHECK(members.done());
  return told;
}

std::string write_said(const Said& said) {
  return cli::to_line(std::visit([](const auto& one) { return write(one); }, said));
}

Result<Said> parse_said(std::string_view line) {
  auto json = cli::parse_json(line);
  if (!json || !json->is_object()) return fail(Errc::config_invalid, "not a JSON object");
  Members members(std::move(*json));
  const std::string op = members.text("op");
  SW_TRY(Said said, take(op, members));
  SW_CHECK(members.done());
  SW_CHECK(check(said));
  return said;
}

std::string write_told(const Told& told) {
  return cli::to_line(std::visit([](const auto& one) { return write(one); }, told));
}

}  // namespace sealwire::bridge

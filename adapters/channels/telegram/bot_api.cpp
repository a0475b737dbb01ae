#include "adapters/channels/telegram/bot_api.h"

#include <nlohmann/json.hpp>

#include "adapters/channels/telegram/update.h"

namespace sealwire::channel::telegram {

using Json = nlohmann::json;

struct BotApi::Reply {
  Json result;
};

namespace {

tl::unexpected<Failure> failed(Failure::What what, std::string detail) {
  return tl::unexpected(Failure{what, std::move(detail), std::chrono::seconds(0), 0});
}

Failure failure_of(const Json& json, long status, const Account& account) {
  Failure failure;
  failure.detail = account.printable("Telegram answers " + std::to_string(status) + ": " +
                                     text_of(json, "description"));
  const Json parameters = json.value("parameters", Json::object());
  const auto migrated = integer_of(parameters, "migrate_to_chat_id");
  if (status == 429) {
    failure.what = Failure::What::wait;
    failure.retry_after = std::chrono::seconds(
        std::clamp<std::int64_t>(integer_of(parameters, "retry_after"), 1, kRetryAfterSecondsMax));
  } else if (migrated != 0) {
    failure.what = Failure::What::migrated;
    failure.chat = migrated;
  } else if (status == 409) {
    failure.what = Failure::What::conflict;
  } else if (status == 401 || status == 404) {
    failure.what = Failure::What::token;
  } else if (status >= 400 && status < 500) {
    failure.what = Failure::What::refused;
  }
  return failure;
}

Json chat_json(const std::string& chat) {
  return chat.starts_with('@') ? Json(chat) : Json(std::stoll(chat));
}

bool is_path(std::string_view text) {
  return !text.empty() && text.find("..") == std::string_view::npos &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "_-./") == std::string_view::npos;
}

}  // namespace

Outcome<BotApi::Reply> BotApi::call(std::string_view method, Request request) {
  request.url = account_.url(method);
  request.answer_bytes_max = kAnswerBytes;
  const Answer answer = http_.perform(request);
  sodium_memzero(request.url.data(), request.url.size());
  if (answer.status == 0)
    return failed(answer.too_long ? Failure::What::too_long : Failure::What::unreached,
                  std::string(method) + ": " + answer.failure);
  Json json = Json::parse(answer.body.begin(), answer.body.end(), nullptr, false);
  if (!json.is_object())
    return failed(Failure::What::unreached, std::string(method) + ": the answer is not JSON");
  if (answer.status != 200 || !flag_of(json, "ok"))
    return tl::unexpected(failure_of(json, answer.status, account_));
  return Reply{std::move(json["result"])};
}

Outcome<std::vector<Update>> BotApi::updates(std::int64_t offset, std::uint64_t timeout_s,
                                             std::size_t limit) {
  Request request;
  request.json = Json{
      {"offset", offset},
      {"timeout", timeout_s},
      {"limit", limit},
      {"allowed_updates",
       {"message"}}}.dump();
  request.timeout_ms = timeout_s * 1000 + kRequestMs;
  return call("getUpdates", std::move(request)).map([](const Reply& reply) {
    return read_updates(reply.result);
  });
}

Outcome<> BotApi::send_text(const std::string& chat, const std::string& text) {
  Request request;
  request.json = Json{{"chat_id", chat_json(chat)}, {"text", text}}.dump();
  request.timeout_ms = kRequestMs;
  return call("sendMessage", std::move(request)).map([](const Reply&) {});
}

Outcome<> BotApi::send_document(const std::string& chat, const std::string& caption,
                                ByteSpan document) {
  Request request;
  request.upload = Upload{chat, caption, document};
  request.timeout_ms = 2 * kRequestMs;
  return call("sendDocument", std::move(request)).map([](const Reply&) {});
}

Outcome<Bytes> BotApi::download(const std::string& file_id, std::uint64_t bytes) {
  Request request;
  request.json = Json{{"file_id", file_id}}.dump();
  request.timeout_ms = kRequestMs;
  const auto reply = call("getFile", std::move(request));
  if (!reply) return tl::unexpected(reply.error());
  const std::string path = text_of(reply->result, "file_path");
  if (!is_path(path)) return failed(Failure::What::refused, "getFile: no path");
  Request fetch;
  fetch.url = account_.file_url(path);
  fetch.get = true;
  fetch.timeout_ms = kRequestMs;
  fetch.answer_bytes_max = bytes;
  Answer answer = http_.perform(fetch);
  sodium_memzero(fetch.url.data(), fetch.url.size());
  if (answer.status == 200) return std::move(answer.body);
  return failed(answer.too_long ? Failure::What::too_long : Failure::What::unreached,
                "a file: " + (answer.status == 0 ? answer.failure
                                                 : "status " + std::to_string(answer.status)));
}

}  // namespace sealwire::channel::telegram

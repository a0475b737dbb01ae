#include "adapters/channels/telegram/telegram.h"

#include <curl/curl.h>

#include <charconv>

#include "adapters/channels/telegram/end.h"
#include "adapters/channels/uri.h"

namespace sealwire::channel {
namespace telegram {
namespace {

constexpr std::string_view kScheme = "telegram://";
constexpr std::string_view kApi = "https://api.telegram.org";
constexpr std::uint64_t kPaceMsMax = 60'000;

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

struct Target {
  std::string chat;
  std::int64_t id = 0;  // 0: a @name
};

Result<Target> target_of(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return fail(Errc::address_invalid, "expected telegram://");
  Target target;
  target.chat = uri.substr(kScheme.size());
  const std::string_view name = std::string_view(target.chat).substr(target.chat.empty() ? 0 : 1);
  const bool named = target.chat.starts_with('@') && name.size() >= 5 && name.size() <= 32 &&
                     name.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_") == std::string_view::npos;
  constexpr std::int64_t kIdMax = std::int64_t{1} << 52;  // Telegram's word
  if (!named && (!parse_number(target.chat, target.id) || target.id == 0 || target.id > kIdMax ||
                 target.id < -kIdMax || target.chat != std::to_string(target.id)))
    return fail(Errc::address_invalid, "expected telegram://ID or telegram://@NAME");
  return target;
}

Result<std::string> api_of(const Endpoint& endpoint) {
  std::string api = option(endpoint, "api");
  if (api.empty()) return std::string(kApi);
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string value;
    if (curl_url_get(url.get(), which, &text, 0) == CURLUE_OK) value = text;
    curl_free(text);
    return value;
  };
  if (!url || curl_url_set(url.get(), CURLUPART_URL, api.c_str(), 0) != CURLUE_OK ||
      !part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty() ||
      !part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty())
    return fail(Errc::config_invalid, "api is https://HOST or https://HOST:PORT");
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return fail(Errc::config_invalid, "api is https://HOST or https://HOST:PORT");
  if (scheme == "http" && !endpoint.allow_insecure && !is_loopback(part(CURLUPART_HOST)))
    return fail(Errc::transport_insecure, "api " + scheme + "://" + part(CURLUPART_HOST) +
                                              " would carry the bot's token in clear");
  return api;
}

Result<Millis> pace_of(const Endpoint& endpoint) {
  const std::string text = option(endpoint, "pace_ms");
  std::uint64_t pace = kPaceMs;
  if (!text.empty() && (!parse_number(text, pace) || pace > kPaceMsMax))
    return fail(Errc::config_invalid, "pace_ms is a number up to 60000");
  return Millis(pace);
}

Result<std::shared_ptr<Bot>> bot_of(const Endpoint& endpoint) {
  SW_CHECK(check_options(endpoint, {"token_file", "api", "pace_ms"}));
  SW_TRY(const Millis pace, pace_of(endpoint));
  SW_TRY(std::string api, api_of(endpoint));
  SW_TRY(Account account, Account::read(option(endpoint, "token_file"), std::move(api)));
  return Bot::of(std::move(account), pace);
}

class TelegramChannel final : public Channel {
 public:
  std::string_view name() const override { return "telegram"; }
  std::vector<std::string_view> schemes() const override { return {"telegram"}; }
  Capabilities capabilities() const override { return {.dials_to_listen = true}; }
  Result<> check_uri(std::string_view uri) const override {
    return target_of(uri).map([](const Target&) {});
  }

  Result<std::unique_ptr<Running>> listen(const Endpoint& endpoint,
                                          Handler& handler) const override {
    SW_TRY(const Target target, target_of(endpoint.uri));
    SW_TRY(auto bot, bot_of(endpoint));
    if (target.id != bot->account().bot())
      return fail(Errc::address_invalid, "the token is of another bot than " + endpoint.uri);
    SW_CHECK(bot->wait_ready(Millis(endpoint.limits.handshake_ms)));
    auto end = End::listen(std::move(bot), endpoint, handler);
    if (end == nullptr) return fail(Errc::connect_failed, endpoint.uri + " is listened on already");
    return end;
  }

  Result<std::unique_ptr<Running>> dial(const Endpoint& endpoint, Handler& handler) const override {
    SW_TRY(Target target, target_of(endpoint.uri));
    SW_TRY(auto bot, bot_of(endpoint));
    return End::dial(std::move(bot), endpoint, handler, std::move(target.chat),
                     std::max<std::int64_t>(target.id, 0));
  }
};

}  // namespace
}  // namespace telegram

const Channel& telegram_channel() {
  static const telegram::TelegramChannel channel;
  return channel;
}

}  // namespace sealwire::channel

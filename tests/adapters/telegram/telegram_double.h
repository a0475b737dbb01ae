// The double of the Bot API (tests/telegram/double.py) as a child, with two bots that have opted in
// to talk to bots, and their token files.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace sealwire::test {

class TelegramDouble {
 public:
  static constexpr std::int64_t kBroker = 1001, kAgent = 1002, kOther = 1003;
  /// What no log and no error may hold; each bot's token ends in it.
  static constexpr const char* kCanary = "canary_of_a_bots_token_AAAAAAAAAAAA";

  TelegramDouble();
  TelegramDouble(const TelegramDouble&) = delete;
  TelegramDouble& operator=(const TelegramDouble&) = delete;
  ~TelegramDouble();

  /// One for the whole program; the double's bots are told apart by test, not by name.
  static TelegramDouble& shared();
  /// Whether the API's description and Python are here. Says NOT CHECKED where they are not.
  static bool available();

  std::string url() const { return url_; }
  std::string token_file(std::int64_t bot) const;
  static std::string token(std::int64_t bot) { return std::to_string(bot) + ":" + kCanary; }
  std::map<std::string, std::string> options(std::int64_t bot, unsigned pace_ms = 0) const;
  static std::string uri(std::int64_t chat) { return "telegram://" + std::to_string(chat); }

  /// /double/WHAT.
  nlohmann::json tell(const std::string& what, const nlohmann::json& body = {}) const;
  /// A method of the API, as that bot.
  nlohmann::json call(std::int64_t bot, const std::string& method,
                      const nlohmann::json& body) const;

 private:
  nlohmann::json post(const std::string& path, const nlohmann::json& body) const;
  pid_t pid_ = -1;
  std::string url_;
  std::filesystem::path folder_;
};

}  // namespace sealwire::test

#include "tests/adapters/telegram/telegram_double.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace sealwire::test {
namespace {

std::string description() {
  const char* const given = std::getenv("SEALWIRE_TELEGRAM_API");
  return given != nullptr ? given : SEALWIRE_SOURCE_DIR "/../shared/telegram/api.min.json";
}

}  // namespace

bool TelegramDouble::available() {
  static const bool there = [] {
    if (std::filesystem::exists(description())) return true;
    std::puts("NOT CHECKED: Telegram's sealed mode; the description of the Bot API is not here");
    return false;
  }();
  return there;
}

TelegramDouble& TelegramDouble::shared() {
  static TelegramDouble shared;
  return shared;
}

TelegramDouble::TelegramDouble() {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const std::string api = description();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(out[1], STDOUT_FILENO);
    ::setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    ::execlp("python3", "python3", SEALWIRE_SOURCE_DIR "/tests/telegram/double.py", api.c_str(),
             nullptr);
    ::_exit(127);
  }
  ::close(out[1]);
  const std::unique_ptr<FILE, int (*)(FILE*)> lines(::fdopen(out[0], "r"), std::fclose);
  int port = 0;
  if (std::fscanf(lines.get(), "%d", &port) != 1) throw std::runtime_error("the double failed");
  url_ = "http://127.0.0.1:" + std::to_string(port);
  std::string pattern = (std::filesystem::temp_directory_path() / "sealwire-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error(pattern);
  folder_ = pattern;
  for (const auto bot : {kBroker, kAgent, kOther}) {
    tell("bot", {{"token", token(bot)}, {"username", "bot_" + std::to_string(bot)}});
    std::ofstream(token_file(bot)) << token(bot) << '\n';
    std::filesystem::permissions(token_file(bot), std::filesystem::perms(0600));
  }
}

TelegramDouble::~TelegramDouble() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TelegramDouble::token_file(std::int64_t bot) const {
  return (folder_ / std::to_string(bot)).string();
}

std::map<std::string, std::string> TelegramDouble::options(std::int64_t bot,
                                                           unsigned pace_ms) const {
  return {{"token_file", token_file(bot)}, {"api", url_}, {"pace_ms", std::to_string(pace_ms)}};
}

nlohmann::json TelegramDouble::tell(const std::string& what, const nlohmann::json& body) const {
  return post("/double/" + what, body.is_null() ? nlohmann::json::object() : body);
}

nlohmann::json TelegramDouble::call(std::int64_t bot, const std::string& method,
                                    const nlohmann::json& body) const {
  return post("/bot" + token(bot) + "/" + method, body);
}

nlohmann::json TelegramDouble::post(const std::string& path, const nlohmann::json& body) const {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                   curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  const std::string url = url_ + path, text = body.dump();
  std::string answer;
  const auto write = +[](char* data, std::size_t, std::size_t size, void* to) {
    static_cast<std::string*>(to)->append(data, size);
    return size;
  };
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, text.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, write);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, static_cast<void*>(&answer));
  if (curl_easy_perform(handle.get()) != CURLE_OK) throw std::runtime_error("the double is gone");
  return nlohmann::json::parse(answer);
}

}  // namespace sealwire::test

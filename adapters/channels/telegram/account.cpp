#include <charconv>

#include "adapters/channels/telegram/bot_api.h"
#include "adapters/files/private_file.h"
#include "protocol/crypto/crypto.h"

namespace sealwire::channel::telegram {
namespace {

constexpr std::size_t kTokenBytesMax = 256;

/// digits ':' [A-Za-z0-9_-]+, so that it can stand in a URL as it is.
bool is_token(std::string_view text, std::int64_t& bot) {
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, bot);
  if (error != std::errc{} || bot <= 0 || last - end < 2 || *end != ':') return false;
  return std::string_view(end + 1, last)
             .find_first_not_of(
                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                 "_-") == std::string_view::npos;
}

}  // namespace

Result<Account> Account::read(const std::string& file, std::string api) {
  if (file.empty())
    return fail(Errc::config_invalid, "token_file is missing: the file with the bot's token");
  SW_TRY(const SecretBytes contents, files::read_private_file(file, kTokenBytesMax));
  ByteSpan token = contents.span();
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r'))
    token = token.first(token.size() - 1);
  Account account;
  if (!is_token(as_text(token), account.bot_))
    return fail(Errc::config_invalid, file + " holds no token of a bot");
  account.token_ = SecretBytes(token);
  while (api.ends_with('/'))
    api.pop_back();
  account.api_ = std::move(api);
  return account;
}

Digest Account::name() const {
  Bytes both = to_bytes(as_bytes(api_));
  both.push_back(0);
  both.insert(both.end(), token_.span().begin(), token_.span().end());
  const Digest digest = crypto::blake2b(both);
  sodium_memzero(both.data(), both.size());
  return digest;
}

std::string Account::url(std::string_view method) const {
  return join("/bot", std::string("/").append(method));
}

std::string Account::file_url(std::string_view path) const {
  return join("/file/bot", std::string("/").append(path));
}

// Reserved first: a string that grows leaves copies that nobody wipes.
std::string Account::join(std::string_view before, std::string_view after) const {
  std::string url;
  url.reserve(api_.size() + before.size() + token_.span().size() + after.size());
  url.append(api_).append(before).append(as_text(token_.span())).append(after);
  return url;
}

std::string Account::printable(std::string text) const {
  const std::string_view token = as_text(token_.span());
  for (std::size_t at = 0; (at = text.find(token, at)) != std::string::npos;)
    text.replace(at, token.size(), "***");
  text.resize(std::min(text.size(), kDescriptionBytes));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

}  // namespace sealwire::channel::telegram

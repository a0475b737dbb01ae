// The few methods of Telegram's Bot API that the channel needs, with the token and its wiping.
#pragma once

#include <tl/expected.hpp>

#include "adapters/channels/telegram/http.h"
#include "adapters/channels/telegram/limits.h"
#include "protocol/error.h"
#include "protocol/secret.h"

namespace sealwire::channel::telegram {

/// Whose requests, and where to. The token is in no error, log or URI of ours; libcurl has copies
/// of its own while a request is under way.
class Account {
 public:
  /// `file` holds the token, is its reader's only, and may end in a newline. `api` is
  /// https://api.telegram.org or a Bot API server of one's own. Fails with key_file_permissions,
  /// file_failed or config_invalid.
  static Result<Account> read(const std::string& file, std::string api);

  std::int64_t bot() const { return bot_; }  // the token's first half is the bot's id
  const std::string& api() const { return api_; }
  /// Equal for equal tokens on equal servers, and no secret.
  Digest name() const;
  /// To be wiped after use.
  std::string url(std::string_view method) const;
  std::string file_url(std::string_view path) const;
  /// `text` without the token, should a server repeat it, and printable.
  std::string printable(std::string text) const;

 private:
  std::string join(std::string_view before, std::string_view after) const;
  SecretBytes token_;
  std::string api_;
  std::int64_t bot_ = 0;
};

struct Failure {
  enum class What : std::uint8_t {
    unreached,  // no answer, or one that Telegram takes back: worth another try
    wait,       // 429: after `retry_after`
    migrated,   // the chat is `chat` now
    refused,    // it will not do this
    token,      // it does not know this token
    conflict,   // another process polls for this bot
    too_long,   // the answer is beyond its bound
  };
  What what = What::unreached;
  std::string detail;  // for a log
  std::chrono::seconds retry_after{0};
  std::int64_t chat = 0;
};
template <class T = void>
using Outcome = tl::expected<T, Failure>;

struct Update {
  std::int64_t id = 0;
  std::int64_t chat = 0, sender = 0;  // sender 0: nobody named
  bool from_bot = false;
  std::string text;  // of the message or, with a document, its caption
  std::string file_id;
  std::uint64_t file_bytes = 0;
  std::int64_t migrated_to = 0;  // 0: it did not
  bool is_document() const { return !file_id.empty(); }
};

/// One thread each; every call blocks for at most kRequestMs, or its own time, or until `stopping`.
class BotApi {
 public:
  BotApi(const Account& account, const std::atomic<bool>& stopping)
      : account_(account), http_(stopping) {}

  /// In the order of their ids. A negative offset forgets all but the last ones.
  Outcome<std::vector<Update>> updates(std::int64_t offset, std::uint64_t timeout_s,
                                       std::size_t limit);
  Outcome<> send_text(const std::string& chat, const std::string& text);
  Outcome<> send_document(const std::string& chat, const std::string& caption, ByteSpan document);
  Outcome<Bytes> download(const std::string& file_id, std::uint64_t bytes);
  /// After `stopping` was set. Any thread.
  void wake() { http_.wake(); }

 private:
  struct Reply;
  Outcome<Reply> call(std::string_view method, Request request);

  const Account& account_;
  Http http_;
};

}  // namespace sealwire::channel::telegram

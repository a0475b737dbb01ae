// HTTP requests that another thread can end at once.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "protocol/bytes.h"

namespace sealwire::channel::telegram {

struct Upload {
  std::string chat, caption;
  ByteSpan document;
};

struct Request {
  std::string url;               // wiped by the caller
  std::string json;              // the body of a POST, unless there is an `upload`
  std::optional<Upload> upload;  // multipart/form-data as sendDocument takes it
  bool get = false;              // without a body
  std::uint64_t timeout_ms = 0;  // of the whole
  std::size_t answer_bytes_max = 0;
};

struct Answer {
  long status = 0;  // 0: there was no answer, and `failure` says why
  Bytes body;
  std::string failure;  // never the URL
  bool too_long = false;
};

/// One request at a time, and its connection kept for the next. One thread, but for `wake`.
class Http {
 public:
  explicit Http(const std::atomic<bool>& stopping);
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;
  ~Http();

  /// Blocks, until `stopping` at most.
  Answer perform(const Request& request);
  /// After `stopping` was set. Any thread.
  void wake();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace sealwire::channel::telegram

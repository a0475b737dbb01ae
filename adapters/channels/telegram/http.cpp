#include "adapters/channels/telegram/http.h"

#include <curl/curl.h>

namespace sealwire::channel::telegram {
namespace {

struct Body {
  Bytes bytes;
  std::size_t bytes_max;
  bool too_long = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& body = *static_cast<Body*>(to);
  if (body.bytes.size() + size > body.bytes_max) {
    body.too_long = true;
    return 0;
  }
  const ByteSpan bytes = as_bytes({data, size});
  body.bytes.insert(body.bytes.end(), bytes.begin(), bytes.end());
  return size;
}

using Mime = std::unique_ptr<curl_mime, decltype(&curl_mime_free)>;

Mime form_of(CURL* handle, const Upload& upload) {
  Mime form(curl_mime_init(handle), curl_mime_free);
  const auto part = [&](const char* name, const char* data, std::size_t size) {
    curl_mimepart* added = curl_mime_addpart(form.get());
    curl_mime_name(added, name);
    curl_mime_data(added, data, size);
    return added;
  };
  part("chat_id", upload.chat.data(), upload.chat.size());
  part("caption", upload.caption.data(), upload.caption.size());
  auto* document = part("document", reinterpret_cast<const char*>(upload.document.data()),
                        upload.document.size());
  curl_mime_filename(document, "sealwire.bin");
  curl_mime_type(document, "application/octet-stream");
  return form;
}

}  // namespace

struct Http::Impl {
  explicit Impl(const std::atomic<bool>& flag) : stopping(flag) {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(once);
    multi = curl_multi_init();
    easy = curl_easy_init();
  }
  ~Impl() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  CURLcode run() {
    curl_multi_add_handle(multi, easy);
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    for (int running = 1; running != 0 && !stopping;) {
      if (curl_multi_perform(multi, &running) != CURLM_OK) break;
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi, &left))
        if (message->msg == CURLMSG_DONE) code = message->data.result;
      if (running != 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    curl_multi_remove_handle(multi, easy);
    return code;
  }

  const std::atomic<bool>& stopping;
  CURLM* multi;
  CURL* easy;
};

Http::Http(const std::atomic<bool>& stopping) : impl_(std::make_unique<Impl>(stopping)) {}
Http::~Http() = default;

void Http::wake() {
  curl_multi_wakeup(impl_->multi);
}

Answer Http::perform(const Request& request) {
  CURL* handle = impl_->easy;
  Body body{{}, request.answer_bytes_max};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(handle, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&body));
  Mime form(nullptr, curl_mime_free);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  if (request.upload) {
    form = form_of(handle, *request.upload);
    set(CURLOPT_MIMEPOST, form.get());
  } else if (!request.get) {
    headers.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.json.size()));
    set(CURLOPT_POSTFIELDS, request.json.c_str());
  }
  // An upload waits for no "100 Continue".
  headers.reset(curl_slist_append(headers.release(), "Expect:"));
  set(CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = impl_->run();
  Answer answer;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
  // It frees the copy of the URL, which holds the token; the connection stays.
  curl_easy_reset(handle);
  if (code != CURLE_OK) {
    answer.status = 0;
    answer.too_long = body.too_long;
    // libcurl's own words for the code name no URL, unlike its error buffer.
    answer.failure = body.too_long ? "the answer is too long" : curl_easy_strerror(code);
    return answer;
  }
  answer.body = std::move(body.bytes);
  return answer;
}

}  // namespace sealwire::channel::telegram

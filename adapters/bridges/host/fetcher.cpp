#include "adapters/bridges/host/fetcher.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "sdk/cpp/agent/wall_clock.h"

namespace sealwire::bridge {
namespace {

struct Received {
  Bytes body;
  bool too_long = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& answer = *static_cast<Received*>(to);
  if (answer.body.size() + size > kFetchedBytes) {
    answer.too_long = true;
    return 0;
  }
  const ByteSpan bytes = as_bytes({data, size});
  answer.body.insert(answer.body.end(), bytes.begin(), bytes.end());
  return size;
}

int is_ending(void* ending, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(ending) ? 1 : 0;
}

// What an operator wrote as an address is what he meant; a name may come to mean anything (a
// rebound name, CVE-2026-26322).
bool names_an_address(const std::string& origin) {
  const auto from = origin.find("://") + 3;
  const std::string host = origin.substr(from, origin.rfind(':') - from);
  in_addr v4{};
  return host.starts_with('[') || host == "localhost" || inet_pton(AF_INET, host.c_str(), &v4) == 1;
}

curl_socket_t open_public(void*, curlsocktype, curl_sockaddr* address) {
  if (!is_public(address->addr)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct Network {
  std::array<std::uint8_t, 16> address;
  unsigned bits;
};

bool within(std::span<const std::uint8_t> address, const Network& network) {
  for (unsigned bit = 0; bit < network.bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> bit % 8);
    if (((address[bit / 8] ^ network.address.at(bit / 8)) & mask) != 0) return false;
  }
  return true;
}

bool is_public_v4(std::span<const std::uint8_t> address) {
  constexpr auto kNot = std::to_array<Network>({
      {{0}, 8},           // this network
      {{10}, 8},          // private
      {{100, 64}, 10},    // shared
      {{127}, 8},         // loopback
      {{169, 254}, 16},   // link-local, and the clouds' metadata
      {{172, 16}, 12},    // private
      {{192, 0, 0}, 24},  // protocol assignments
      {{192, 0, 2}, 24},  // documentation
      {{192, 88, 99}, 24},
      {{192, 168}, 16},  // private
      {{198, 18}, 15},   // benchmarks
      {{198, 51, 100}, 24},
      {{203, 0, 113}, 24},
      {{224}, 3},  // multicast and reserved
  });
  return std::ranges::none_of(kNot, [&](const Network& each) { return within(address, each); });
}

template <class Text>
void wipe(Text& text) {
  sodium_memzero(text.data(), text.size());
}

}  // namespace

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return is_public_v4({reinterpret_cast<const std::uint8_t*>(&v4), 4});
  }
  if (address.sa_family != AF_INET6) return false;
  const std::span<const std::uint8_t> v6(
      reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr, 16);
  // 2000::/3 is all that is global; of it, 6to4 and Teredo hide a version 4 address, and
  // 2001:db8::/32 is documentation.
  return within(v6, {{0x20}, 3}) && !within(v6, {{0x20, 0x02}, 16}) &&
         !within(v6, {{0x20, 0x01, 0, 0}, 23}) && !within(v6, {{0x20, 0x01, 0x0d, 0xb8}, 32});
}

Result<std::string> origin_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  const auto part = [&](CURLUPart which, unsigned flags) {
    char* text = nullptr;
    std::string value;
    if (curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK && text != nullptr)
      value = text;
    curl_free(text);
    return value;
  };
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return fail(Errc::address_invalid, "not a URL");
  const std::string scheme = part(CURLUPART_SCHEME, 0);
  std::string host = part(CURLUPART_HOST, 0);
  std::ranges::transform(host, host.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if ((scheme != "https" && scheme != "http") || host.empty())
    return fail(Errc::address_invalid, "not an http or https URL");
  if (!part(CURLUPART_USER, 0).empty() || !part(CURLUPART_PASSWORD, 0).empty())
    return fail(Errc::address_invalid, "a URL with a user's name");
  return scheme + "://" + host + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

Fetcher::Fetcher(Egress egress, std::function<void(Fetched)> done)
    : egress_(std::move(egress)), done_(std::move(done)) {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(once);
}

Fetcher::~Fetcher() {
  ending_ = true;
  for (auto& [thread, ended] : open_)
    thread.join();
}

void Fetcher::fetch(Fetch fetch) {
  const std::lock_guard lock(mutex_);
  std::erase_if(open_, [](auto& each) {
    if (*each.second) each.first.join();
    return each.second->load();
  });
  auto ended = std::make_shared<std::atomic<bool>>(false);
  if (open_.size() >= kFetchesOpen) return done_({fetch.ref, 0, {}, "too many requests at a time"});
  open_.emplace_back(std::thread([this, fetch = std::move(fetch), ended] {
                       Fetched fetched = perform(fetch);
                       if (!ending_) done_(std::move(fetched));
                       *ended = true;
                     }),
                     ended);
}

Result<std::string> Fetcher::insert_secrets(std::string text, const std::string& origin) const {
  constexpr std::string_view kOpen = "{secret:";
  for (std::size_t at = 0; (at = text.find(kOpen, at)) != std::string::npos;) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) break;
    const std::string name = text.substr(at + kOpen.size(), end - at - kOpen.size());
    const auto secret = egress_.secrets.find(name);
    if (secret == egress_.secrets.end() || secret->second.origin != origin)
      return fail(Errc::denied, "no secret of this name belongs to this origin");
    const std::string_view value = as_text(secret->second.value.span());
    text.replace(at, end + 1 - at, value);
    at += value.size();
  }
  return text;
}

void Fetcher::hide_secrets(Bytes& body) const {
  for (const auto& [name, secret] : egress_.secrets) {
    const ByteSpan value = secret.value.span();
    if (value.empty()) continue;
    for (auto at = body.begin();
         (at = std::search(at, body.end(), value.begin(), value.end())) != body.end();)
      at = std::fill_n(at, value.size(), std::uint8_t{'*'});
  }
}

Fetched Fetcher::perform(const Fetch& fetch) const {
  const auto refuse = [&](std::string cause) {
    return Fetched{fetch.ref, 0, {}, std::move(cause)};
  };
  const auto origin = origin_of(fetch.url);
  if (!origin) return refuse(origin.error().detail);
  if (!egress_.origins.contains(*origin)) return refuse("the operator did not allow this origin");
  if (fetch.method != "GET" && fetch.method != "POST" && fetch.method != "PUT")
    return refuse("the method is GET, POST or PUT");
  auto url = insert_secrets(fetch.url, *origin);
  if (!url) return refuse(url.error().detail);

  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                   curl_easy_cleanup);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  for (const auto& [name, value] : fetch.headers) {
    auto line = insert_secrets(std::string(name).append(": ").append(value), *origin);
    if (!line || line->find_first_of("\r\n") != std::string::npos) return refuse("a header");
    headers.reset(curl_slist_append(headers.release(), line->c_str()));
    wipe(*line);
  }
  if (const auto signer = egress_.signers.find(*origin); signer != egress_.signers.end()) {
    crypto::SystemRandom random;
    for (const auto& [name, value] :
         sign_request({fetch.method, *url, {}}, fetch.body, signer->second.key_id,
                      signer->second.key, random, wall_clock()))
      headers.reset(curl_slist_append(headers.release(),
                                      std::string(name).append(": ").append(value).c_str()));
  }
  Received answer;
  const auto set = [&](CURLoption option, auto value) {
    curl_easy_setopt(handle.get(), option, value);
  };
  set(CURLOPT_URL, url->c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PATH_AS_IS, 1L);  // what is sent is what is signed
  set(CURLOPT_PROXY, "");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  if (!names_an_address(*origin)) set(CURLOPT_OPENSOCKETFUNCTION, open_public);
  set(CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
  set(CURLOPT_TIMEOUT_MS,
      static_cast<long>(std::clamp<std::uint64_t>(fetch.timeout_ms, 1, 90'000)));
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&answer));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, is_ending);
  set(CURLOPT_XFERINFODATA, static_cast<const void*>(&ending_));
  if (fetch.method != "GET") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(fetch.body.size()));
    set(CURLOPT_POSTFIELDS, reinterpret_cast<const char*>(fetch.body.data()));
    set(CURLOPT_CUSTOMREQUEST, fetch.method.c_str());
  }
  const CURLcode code = curl_easy_perform(handle.get());
  wipe(*url);
  if (answer.too_long) return refuse("the answer is longer than 1 MiB");
  // libcurl's own words for the code name no URL, unlike its error buffer.
  if (code != CURLE_OK) return refuse(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  hide_secrets(answer.body);
  return {fetch.ref, static_cast<unsigned>(status), std::move(answer.body), {}};
}

}  // namespace sealwire::bridge

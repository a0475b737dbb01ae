#include "adapters/bridges/host/signature.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <vector>

#include "sdk/cli/text.h"

namespace sealwire::bridge {
namespace {

constexpr std::string_view kOurComponents = R"(("@method" "@target-uri" "content-digest"))";

// The one signature of a Signature-Input: its label, its components, its parameters.
const std::regex& input_form() {
  static const std::regex form(
      R"re(([a-z*][a-z0-9_.*-]{0,63})=(\(((?:"[^"\\]+"(?: "[^"\\]+")*)?)\)((?:;[a-z*][a-z0-9_.*-]*=(?:"[^"\\]*"|[0-9]{1,15}))*)))re");
  return form;
}

struct Input {
  std::string label;
  std::string raw;  // what is signed as @signature-params
  std::vector<std::string> components;
  std::map<std::string, std::string> parameters;  // strings without their quotes
};

Error invalid(std::string why) {
  return {Errc::denied, std::move(why)};
}

std::optional<std::string> header(const HttpRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  if (found == request.headers.end()) return std::nullopt;
  std::string_view value = found->second;
  while (value.starts_with(' ') || value.starts_with('\t'))
    value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t'))
    value.remove_suffix(1);
  return std::string(value);
}

std::optional<std::string> uri_part(const std::string& uri, CURLUPart part) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  char* text = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, uri.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), part, &text, CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
    return std::nullopt;
  std::string value(text);
  curl_free(text);
  return value;
}

// RFC 9421 section 2.2.
std::optional<std::string> derived(const HttpRequest& request, const std::string& component) {
  if (component == "@method") return request.method;
  if (component == "@target-uri") return request.uri;
  if (component == "@path") return uri_part(request.uri, CURLUPART_PATH);
  if (component == "@scheme") return uri_part(request.uri, CURLUPART_SCHEME);
  if (component == "@query") return "?" + uri_part(request.uri, CURLUPART_QUERY).value_or("");
  if (component == "@authority") {
    auto host = uri_part(request.uri, CURLUPART_HOST);
    if (!host) return std::nullopt;
    std::ranges::transform(*host, host->begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto port = uri_part(request.uri, CURLUPART_PORT);
    return port ? *host + ":" + *port : *host;
  }
  return std::nullopt;
}

Result<Input> input_of(const HttpRequest& request) {
  const auto text = header(request, "signature-input");
  if (!text) return fail(invalid("the request is not signed"));
  std::smatch match;
  if (text->size() > kSignatureHeaderBytes || !std::regex_match(*text, match, input_form()))
    return fail(invalid("Signature-Input is not one signature without component parameters"));
  Input input{match[1], match[2], {}, {}};
  static const std::regex quoted(R"re("([^"]*)")re");
  const std::string components = match[3];
  for (std::sregex_iterator it(components.begin(), components.end(), quoted), end; it != end; ++it)
    input.components.push_back((*it)[1]);
  static const std::regex parameter(R"re(;([^=;"]+)=(?:"([^"]*)"|([0-9]+)))re");
  const std::string parameters = match[4];
  for (std::sregex_iterator it(parameters.begin(), parameters.end(), parameter), end; it != end;
       ++it)
    if (!input.parameters.emplace((*it)[1], (*it)[2].str() + (*it)[3].str()).second)
      return fail(invalid("a parameter stands twice in Signature-Input"));
  return input;
}

// RFC 9421 section 2.5.
Result<std::string> signature_base(const HttpRequest& request, const Input& input) {
  std::string base;
  std::set<std::string> seen;
  for (const std::string& component : input.components) {
    if (!seen.insert(component).second) return fail(invalid("a component stands twice"));
    const auto value =
        component.starts_with('@') ? derived(request, component) : header(request, component);
    if (!value || value->find_first_of("\r\n") != std::string::npos)
      return fail(invalid("the component " + cli::printable(component) + " is not there"));
    base.append("\"").append(component).append("\": ").append(*value).append("\n");
  }
  return base.append("\"@signature-params\": ").append(input.raw);
}

bool covers_enough(const HttpRequest& request, const Input& input) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(input.components, name) != input.components.end();
  };
  const bool query = uri_part(request.uri, CURLUPART_QUERY).has_value();
  const bool target =
      has("@target-uri") || (has("@authority") && has("@path") && (!query || has("@query")));
  return has("@method") && target && has("content-digest");
}

std::optional<std::uint64_t> seconds(const Input& input, const std::string& name) {
  const auto found = input.parameters.find(name);
  if (found == input.parameters.end()) return std::nullopt;
  std::uint64_t value = 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<> check_times(const Input& input, UnixMillis now) {
  const std::uint64_t at = now.value / 1000;
  const auto created = seconds(input, "created");
  if (!created) return fail(invalid("the signature does not say when it was created"));
  if (*created > at + kSignatureAgeS || at > *created + kSignatureAgeS)
    return fail(invalid("the signature is older or newer than five minutes"));
  if (input.parameters.contains("expires") && seconds(input, "expires").value_or(0) < at)
    return fail(invalid("the signature has expired"));
  return {};
}

std::string digest_of(ByteSpan body) {
  return "sha-256=:" + cli::base64(crypto::sha256(body).span()) + ":";
}

}  // namespace

std::map<std::string, std::string> sign_request(const HttpRequest& request, ByteSpan body,
                                                const std::string& key_id,
                                                const crypto::SigningKey& key, Random& random,
                                                UnixMillis now) {
  HttpRequest whole = request;
  whole.headers["content-digest"] = digest_of(body);
  std::array<std::uint8_t, 16> nonce{};
  random.fill(nonce);
  const std::string raw = std::string(kOurComponents) +
                          ";created=" + std::to_string(now.value / 1000) + ";nonce=\"" +
                          cli::base64(nonce) + "\";alg=\"ed25519\";keyid=\"" + key_id + "\"";
  const Input input{"sig1", raw, {"@method", "@target-uri", "content-digest"}, {}};
  const std::string base = signature_base(whole, input).value();
  return {{"content-digest", whole.headers["content-digest"]},
          {"signature-input", "sig1=" + raw},
          {"signature", "sig1=:" + cli::base64(key.sign(as_bytes(base)).span()) + ":"}};
}

Result<std::string> verify_request(const HttpRequest& request,
                                   const std::map<std::string, VerifyKey>& keys, UnixMillis now) {
  SW_TRY(const Input input, input_of(request));
  if (!covers_enough(request, input))
    return fail(invalid("method, target and Content-Digest are not all signed"));
  return verify_signature(request, keys, now);
}

Result<std::string> verify_signature(const HttpRequest& request,
                                     const std::map<std::string, VerifyKey>& keys, UnixMillis now) {
  const auto signature_text = header(request, "signature");
  if (!signature_text) return fail(invalid("the request is not signed"));
  SW_TRY(const Input input, input_of(request));
  const auto named = [&](const char* name) {
    const auto found = input.parameters.find(name);
    return found == input.parameters.end() ? std::string() : found->second;
  };
  if (input.parameters.contains("alg") && named("alg") != "ed25519")
    return fail(invalid("the algorithm is not ed25519"));
  const auto key = keys.find(named("keyid"));
  if (key == keys.end()) return fail(invalid("nobody named a key of this id"));
  SW_CHECK(check_times(input, now));
  const std::string before = input.label + "=:";
  if (!signature_text->starts_with(before) || !signature_text->ends_with(':') ||
      signature_text->size() <= before.size())
    return fail(invalid("Signature has another label, or is no byte sequence"));
  const auto bytes =
      cli::parse_base64(std::string_view(*signature_text)
                            .substr(before.size(), signature_text->size() - before.size() - 1));
  Signature signature;
  if (!bytes || bytes->size() != signature.bytes.size())
    return fail(invalid("the signature has not 64 bytes"));
  std::ranges::copy(*bytes, signature.bytes.begin());
  SW_TRY(const std::string base, signature_base(request, input));
  if (!crypto::verify(key->second, as_bytes(base), signature))
    return fail(invalid("the signature is another request's, or another key's"));
  return key->first;
}

bool is_digest_of(const HttpRequest& request, ByteSpan body) {
  const auto digest = header(request, "content-digest");
  if (!digest || digest->size() > kSignatureHeaderBytes) return false;
  // A list of one or more algorithms: ours has to be there, right.
  static const std::regex form(R"re((?:^|,[ \t]*)(sha-256=:[A-Za-z0-9+/=]{1,64}:)(?:[ \t]*,|$))re");
  std::smatch match;
  return std::regex_search(*digest, match, form) && match[1] == digest_of(body);
}

}  // namespace sealwire::bridge

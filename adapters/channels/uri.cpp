#include "adapters/channels/uri.h"

#include <arpa/inet.h>

#include <charconv>

namespace sealwire::channel {
namespace {

Result<> parse_query(std::string_view text, Uri& uri) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      return fail(Errc::address_invalid, "a query is key=value");
    }
    uri.query[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<> parse_authority(std::string_view text, Uri& uri) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Errc::address_invalid, "the port is missing");
  auto host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.find_first_of("[]") != std::string_view::npos)
      return fail(Errc::address_invalid, "brackets within brackets");
  } else if (host.find_first_of("[]:") != std::string_view::npos) {
    return fail(Errc::address_invalid, "an IPv6 host stands in brackets");
  }
  if (host.empty()) return fail(Errc::address_invalid, "the host is missing");
  const auto port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), uri.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return fail(Errc::address_invalid, "the port is not a number below 65536");
  }
  uri.host = host;
  return {};
}

}  // namespace

Result<Uri> parse_uri(std::string_view text) {
  Uri uri;
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0)
    return fail(Errc::address_invalid, "no scheme://");
  uri.scheme = text.substr(0, scheme_end);
  text.remove_prefix(scheme_end + 3);
  if (const auto query = text.find('?'); query != std::string_view::npos) {
    SW_CHECK(parse_query(text.substr(query + 1), uri));
    text = text.substr(0, query);
  }
  if (const auto path = text.find('/'); path != std::string_view::npos) {
    uri.path = text.substr(path);
    text = text.substr(0, path);
  }
  SW_CHECK(parse_authority(text, uri));
  return uri;
}

Result<> Channel::check_uri(std::string_view uri) const {
  return parse_uri(uri).map([](const Uri&) {});
}

std::string authority(const Uri& uri) {
  const bool v6 = uri.host.find(':') != std::string::npos;
  return (v6 ? "[" + uri.host + "]" : uri.host) + ":" + std::to_string(uri.port);
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr v4{};
  return inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

Result<> require_secure_or_loopback(const Uri& uri, const Endpoint& endpoint) {
  if (endpoint.allow_insecure || is_loopback(uri.host)) return {};
  return fail(Errc::transport_insecure, uri.scheme + "://" + authority(uri) + " is not encrypted");
}

Result<> check_options(const Endpoint& endpoint, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : endpoint.options) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fail(Errc::config_invalid, "unknown option " + name);
    }
  }
  return {};
}

std::string option(const Endpoint& endpoint, std::string_view name) {
  const auto found = endpoint.options.find(std::string(name));
  return found == endpoint.options.end() ? std::string() : found->second;
}

}  // namespace sealwire::channel

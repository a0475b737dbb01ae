// Endpoint URIs and the checks that every channel makes before it opens anything.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "adapters/channels/channel.h"

namespace sealwire::channel {

/// scheme://host:port/path?key=value&…  An IPv6 host stands in brackets and is kept without them.
struct Uri {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  std::string path;  // with its leading '/', or empty
  std::map<std::string, std::string> query;
};

/// Fails with `address_invalid`.
Result<Uri> parse_uri(std::string_view text);

/// host:port, an IPv6 host in brackets.
std::string authority(const Uri& uri);

/// Addresses that never leave the machine: 127.0.0.0/8, ::1 and the name localhost.
bool is_loopback(std::string_view host);

/// Fails with `transport_insecure` off loopback, unless the endpoint allows it.
Result<> require_secure_or_loopback(const Uri& uri, const Endpoint& endpoint);

/// Fails with `config_invalid`, naming the first option that is not in `known`.
Result<> check_options(const Endpoint& endpoint, std::initializer_list<std::string_view> known);

/// The option's value, or empty.
std::string option(const Endpoint& endpoint, std::string_view name);

}  // namespace sealwire::channel

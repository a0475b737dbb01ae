// TLS as this channel wants it: 1.2 or later, no renegotiation, no resumption, no compression.
// C++17, part of the engine.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <vector>

namespace sealwire::channel::websocket {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// Null and `error` where the files do not hold a certificate and its key.
TlsContext server_context(const std::string& certificate_file, const std::string& private_key_file,
                          std::string& error);

/// With a `ca_file` the chain and `host` are checked, without one nothing is: see websocket.h.
TlsContext client_context(const std::string& ca_file, const std::string& host, std::string& error);

/// The channel binding of RFC 9266, or empty where the session cannot have a safe one: TLS 1.2
/// without the extended master secret (RFC 9266 section 4.2).
std::vector<std::uint8_t> tls_exporter(SSL* ssl);

}  // namespace sealwire::channel::websocket

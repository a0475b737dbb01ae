#include "adapters/channels/websocket/tls_context.h"

#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

namespace sealwire::channel::websocket {
namespace {

namespace ssl = boost::asio::ssl;

TlsContext base_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  auto* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // 34 KiB less for each idle connection
  return context;
}

}  // namespace

TlsContext server_context(const std::string& certificate_file, const std::string& private_key_file,
                          std::string& error) {
  auto context = base_context(ssl::context::tls_server);
  boost::system::error_code ec;
  context->use_certificate_chain_file(certificate_file, ec);
  if (ec) {
    error = "certificate_file " + certificate_file + ": " + ec.message();
    return nullptr;
  }
  context->use_private_key_file(private_key_file, ssl::context::pem, ec);
  if (ec || SSL_CTX_check_private_key(context->native_handle()) != 1) {
    error = "private_key_file " + private_key_file + ": " +
            (ec ? ec.message() : "not this certificate's key");
    return nullptr;
  }
  return context;
}

TlsContext client_context(const std::string& ca_file, const std::string& host, std::string& error) {
  auto context = base_context(ssl::context::tls_client);
  boost::system::error_code ec;
  if (ca_file.empty()) {
    context->set_verify_mode(ssl::verify_none, ec);
    return context;
  }
  context->set_verify_mode(ssl::verify_peer, ec);
  context->load_verify_file(ca_file, ec);
  if (ec) {
    error = "ca_file " + ca_file + ": " + ec.message();
    return nullptr;
  }
  auto* parameters = SSL_CTX_get0_param(context->native_handle());
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(host, not_an_address);
  const bool set = not_an_address ? X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), 0) == 1
                                  : X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1;
  if (set) return context;
  error = "the host " + host + " cannot be checked against a certificate";
  return nullptr;
}

std::vector<std::uint8_t> tls_exporter(SSL* ssl) {
  constexpr char kLabel[] = "EXPORTER-Channel-Binding";
  if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1) return {};
  std::vector<std::uint8_t> value(32);
  const std::uint8_t empty_context = 0;
  if (SSL_export_keying_material(ssl, value.data(), value.size(), kLabel, sizeof kLabel - 1,
                                 &empty_context, 0, 1) != 1) {
    return {};
  }
  return value;
}

}  // namespace sealwire::channel::websocket

#include "sdk/cli/doctor/certificate.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <ctime>
#include <memory>

#include "sdk/cli/text.h"

namespace sealwire::cli {
namespace {

constexpr int kConnectSeconds = 3;
constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kSoonDays = 14;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

Result<std::int64_t> end_of(const X509* certificate) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &utc) != 1)
    return fail(Errc::file_failed, "its end cannot be read");
  return static_cast<std::int64_t>(::timegm(&utc));
}

}  // namespace

Result<std::int64_t> certificate_end(const std::string& file) {
  const std::unique_ptr<std::FILE, Freed<std::fclose>> stream(std::fopen(file.c_str(), "re"));
  const Certificate certificate(stream ? PEM_read_X509(stream.get(), nullptr, nullptr, nullptr)
                                       : nullptr);
  if (!certificate) return fail(Errc::file_failed, file + " is no certificate that can be read");
  return end_of(certificate.get());
}

Result<std::int64_t> served_certificate_end(const std::string& host, std::uint16_t port) {
  const std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  // Only looked at: who the broker is, its key says.
  const std::unique_ptr<BIO, Freed<BIO_free_all>> connection(
      context ? BIO_new_ssl_connect(context.get()) : nullptr);
  if (!connection) return fail(Errc::connect_failed, "out of memory");
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  BIO_set_conn_hostname(connection.get(), (name + ":" + std::to_string(port)).c_str());
  BIO_set_nbio(connection.get(), 1);
  SSL* tls = nullptr;
  BIO_get_ssl(connection.get(), &tls);
  const bool connected = BIO_do_connect_retry(connection.get(), kConnectSeconds, 20) == 1;
  const Certificate certificate(connected ? SSL_get1_peer_certificate(tls) : nullptr);
  if (!certificate) return fail(Errc::connect_failed, "nothing answers with TLS");
  return end_of(certificate.get());
}

Finding judge_certificate(const std::string& where, const Result<std::int64_t>& end,
                          std::int64_t now_s) {
  const std::string check = "certificate of " + where;
  if (!end)
    return {check, Health::bad, end.error().detail, "is the broker running? is the path right?"};
  const std::int64_t days = (*end - now_s) / kDay;
  const std::string until = time_text({static_cast<std::uint64_t>(*end) * 1000}).substr(0, 10);
  if (*end <= now_s)
    return {check, Health::warning,
            "expired on " + until + ": browsers refuse it (agents pin the broker's key instead)",
            "make or renew it, then: systemctl reload sealwired"};
  return finding(check, days >= kSoonDays, fmt::format("until {}, {} days", until, days),
                 "renew it, then: systemctl reload sealwired", Health::warning);
}

}  // namespace sealwire::cli

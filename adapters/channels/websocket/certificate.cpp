#include "adapters/channels/websocket/certificate.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace sealwire::channel {
namespace {

constexpr long kValidSeconds = 365L * 24 * 3600;
constexpr long kBackdatedSeconds = 3600;  // for clocks that are behind

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using File = std::unique_ptr<std::FILE, Freed<std::fclose>>;

bool add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

Certificate make_certificate(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  std::uint64_t serial = 0;
  if (!certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return nullptr;
  auto* it = certificate.get();
  auto* name = X509_get_subject_name(it);
  const bool made = X509_set_version(it, X509_VERSION_3) == 1 &&
                    ASN1_INTEGER_set_uint64(X509_get_serialNumber(it), (serial >> 1) | 1) == 1 &&
                    X509_gmtime_adj(X509_getm_notBefore(it), -kBackdatedSeconds) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(it), kValidSeconds) != nullptr &&
                    X509_set_pubkey(it, key) == 1 &&
                    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                               reinterpret_cast<const unsigned char*>("localhost"),
                                               -1, -1, 0) == 1 &&
                    X509_set_issuer_name(it, name) == 1 &&
                    add_extension(it, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
                    add_extension(it, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    X509_sign(it, key, EVP_sha256()) != 0;
  return made ? std::move(certificate) : nullptr;
}

// A broker whose certificate was lost with the power does not start again.
bool flush_to_disk(std::FILE* file) {
  return std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0;
}

}  // namespace

Result<> make_self_signed(const std::string& certificate_file,
                          const std::string& private_key_file) {
  const Key key(EVP_EC_gen("P-256"));
  const auto certificate = key ? make_certificate(key.get()) : nullptr;
  if (!certificate) return fail(Errc::crypto_failed, "a certificate could not be made");
  const int descriptor =
      ::open(private_key_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const File key_file(descriptor < 0 ? nullptr : ::fdopen(descriptor, "w"));
  if (!key_file ||
      PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      !flush_to_disk(key_file.get())) {
    return fail(Errc::file_failed, private_key_file);
  }
  const File file(std::fopen(certificate_file.c_str(), "we"));
  if (!file || PEM_write_X509(file.get(), certificate.get()) != 1 || !flush_to_disk(file.get())) {
    return fail(Errc::file_failed, certificate_file);
  }
  return {};
}

}  // namespace sealwire::channel

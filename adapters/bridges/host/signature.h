// HTTP requests that prove who made them: RFC 9421 with Ed25519, and RFC 9530's Content-Digest with
// SHA-256. One signature a request; components without parameters.
#pragma once

#include <array>
#include <map>
#include <string>

#include "protocol/crypto/crypto.h"
#include "protocol/time.h"

namespace sealwire::bridge {

inline constexpr std::uint64_t kSignatureAgeS = 300;  // older or newer than that is refused
inline constexpr std::size_t kSignatureHeaderBytes = 2048;

using VerifyKey = std::array<std::uint8_t, 32>;

struct HttpRequest {
  std::string method;
  std::string uri;                             // absolute, as its maker wrote it
  std::map<std::string, std::string> headers;  // by name in lower case
};

/// The headers that sign `request` and `body`: Content-Digest, Signature-Input and Signature,
/// covering method, target URI and digest.
std::map<std::string, std::string> sign_request(const HttpRequest& request, ByteSpan body,
                                                const std::string& key_id,
                                                const crypto::SigningKey& key, Random& random,
                                                UnixMillis now);

/// The id of the key that signed what it covers, whatever that is. Fails with denied.
[[nodiscard]] Result<std::string> verify_signature(const HttpRequest& request,
                                                   const std::map<std::string, VerifyKey>& keys,
                                                   UnixMillis now);

/// The same of a signature that covers enough. Covered must be the method, the target (as
/// @target-uri, or as
/// @authority, @path and, where there is one, @query) and Content-Digest. Fails with
/// denied; whoever called has still to ask `is_digest_of`.
[[nodiscard]] Result<std::string> verify_request(const HttpRequest& request,
                                                 const std::map<std::string, VerifyKey>& keys,
                                                 UnixMillis now);

/// Whether the request's Content-Digest has the SHA-256 of `body`.
bool is_digest_of(const HttpRequest& request, ByteSpan body);

}  // namespace sealwire::bridge

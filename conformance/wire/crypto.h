// SPEC chapter 0's notation and suite 1, straight from libsodium and OpenSSL.
#pragma once

#include <initializer_list>
#include <optional>

#include "conformance/wire/bytes.h"

namespace conformance {

Bytes random_bytes(std::size_t count);
std::uint64_t now_ms();
void sleep_until_ms(std::uint64_t when);

/// H(x).
Bytes hash(View data);
/// L(label, p1, …, pn).
Bytes labelled(std::string_view label, std::initializer_list<View> parts);

Bytes public_key(View seed);
Bytes sign(View seed, View message);
bool verify(View key, View message, View signature);

struct AgreementKey {
  Bytes secret, key;
};
AgreementKey make_agreement_key();
/// Nothing where the output is all zero (SES-023).
std::optional<Bytes> agree(View secret, View peer);

Bytes hmac(View key, View message);
/// HKDF with SHA-256 (RFC 5869), whole and its second step.
Bytes expand(View prk, View info, std::size_t size);
Bytes hkdf(View salt, View ikm, View info, std::size_t size);

Bytes aead_seal(View key, std::uint64_t counter, View text);
std::optional<Bytes> aead_open(View key, std::uint64_t counter, View sealed);

/// RFC 9562 version 7.
Bytes uuid7(std::uint64_t at_ms);

std::string base58(View raw);
std::string did_key(View key);
std::string agent_text(View id);

}  // namespace conformance

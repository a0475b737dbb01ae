// Credentials (RFC 9420 section 5.3). We issue basic ones; X.509 chains are read but never
// accepted.
#pragma once

#include "protocol/mls/suite.h"

namespace sealwire::mls {

enum class CredentialType : std::uint16_t { basic = 1, x509 = 2 };

// struct { CredentialType credential_type;
//          select (Credential.credential_type) {
//            case basic: opaque identity<V>;
//            case x509: Certificate certificates<V>; }; } Credential;
struct Credential {
  CredentialType type = CredentialType::basic;
  Bytes identity;                   // basic
  std::vector<Bytes> certificates;  // x509
  void write(Writer& writer) const {
    writer.put(type);
    type == CredentialType::basic ? writer.put(identity) : writer.put(certificates);
  }
  bool read(Reader& reader) {
    if (!reader.get(type)) return false;
    if (type == CredentialType::basic) return reader.get(identity);
    return type == CredentialType::x509 && reader.get(certificates);
  }
  friend bool operator==(const Credential&, const Credential&) = default;
};

}  // namespace sealwire::mls

// Extensions (RFC 9420 section 13): an id and bytes, which are read only by who knows the id.
#pragma once

#include "protocol/mls/suite.h"

namespace sealwire::mls {

enum class ExtensionType : std::uint16_t {
  application_id = 1,
  ratchet_tree = 2,
  required_capabilities = 3,
  external_pub = 4,
  external_senders = 5,
  last_resort_key_package = 0x000a,  // draft-ietf-mls-extensions
};

// struct { ExtensionType extension_type; opaque extension_data<V>; } Extension;
struct Extension {
  ExtensionType type{};
  Bytes data;
  SW_MLS_FIELDS(type, data)
  friend bool operator==(const Extension&, const Extension&) = default;
};
using Extensions = std::vector<Extension>;

const Extension* find_extension(const Extensions& extensions, ExtensionType type);
/// Section 13: "there MUST NOT be more than one extension of each type".
bool extensions_unique(const Extensions& extensions);

// struct { ExtensionType extension_types<V>; ProposalType proposal_types<V>;
//          CredentialType credential_types<V>; } RequiredCapabilities;
struct RequiredCapabilities {
  std::vector<ExtensionType> extensions;
  std::vector<std::uint16_t> proposals;
  std::vector<std::uint16_t> credentials;
  SW_MLS_FIELDS(extensions, proposals, credentials)
};

// struct { HPKEPublicKey external_pub; } ExternalPub;
struct ExternalPub {
  Bytes external_pub;
  SW_MLS_FIELDS(external_pub)
};

}  // namespace sealwire::mls

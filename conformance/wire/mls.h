// What of MLS (RFC 9420) is readable without being in the group: key packages, and the clear part
// of messages. The suite makes key packages too, so that they can be wrong.
#pragma once

#include <optional>

#include "conformance/wire/bytes.h"

namespace conformance {

/// MLSMessage of a KeyPackage (sections 6 and 10). What is not named here is kept as it was read.
struct KeyPackage {
  std::uint64_t version = 1, wire_format = 5, cipher_suite = 3, credential_type = 1,
                leaf_node_source = 1, not_before = 0, not_after = 0;
  Bytes init_key, encryption_key, leaf_key, identity;
  Bytes capabilities, leaf_extensions, extensions;             // as they are encoded
  bool leaf_signature_holds = false, signature_holds = false;  // under the leaf's key

  static KeyPackage read(View message);  // throws Failure
  /// The message, both signatures made with this seed.
  Bytes write(View seed) const;

 private:
  Bytes leaf() const;
};

/// The clear part of an MLSMessage in an envelope.
struct MlsMessage {
  enum : std::uint64_t { public_message = 1, private_message = 2, welcome = 3 };
  std::uint64_t wire_format = 0, epoch = 0, content_type = 0, cipher_suite = 0;
  Bytes group_id, authenticated_data;
  std::size_t ciphertext_bytes = 0;

  static MlsMessage read(View message);  // throws Failure
};

}  // namespace conformance

// PrivateMessage (RFC 9420 section 6.3): content encrypted under a ratchet key, its sender under a
// key of the epoch.
#pragma once

#include "protocol/mls/framing.h"
#include "protocol/mls/padding.h"
#include "protocol/mls/secret_tree.h"

namespace sealwire::mls {

// struct { opaque group_id<V>; uint64 epoch; ContentType content_type; opaque
// authenticated_data<V>;
//          opaque encrypted_sender_data<V>; opaque ciphertext<V>; } PrivateMessage;
struct PrivateMessage {
  Bytes group_id;
  std::uint64_t epoch{};
  ContentType content_type = ContentType::application;
  Bytes authenticated_data;
  Bytes encrypted_sender_data;
  Bytes ciphertext;
  SW_MLS_FIELDS(group_id, epoch, content_type, authenticated_data, encrypted_sender_data,
                ciphertext)
};

// struct { uint32 leaf_index; uint32 generation; opaque reuse_guard[4]; } SenderData;
struct SenderData {
  LeafIndex leaf{};
  std::uint32_t generation{};
  std::array<std::uint8_t, 4> reuse_guard{};
  SW_MLS_FIELDS(leaf, generation, reuse_guard)
};

constexpr RatchetType ratchet_type(ContentType content) {
  return content == ContentType::application ? RatchetType::application : RatchetType::handshake;
}

/// `content` is of a member and has the wire format private_message; `key` is its ratchet's.
PrivateMessage protect_private(const AuthenticatedContent& content, const MessageKey& key,
                               const KdfSecret& sender_data_secret, PaddingFunction pad,
                               Random& random);
/// Fails with `mls_undecryptable`: whoever made the message does not know the epoch's secrets.
Result<SenderData> open_sender_data(const PrivateMessage& message,
                                    const KdfSecret& sender_data_secret);
/// The signature is left to verify_content(). Fails with `mls_undecryptable` or `mls_malformed`.
Result<AuthenticatedContent> open_private(const PrivateMessage& message, const SenderData& sender,
                                          const MessageKey& key);

struct SenderDataKey {
  Secret<32> key;
  std::array<std::uint8_t, 12> nonce{};
};
/// Section 6.3.2: from the epoch's secret and the first bytes of the ciphertext.
SenderDataKey sender_data_key(const KdfSecret& sender_data_secret, ByteSpan ciphertext);

}  // namespace sealwire::mls

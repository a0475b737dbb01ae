// The key schedule (RFC 9420 section 8): from one epoch's init secret to all secrets of the next.
#pragma once

#include "protocol/mls/extension.h"

namespace sealwire::mls {

// struct { ProtocolVersion version = mls10; CipherSuite cipher_suite; opaque group_id<V>;
//          uint64 epoch; opaque tree_hash<V>; opaque confirmed_transcript_hash<V>;
//          Extension extensions<V>; } GroupContext;
struct GroupContext {
  ProtocolVersion version = ProtocolVersion::mls10;
  CipherSuite cipher_suite = kSuite;
  Bytes group_id;
  std::uint64_t epoch{};
  Bytes tree_hash;
  Bytes confirmed_transcript_hash;
  Extensions extensions;
  SW_MLS_FIELDS(version, cipher_suite, group_id, epoch, tree_hash, confirmed_transcript_hash,
                extensions)
};

struct EpochSecrets {
  KdfSecret sender_data;
  KdfSecret encryption;  // moves into the secret tree
  KdfSecret exporter;
  KdfSecret external;
  KdfSecret confirmation_key;
  KdfSecret membership_key;
  KdfSecret resumption_psk;
  KdfSecret epoch_authenticator;
  KdfSecret init;
  SW_MLS_FIELDS(sender_data, encryption, exporter, external, confirmation_key, membership_key,
                resumption_psk, epoch_authenticator, init)
};

KdfSecret joiner_secret(const KdfSecret& init_secret, const KdfSecret& commit_secret,
                        ByteSpan group_context);
KdfSecret welcome_secret(const KdfSecret& joiner, const KdfSecret& psk_secret);
EpochSecrets epoch_secrets(const KdfSecret& joiner, const KdfSecret& psk_secret,
                           ByteSpan group_context);
/// What epoch_secrets() ends with; by itself only for a new group, whose epoch secret is random.
EpochSecrets expand_epoch_secret(const KdfSecret& epoch_secret);

/// MLS-Exporter (section 8.5). `out` is at most 255 * 32 bytes.
void export_secret(const KdfSecret& exporter_secret, std::string_view label, ByteSpan context,
                   std::span<std::uint8_t> out);
/// The key pair of external commits (section 8.3).
crypto::AgreementKey external_key_pair(const KdfSecret& external_secret);

// --- transcript hashes (section 8.2)
/// `input` is an encoded ConfirmedTranscriptHashInput.
Bytes confirmed_transcript_hash(ByteSpan interim_before, ByteSpan input);
Bytes interim_transcript_hash(ByteSpan confirmed, ByteSpan confirmation_tag);
Bytes confirmation_tag(const EpochSecrets& secrets, ByteSpan confirmed_transcript_hash);

}  // namespace sealwire::mls

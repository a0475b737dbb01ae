// Envelopes and frames for tests that do not care what is sealed inside.
#pragma once

#include "protocol/envelope/envelope.h"
#include "protocol/frame/frame.h"
#include "tests/support/seeded_random.h"

namespace sealwire::test {

inline constexpr UnixMillis kNow{1'800'000'000'000};

/// A well-formed durable application header of `key`, first in its chain.
inline Header application_header(const crypto::SigningKey& key, Random& random,
                                 UnixMillis now = kNow) {
  Header header;
  header.id = make_envelope_id(now, random);
  header.sender = key.public_key<InstanceKey>();
  header.kind = Kind::application;
  header.conversation = random.make<ConversationId>();
  header.incarnation = 1;
  header.epoch = 1;
  header.created = now;
  header.expires = now + kHourMs;
  return header;
}

inline Bytes envelope_bytes(const Header& header, const crypto::SigningKey& key,
                            std::string_view body = "body") {
  return seal_envelope(encode_header(header), as_bytes(body), key).bytes;
}

/// A Send with one bundle a vector.
inline Bytes send_frame(const std::vector<std::vector<Bytes>>& bundles) {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<wire::Bundle>> bundle_offsets;
  for (const auto& bundle : bundles) {
    std::vector<flatbuffers::Offset<wire::EnvelopeBytes>> envelopes;
    for (const Bytes& bytes : bundle)
      envelopes.push_back(wire::CreateEnvelopeBytes(b, put(b, bytes)));
    bundle_offsets.push_back(wire::CreateBundle(b, b.CreateVector(envelopes)));
  }
  return finish_frame(b, wire::CreateSend(b, b.CreateVector(bundle_offsets)));
}

}  // namespace sealwire::test

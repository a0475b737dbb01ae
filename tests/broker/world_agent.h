// An agent of the test world: it has a real key and makes real envelopes; what is sealed inside is
// any text, which no broker can tell from ciphertext.
#pragma once

#include <map>
#include <string>

#include "protocol/envelope/envelope.h"
#include "protocol/identity/inception.h"
#include "tests/support/seeded_random.h"

namespace sealwire::test {

/// The sender's own view of its chain in one conversation.
struct ChainView {
  std::uint32_t incarnation = 1;
  std::uint64_t epoch = 0;
  std::uint64_t sender_seq = 0;
  Digest previous;
};

struct MadeEnvelope {
  Header header;
  Bytes bytes;
  Digest link;
  Digest digest;
};

class WorldAgent {
 public:
  WorldAgent(Random& random, UnixMillis now);

  const crypto::SigningKey& key() const { return key_; }
  const AgentIdentity& identity() const { return identity_; }
  const AgentId& id() const { return identity_.agent; }
  const InstanceKey& instance() const { return identity_.instance; }
  ChainView& chain(const ConversationId& conversation) { return chains_[conversation]; }

  /// A header with id, sender and times; the rest is the test's.
  Header header(Kind kind, UnixMillis now) const;
  MadeEnvelope make(const Header& header, std::string_view body = "body") const;

  /// The commit and welcome that open `conversation` with `peer`; the chain goes on after it.
  std::vector<MadeEnvelope> opening(const ConversationId& conversation, const WorldAgent& peer,
                                    UnixMillis now, std::uint32_t incarnation = 1);
  /// What a joiner knows once it has the welcome.
  void join(const ConversationId& conversation, std::uint32_t incarnation = 1);
  /// The next of the chain; the chain goes on.
  MadeEnvelope application(const ConversationId& conversation, UnixMillis now,
                           std::string_view body = "body");
  /// Names the position that the next of the chain would take.
  MadeEnvelope transient(const ConversationId& conversation, UnixMillis now);
  /// A commit for the same two members. The chain goes on only with `committed`.
  MadeEnvelope update(const ConversationId& conversation, const WorldAgent& peer, UnixMillis now);
  void committed(const MadeEnvelope& commit);
  /// Another's commit was received.
  void next_epoch(const ConversationId& conversation);
  MadeEnvelope letter(const WorldAgent& peer, UnixMillis now) const;

 private:
  Header positioned(Kind kind, const ConversationId& conversation, UnixMillis now);

  Random& random_;
  crypto::SigningKey key_;
  AgentIdentity identity_;
  std::map<ConversationId, ChainView> chains_;
};

}  // namespace sealwire::test

// One conversation with one peer: its MLS group, the chains of both sides, and the bundle that
// opens its next incarnation. Nothing here sends; the outbox does, when what changed is on disk.
#pragma once

#include "protocol/mls/group.h"
#include "sdk/cpp/core/rows.h"
#include "sdk/cpp/core/shared.h"

namespace sealwire::sdk {

struct Opening {
  std::uint32_t incarnation = 0;
  mls::Group group;     // its first commit pending
  ChainPosition chain;  // of ours, after that commit
};

struct Conversation {
  ConversationId id;
  AgentId peer;
  InstanceKey peer_instance;
  std::uint32_t incarnation = 0;  // 0: not yet established
  ChainPosition sealed;           // ours: after what was sealed
  ChainPosition accepted;         // ours: after what the broker has accepted
  ChainPosition received;         // the peer's: after what was processed
  UnixMillis last_update;         // of our leaf
  std::uint64_t epoch = 0;
  EnvelopeId opened_by;        // our last opening's Welcome; zero: the peer opened it
  bool reopen = false;         // the group is wedged: open the next incarnation
  std::uint32_t reopened = 0;  // times in a row without a message opened since

  // memory only
  std::optional<mls::Group> group;  // loaded on first use
  std::optional<Opening> opening;
  bool checked = false;  // against the broker's view of our chain, since this process started
  bool checking = false;
  bool changed = false;           // row to be written
  bool group_changed = false;     // with the MLS state of the epoch
  bool ratchets_changed = false;  // or only with its ratchets

  bool established() const { return incarnation != 0; }
};

/// What opens or updates a conversation, sealed: one bundle.
struct ControlBundle {
  EnvelopeId id;  // of the commit
  std::vector<Bytes> envelopes;
  Digest digest;
  ChainPosition before;
  ChainPosition after;
  std::uint32_t incarnation = 0;
};

class Conversations {
 public:
  explicit Conversations(Shared& shared) : shared_(shared) {}
  Result<> load();

  Conversation* find(const ConversationId& id);
  /// Where messages to the peer go: the established one with the smallest id (both sides come to
  /// the same); null if there is none.
  Conversation* for_sending(const AgentId& peer);
  /// One being opened by us; null if there is none.
  Conversation* opening_with(const AgentId& peer);
  const std::map<ConversationId, Conversation>& all() const { return conversations_; }
  /// All with the peer.
  const std::vector<ConversationId>& with(const AgentId& peer) const;

  // --- sealing
  /// Seals `unit` as the next of our chain and fills in what it became. The unit's id is kept if it
  /// has one.
  Result<> seal(Conversation& conversation, Unit& unit);
  /// A new group for the peer who owns `key_package` (verified here against `instance`). With
  /// `existing` its next incarnation, else a new conversation.
  Result<Conversation*> open(const AgentId& peer, const InstanceKey& instance, ByteSpan key_package,
                             Conversation* existing, ControlBundle& bundle);
  Result<ControlBundle> update(Conversation& conversation);
  bool update_due(const Conversation& conversation) const;

  // --- what the broker said
  Result<> opening_accepted(Conversation& conversation);
  /// `conversation` is gone if it never was established.
  void opening_refused(Conversation& conversation);
  Result<> update_accepted(Conversation& conversation);
  Result<> update_refused(Conversation& conversation);
  /// The peer has written from where only our opening or update could have brought it: the broker
  /// has accepted that, and its answer is still to come or was lost.
  bool is_ahead(Conversation& conversation, const Header& header);
  Result<> catch_up(Conversation& conversation);

  // --- opening. Each either succeeds or changes nothing.
  Result<Bytes> open_application(Conversation& conversation, const Envelope& envelope);
  Result<> process_commit(Conversation& conversation, const Envelope& envelope);
  /// Joins; `bundle` is the key package's. Fails if the Welcome is not what its envelope says
  /// (E2E-021).
  Result<Conversation*> join(const AgentId& peer, const Envelope& welcome,
                             const mls::KeyPackageBundle& bundle);

  /// The broker does not know it: whoever writes next opens another.
  void forget(Conversation& conversation);
  /// Something of it that is not MLS state was set: to be written.
  void touch(Conversation& conversation) { changed(conversation); }
  /// The same for what the broker tells again.
  void touch_lazily(Conversation& conversation);

  Result<mls::Group*> group(Conversation& conversation);
  /// Puts what changed into the next flush's writes.
  void save();

 private:
  Header header(const Conversation& conversation, Kind kind, std::uint32_t incarnation,
                std::uint64_t epoch, const ChainPosition& chain, UnixMillis expires);
  mls::Policy policy(const InstanceKey& peer) const;
  void changed(Conversation& conversation);

  Shared& shared_;
  std::map<ConversationId, Conversation> conversations_;
  std::map<AgentId, std::vector<ConversationId>> by_peer_;
  std::vector<ConversationId> changed_;
};

}  // namespace sealwire::sdk

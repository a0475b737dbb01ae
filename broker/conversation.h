// The Delivery Service (RFC 9750): stage AuthorizedEnvelope → SequencedEnvelope. Per conversation
// one compare-and-swap on (incarnation, epoch), the senders' chains, and one sequence.
#pragma once

#include "broker/chain.h"
#include "broker/changes.h"

namespace sealwire::broker {

class AuthorizedEnvelope;

struct Member {
  AgentNumber agent = 0;
  std::optional<ChainHead> head;  // of any incarnation; only the current one's counts
  std::uint64_t last_entry = 0;   // in the member's mailbox, of this conversation
  bool head_changed = false;
};

struct Conversation {
  ConversationRecord record;
  std::vector<Member> members;
  bool changed = false;

  Member* member(AgentNumber agent);
  const Member* member(AgentNumber agent) const {
    return const_cast<Conversation*>(this)->member(agent);
  }
  /// Of the current incarnation; null if the member has sent nothing chained in it.
  const ChainHead* head(AgentNumber agent) const;
};

/// An envelope with its place: the chain is right, the epoch is current, and no other envelope has
/// its sequence. Only `Conversations::sequence` makes one.
class SequencedEnvelope {
 public:
  const Envelope& envelope() const { return *envelope_; }
  const Header& header() const { return envelope_->header(); }
  const std::shared_ptr<const Envelope>& shared() const { return envelope_; }
  AgentNumber sender() const { return sender_; }
  /// In the conversation; 0 for letters and transients.
  std::uint64_t sequence() const { return sequence_; }
  /// Whose mailboxes it goes to.
  const std::vector<AgentNumber>& readers() const { return readers_; }

 private:
  SequencedEnvelope() = default;
  friend class Conversations;
  std::shared_ptr<const Envelope> envelope_;
  AgentNumber sender_ = 0;
  std::uint64_t sequence_ = 0;
  std::vector<AgentNumber> readers_;
};

/// A cache over the store. What it holds is as decided; what a failed commit has touched is
/// forgotten and read again.
class Conversations {
 public:
  Conversations(Store& store, Directory& directory) : store_(store), directory_(directory) {}

  /// Null if there is none. The pointer is valid until `forget` or `shrink`.
  Result<Conversation*> find(const ConversationId& id);

  /// One bundle, whole: all checks come before any change. Fails with bundle_invalid, denied,
  /// stale_epoch, epoch_conflict, chain_broken.
  Result<std::vector<SequencedEnvelope>> sequence(std::vector<AuthorizedEnvelope> bundle,
                                                  Changes& changes);

  /// Adds the ops of what changed in `changes.conversations`.
  void write(Changes& changes);
  void forget(const std::set<ConversationId>& ids);
  /// Empties the cache when it has more than `max`; only when nothing of it is pending.
  void shrink(std::size_t max);
  std::size_t cached() const { return cache_.size(); }

 private:
  Result<std::vector<SequencedEnvelope>> open(const std::vector<AuthorizedEnvelope>& bundle,
                                              Changes& changes);
  Result<SequencedEnvelope> commit(const AuthorizedEnvelope& envelope, Changes& changes);
  Result<SequencedEnvelope> application(const AuthorizedEnvelope& envelope, Changes& changes);
  SequencedEnvelope take(Conversation& conversation, const AuthorizedEnvelope& envelope,
                         Changes& changes);

  Store& store_;
  Directory& directory_;
  std::unordered_map<ConversationId, std::unique_ptr<Conversation>> cache_;
};

}  // namespace sealwire::broker

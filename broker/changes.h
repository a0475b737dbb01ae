// What was decided and is not yet on disk: the ops of one batch, what follows when they are
// committed, and what has to be read again when they are not.
#pragma once

#include <set>

#include "broker/directory.h"
#include "broker/event.h"

namespace sealwire::broker {

using BatchId = std::uint64_t;

/// A receipt as an Acceptance will carry it.
struct Receipt {
  EnvelopeId id;
  Digest digest;
  std::uint64_t sequence = 0;
};

/// Why a bundle was refused, and what its sender may know of the conversation.
struct Rejection {
  EnvelopeId id;
  Errc code = Errc::denied;
  std::uint32_t incarnation = 0;
  std::uint64_t epoch = 0;
  std::optional<Remains> last;
};

// --- consequences: told to the world when the batch is on disk, in this order --------------------

struct Receipted {
  ConnectionId connection = 0;
  Receipt receipt;
  bool opens_bundle = false;
};
struct Rejected {
  ConnectionId connection = 0;
  Rejection rejection;
};
struct Answered {
  ConnectionId connection = 0;
  std::uint32_t call = 0;
  Bytes reply;
};
struct BecomesReady {
  ConnectionId connection = 0;
};
/// A new mailbox entry, to be delivered from memory if its owner has read all before it.
struct Fresh {
  MailboxEntry entry;
};
/// A transient for `owner`, unless something up to `after` is still undelivered.
struct Passing {
  AgentNumber owner = 0;
  AgentNumber sender = 0;
  std::uint64_t after = 0;
  SharedBytes bytes;
};
/// An entry that blocked its mailbox's delivery has changed.
struct Unblocked {
  AgentNumber owner = 0;
};
/// A Nack has no answer: if what it led to is not written, its session ends and tells it again.
struct NackTaken {
  ConnectionId connection = 0;
};
using Consequence =
    std::variant<Receipted, Rejected, Answered, BecomesReady, Fresh, Passing, Unblocked, NackTaken>;

struct Changes {
  std::vector<StoreOp> ops;
  std::size_t bytes = 0;  // of items and key packages in `ops`
  std::vector<Consequence> consequences;
  std::vector<AgentNumber> agents;  // each once
  std::set<ConversationId> conversations;
  std::set<InviteKey> invites;
  std::vector<ItemNumber> burying;

  bool empty() const { return ops.empty() && consequences.empty() && agents.empty(); }
  void add(StoreOp op) { ops.push_back(std::move(op)); }
  /// `agent`'s state has changed or will: it is written with the batch, or read again.
  void touch(Agent& agent) {
    if (!agent.touched) agents.push_back(agent.number);
    agent.touched = true;
  }
};

}  // namespace sealwire::broker

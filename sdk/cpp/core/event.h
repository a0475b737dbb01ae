// What the core tells the application's side, after what it rests on is on disk.
#pragma once

#include <variant>

#include "protocol/content/content.h"
#include "sealwire/agent.h"

namespace sealwire::sdk {

/// Names a send for the application's side, within one run; 0 where nobody waits.
using Ticket = std::uint64_t;

/// One content that arrived: what an inbox row holds.
struct Received {
  std::uint64_t number = 0;  // of the row; 0: not stored (a transient)
  MessageId id;
  AgentId from;
  ConversationId conversation;  // zero: a letter
  Content content;
  UnixMillis sent;
  std::string provenance;
  std::uint64_t sequence = 0;
  bool transient = false;
  bool letter = false;
};
struct SendStored {
  Ticket ticket;
};
/// The message has its id; told before any answer can come.
struct SendSealed {
  Ticket ticket;
  MessageId id;
};
struct SendAccepted {
  Ticket ticket;
  MessageId id;
  std::uint64_t sequence = 0;  // 0: the broker does not tell it any more
};
struct SendRefused {
  Ticket ticket;
  Error error;
};
/// What the receiver or the broker refused after it had been accepted: every message of the
/// envelope.
struct RefusedLater {
  EnvelopeId envelope;
  Error error;
};
struct Connected {};
struct Disconnected {
  Error why;
};
using Event = std::variant<Received, SendStored, SendSealed, SendAccepted, SendRefused,
                           RefusedLater, Connected, Disconnected, Notice>;

}  // namespace sealwire::sdk

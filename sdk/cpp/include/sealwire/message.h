// What arrives, and what becomes of what was sent.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "sealwire/error.h"
#include "sealwire/payload.h"

namespace sealwire {

class AgentImpl;
class SendingState;

using Time = std::chrono::system_clock::time_point;
using Millis = std::chrono::milliseconds;

/// The broker's promise: the envelope is on its disk.
struct Accepted {
  std::string message_id;      ///< names this message for both sides
  std::uint64_t sequence = 0;  ///< in the conversation; 0 for letters and transients
};

/// A message on its way. Cheap to copy; outlives the agent harmlessly.
class Sending {
 public:
  Sending() = default;
  explicit Sending(std::shared_ptr<SendingState> state) : state_(std::move(state)) {}
  /// Blocks until the broker has accepted the message. Fails with what it was refused for
  /// (`denied`, `quota_exceeded`, …), with `timeout` (it is still on its way), or with `closed`.
  [[nodiscard]] Result<Accepted> wait(Millis timeout) const;
  /// Blocks until the message is in the agent's own state on disk: from here on it is sent even if
  /// this process dies. A transient is never stored.
  [[nodiscard]] Result<> stored(Millis timeout) const;
  /// The outcome if there is one yet.
  [[nodiscard]] std::optional<Result<Accepted>> outcome() const;

 private:
  std::shared_ptr<SendingState> state_;
};

struct Message {
  std::string id;            ///< 36 hex digits; the same when a message is handed over again
  std::string from;          ///< agent id ("agent:z…"), authenticated
  std::string nickname;      ///< this agent's own name for `from`, or ""
  std::string conversation;  ///< 32 hex digits, "" for a letter
  PayloadKind kind = PayloadKind::message;
  Payload payload;
  std::string reply_to;          ///< id of the message that this answers, or ""
  Time sent;                     ///< by the sender's clock
  std::optional<Time> deadline;  ///< of a request
  std::string provenance;        ///< "" = native, else "bridged:<channel>"
  std::string trace;             ///< W3C trace context, or ""
  std::uint64_t sequence = 0;    ///< in the conversation; 0 for letters and transients
  bool transient = false;
  bool letter = false;

  std::string_view text() const { return payload.text(); }
  /// Answers through the agent that received the message. Fails with `closed` after its end.
  Result<Sending> reply(Payload answer) const;
  /// Answers a request with an error, `text` being for a person.
  Result<Sending> reply_error(std::string_view text) const;

  std::weak_ptr<AgentImpl> agent;  ///< for reply(); not the application's
  std::uint64_t inbox_number = 0;  ///< local; for acknowledge()
};

}  // namespace sealwire

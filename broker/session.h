// A session as the router sees it: whose it is, what it may still be sent, when it was last heard.
#pragma once

#include <deque>
#include <set>
#include <unordered_map>

#include "broker/directory.h"
#include "broker/event.h"

namespace sealwire::broker {

/// One entry on its way to a receiver.
struct Delivery {
  std::uint64_t sequence = 0;  // 0: a transient
  std::uint64_t conversation_sequence = 0;
  ItemType type = ItemType::envelope;
  SharedBytes bytes;
};

struct Session {
  ConnectionId connection = 0;
  AgentNumber agent = 0;
  SessionId id;
  Digest transcript;
  bool ready = false;    // Ready has been sent
  bool blocked = false;  // the channel does not take more

  // invariant: sent ≤ credit, entry by entry and byte by byte
  std::uint64_t credit_entries = 0;
  std::uint64_t credit_bytes = 0;
  std::uint64_t sent_entries = 0;
  std::uint64_t sent_bytes = 0;

  std::uint64_t next = 1;  // the mailbox sequence to deliver next
  struct Unacked {
    std::uint64_t sequence = 0;
    std::uint64_t bytes_total = 0;
  };
  std::deque<Unacked> unacked;
  std::set<std::uint64_t> nacked;  // refused ahead of the cumulative Ack
  std::vector<Delivery> outgoing;  // of this step

  UnixMillis heard;
  UnixMillis pinged;

  bool takes(std::size_t bytes) const {
    return ready && !blocked && sent_entries < credit_entries && sent_bytes <= credit_bytes &&
           bytes <= credit_bytes - sent_bytes;
  }
};

class Sessions {
 public:
  Session& open(ConnectionId connection, AgentNumber agent, UnixMillis now);
  Session* find(ConnectionId connection);
  void close(ConnectionId connection) { sessions_.erase(connection); }
  std::size_t size() const { return sessions_.size(); }
  /// In order of connection, so that every run does the same.
  std::vector<Session*> all();

 private:
  std::unordered_map<ConnectionId, std::unique_ptr<Session>> sessions_;
};

/// Takes a Credit; fails with frame_field when it is lower than an earlier one (DLV-023).
Result<> grant(Session& session, const CreditGranted& credit);

}  // namespace sealwire::broker

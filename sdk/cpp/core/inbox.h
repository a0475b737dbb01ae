// Everything on its way in: mailbox entries in their order, each checked against its sender's chain
// before a ratchet moves; what comes out goes to disk with everything it changed, then is
// acknowledged, then told.
#pragma once

#include "sdk/cpp/core/key_supply.h"
#include "sdk/cpp/core/outbox.h"

namespace sealwire::sdk {

class Inbox {
 public:
  Inbox(Shared& shared, Session& session, Peers& peers, Conversations& conversations,
        Outbox& outbox, KeySupply& keys)
      : shared_(shared),
        session_(session),
        peers_(peers),
        conversations_(conversations),
        outbox_(outbox),
        keys_(keys) {}
  /// Tells every message that the application has not acknowledged yet.
  Result<> load();

  /// Errors end the session.
  Result<> on_deliver(const wire::Deliver& deliver);
  /// Goes on with entries that waited for a look-up.
  Result<> process();
  /// `erased`: a transaction of the application's has removed the row already.
  void acknowledge(std::uint64_t number, bool erased);
  Result<> on_ready();
  void on_session_end();
  /// Queues what the broker is to be told of the batch: Ack, Nacks, Credit.
  void answer();

  Session::Resume resume() const;
  std::size_t waiting() const { return waiting_; }

 private:
  struct Entry {
    std::uint64_t sequence = 0;
    std::uint64_t conversation_sequence = 0;
    wire::Item type = wire::Item::NONE;
    Bytes bytes;  // envelope, or a tombstone's header
    Digest body_hash;
    Signature signature;
    SignedStatement statement;  // Refusal, Redemption
    SignedStatement inception;  // with a Redemption

    /// What it costs of our byte credit (DLV-031).
    std::size_t credit_bytes() const;
  };
  enum class Outcome : std::uint8_t { done, stalled };

  Result<Entry> read(const wire::Entry& entry) const;
  Result<Outcome> process(const Entry& entry);
  Result<Outcome> on_envelope(const Entry& entry);
  Result<> on_group_envelope(const Entry& entry, const PeerRow& peer, Envelope envelope);
  Result<> on_welcome(const Entry& entry, const PeerRow& peer, Envelope envelope);
  Result<> on_letter(const Entry& entry, const PeerRow& peer, Envelope envelope);
  void on_tombstone(const Entry& entry);
  void on_refused(const Entry& entry);
  /// The envelope is the next of its chain (or a transient at it): opens or processes it.
  void take(const Entry& entry, Conversation& conversation, const Envelope& envelope);
  void take_held(Conversation& conversation);
  void hold(const Entry& entry, Conversation& conversation, const Envelope& envelope);
  void take_plaintext(const Entry& entry, ByteSpan plaintext, const Envelope& envelope,
                      const AgentId& from);
  /// Tells the sender, signed, that its envelope could not be processed.
  void refuse(const Entry& entry, const Envelope& envelope, const AgentId* from,
              const Error& error) {
    refuse(entry, envelope, from, error, wire_code(error.code));
  }
  void refuse(const Entry& entry, const Envelope& envelope, const AgentId* from, const Error& error,
              wire::Code code);
  void save_cursor();

  Shared& shared_;
  Session& session_;
  Peers& peers_;
  Conversations& conversations_;
  Outbox& outbox_;
  KeySupply& keys_;

  std::deque<Entry> entries_;  // not yet processed; bounded by credit
  bool asked_ = false;         // unknown peers were looked up in this session
  std::uint64_t cursor_ = 0;   // mailbox sequence up to which everything is processed
  std::optional<BrokerIncarnation> incarnation_;
  std::uint64_t acked_ = 0;  // told to the broker in this session
  struct PendingNack {
    SignedStatement refusal;
    unsigned sessions = 0;  // that it was told in
  };
  std::map<std::uint64_t, PendingNack> nacks_;  // that the broker may not have
  std::uint64_t nacked_ = 0;                    // the newest of them told in this session
  bool cursor_changed_ = false;

  std::uint64_t next_number_ = 1;  // of inbox rows
  std::size_t waiting_ = 0;        // messages not acknowledged by the application
  std::uint64_t next_held_ = 1;
  std::map<ConversationId, std::map<std::pair<std::uint64_t, std::uint64_t>, HeldRow>> held_;
  std::map<Digest, UnixMillis> letters_;  // hash of sender and id, until it expires

  // credit since Ready
  std::uint64_t used_entries_ = 0;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t granted_entries_ = 0;
  std::uint64_t granted_bytes_ = 0;
};

}  // namespace sealwire::sdk

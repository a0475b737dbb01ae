// Everything on its way out. Plaintext waits in lanes, one a peer; it is sealed when it can be
// sent, and what is in flight stays until the broker has answered.
#pragma once

#include <list>

#include "sdk/cpp/core/conversation.h"
#include "sdk/cpp/core/peers.h"

namespace sealwire::sdk {

class Outbox {
 public:
  Outbox(Shared& shared, Session& session, Calls& calls, Peers& peers, Conversations& conversations)
      : shared_(shared),
        session_(session),
        calls_(calls),
        peers_(peers),
        conversations_(conversations) {}
  Result<> load();

  /// `stored`: its row is on disk already (a transaction of the application's wrote it).
  void add(Unit unit, bool stored);
  /// The conversation is to be opened again even if nothing waits.
  void reopen(Conversation& conversation);

  /// Seals what can be sent, queues the frames, and puts rows of everything new into the flush.
  void pump();
  /// Errors end the session.
  Result<> on_accepted(const wire::Accepted& accepted);
  Result<> on_rejected(const wire::Rejected& rejected);
  /// The broker answers a Ping that was sent at `pinged`.
  Result<> on_pong(UnixMillis pinged);
  void on_ready();
  void on_session_end();
  void on_timer();
  UnixMillis next_timer() const;
  void on_clock_set_back(std::uint64_t ms);

  std::size_t waiting() const { return waiting_contents_; }
  std::size_t in_flight() const { return by_id_.size(); }
  bool empty() const { return waiting_contents_ == 0 && by_id_.empty(); }

 private:
  struct Waiting {
    Unit unit;
    bool stored = false;
  };
  struct Lane {
    std::deque<Waiting> waiting;
    bool calling = false;  // a Claim or Lookup is under way
    bool must_open = false;
    std::uint32_t failures = 0;
    UnixMillis not_before;
    std::optional<VerifiedPrekey> prekey;
  };
  /// What is sealed for one conversation (or as letters: the zero id), in order.
  struct Flight {
    std::list<Unit> units;
    bool broken = false;  // something was refused: nothing new until the chain is mended
    bool paused = false;  // some of it is sent again after a while, and nothing new before that
    std::size_t control = 0;
    std::uint32_t mended = 0;          // times in a row
    bool asking = false;               // where the broker's chain ends
    std::optional<ChainPosition> end;  // its answer, for the next mending
  };
  using InFlight = std::list<Unit>::iterator;

  // pump
  void pump_lane(const AgentId& peer, Lane& lane);
  Conversation* usable(const AgentId& peer, Lane& lane);
  bool other_in_flight(const Conversation& current) const;
  void check(Conversation& conversation);
  void start_update(const AgentId& peer, Conversation& conversation);
  void claim(const AgentId& peer, Lane& lane);
  void on_claimed(const AgentId& peer, const Result<const wire::Reply*>& reply);
  Result<> seal_letter_unit(const AgentId& peer, Lane& lane, Unit& unit);
  void look_up_prekey(const AgentId& peer, Lane& lane);
  void coalesce(Lane& lane);
  InFlight take_off(Unit unit);
  void launch(Unit unit, bool stored);
  void store_waiting(Lane& lane);
  void send_queued();

  // answers
  void finish(InFlight unit, std::uint64_t sequence);
  void drop(InFlight unit);
  void refuse(const Unit& unit, const Error& error);
  void refuse_lane(const AgentId& peer, const Error& error);
  void on_opening_refused(InFlight unit, const Error& error);
  static bool end_unknown(const Flight& flight, const Conversation& conversation);
  void ask_for_end(const ConversationId& id);
  void send_later(Flight& flight);
  void mend(const ConversationId& id);
  /// After our last envelope that the broker shows; none if it shows nothing that we signed.
  std::optional<ChainPosition> own_end(const Conversation& conversation, ByteSpan header,
                                       ByteSpan body_hash, ByteSpan signature) const;
  /// What the broker remembers of our chain. False: it is behind what it had accepted.
  bool check_remains(Conversation& conversation, ByteSpan header, ByteSpan body_hash,
                     ByteSpan signature);
  void delay(Lane& lane);
  void expire_waiting();
  void send_again();

  Shared& shared_;
  Session& session_;
  Calls& calls_;
  Peers& peers_;
  Conversations& conversations_;
  std::map<AgentId, Lane> lanes_;
  std::map<ConversationId, Flight> flights_;
  std::unordered_map<EnvelopeId, InFlight> by_id_;
  std::vector<InFlight> queued_;  // to be sent by this pump
  std::size_t waiting_contents_ = 0;
  UnixMillis next_expiry_;
  UnixMillis next_probe_;
  AgentId first_lane_;  // where the next pump begins, so that no peer starves the others
};

}  // namespace sealwire::sdk

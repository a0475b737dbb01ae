// The broker's deterministic heart: events and the time in, batches and outputs out. One thread, no
// clock, no lock. The pipeline drives it with threads, the simulator without.
#pragma once

#include "broker/committer.h"
#include "broker/core.h"

namespace sealwire::broker {

/// How a driver uses it: feed events while not `full()`; whenever no batch is out, `take_batch()`,
/// have it committed, and come back with `on_committed`; call `on_timer` every second and `pump`
/// while `busy()`; send `take_outputs()` after every call. At most one batch is out at a time: what
/// is decided meanwhile goes into the next, on top of it.
///
/// If a commit fails, everything that was decided since the last good one is refused as
/// `unavailable`, and the state that it touched is read from the store again; service goes on with
/// the next event. If even that read fails, everything is refused until it succeeds.
class Router {
 public:
  /// Loads the store. Fails with what `Store::load` fails with.
  static Result<std::unique_ptr<Router>> create(RouterConfig config, RouterParts parts,
                                                UnixMillis now);

  /// Decides; moves out of the events.
  void on_events(std::span<Event> events, UnixMillis now);
  /// The batch that was out is committed, or failed.
  void on_committed(Committed committed, UnixMillis now);
  /// Pings, idle sessions, expiry. About every second.
  void on_timer(UnixMillis now);
  /// Delivers from the store to sessions that have credit and are behind: one read each.
  void pump(UnixMillis now);

  /// What was decided, unless a batch is out or there is nothing.
  std::optional<Batch> take_batch();
  Outputs take_outputs() { return std::exchange(core_.outputs, {}); }

  bool full() const;
  bool busy() const { return !core_.backlog.empty(); }
  /// Draining, and nothing is left to do: every session has been closed.
  bool drained() const { return drained_; }
  bool healthy() const { return healthy_; }
  const BrokerIncarnation& incarnation() const { return core_.incarnation; }
  void reload(RouterConfig config) { core_.config = std::move(config); }

 private:
  /// The part of a batch that stays here until the commit.
  struct InFlight {
    BatchId id = 0;
    std::vector<Consequence> consequences;
    std::vector<AgentNumber> agents;
    std::set<ConversationId> conversations;
    std::set<InviteKey> invites;
    std::vector<ItemNumber> burying;
    std::vector<std::pair<AgentNumber, AgentState>> written;
  };

  Router(RouterConfig config, RouterParts parts, StoredState state);
  void set_now(UnixMillis now);
  void write_agents(Changes& changes, InFlight& in_flight);
  void on_failure(const Error& why);
  Result<> reload_touched();
  void refuse_event(Event& event);
  void finish_drain();

  Core core_;
  std::optional<InFlight> in_flight_;
  BatchId last_batch_ = 0;
  bool healthy_ = true;
  bool drained_ = false;

  // After a failure: what is still to be read again.
  std::set<AgentNumber> stale_agents_;
  std::set<InviteKey> stale_invites_;
  std::set<ConversationId> stale_conversations_;

  UnixMillis swept_;
};

}  // namespace sealwire::broker

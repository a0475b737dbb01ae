// The broker under a seeded schedule of faults: delays, dropped connections, failed commits,
// restarts. One router, one store that survives, agents that only know what frames told them.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "broker/frames_out.h"
#include "broker/router.h"
#include "broker/store/memory/memory_store.h"
#include "tests/broker/world_agent.h"

namespace sealwire::test {

struct SimulationResult {
  std::optional<std::string> violation;  // the first invariant that did not hold
  std::uint64_t trace = 0;               // hash of every output, in order
  std::size_t accepted = 0;
  std::size_t delivered = 0;
  std::size_t restarts = 0;
  std::size_t failed_commits = 0;
  std::size_t disconnects = 0;
};

class Simulator {
 public:
  explicit Simulator(std::uint64_t seed);
  /// Chaos for `steps`, then peace until everything has arrived.
  SimulationResult run(std::size_t steps);

 private:
  struct Peer {
    explicit Peer(WorldAgent agent_) : agent(std::move(agent_)) {}
    WorldAgent agent;
    broker::ConnectionId connection = 0;  // 0: none
    bool ready = false;
    // what it would have on disk
    std::deque<MadeEnvelope> outbox;  // made, not accepted
    std::uint64_t processed = 0;      // mailbox sequence
    // of this session
    std::size_t in_flight = 0;  // of `outbox`, from its front
    std::uint64_t credit_entries = 0;
    std::uint64_t credit_bytes = 0;
    std::uint64_t got_entries = 0;
    std::uint64_t got_bytes = 0;
    std::uint64_t delivered = 0;  // last sequence of this session
  };
  struct Pair {
    std::size_t a = 0;
    std::size_t b = 0;
    ConversationId conversation;
    bool joined = false;  // b has the welcome
  };

  std::uint64_t dice(std::uint64_t sides);
  void violate(std::string what);
  void start_router();
  void crash();
  void connect(std::size_t peer);
  void disconnect(std::size_t peer);
  void compose(std::size_t peer);
  void transmit(std::size_t peer);
  void grant(std::size_t peer);
  void acknowledge(std::size_t peer);
  void feed(broker::Event event);
  void drain_outputs();
  void take_and_commit();
  void step();
  bool quiet() const;

  void on_output(std::size_t peer, const Bytes& frame);
  void on_accepted(Peer& peer, const wire::Accepted& accepted);
  void on_rejected(Peer& peer, const wire::Rejected& rejected);
  void on_deliver(std::size_t peer, const wire::Deliver& deliver);
  void trace(ByteSpan bytes);

  SeededRandom random_;
  crypto::SigningKey broker_key_;
  UnixMillis now_{1'800'000'000'000};
  broker::RouterConfig config_;
  broker::Metrics metrics_;
  broker::NullLog log_;
  broker::MemoryStore store_;
  std::unique_ptr<broker::Router> router_;
  std::optional<broker::Batch> batch_;  // at the disk
  broker::ConnectionId last_connection_ = 0;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Pair> pairs_;
  std::map<broker::ConnectionId, std::size_t> peer_of_;

  // What the world was promised and what it got.
  std::set<EnvelopeId> receipted_;
  std::map<EnvelopeId, std::pair<std::size_t, ConversationId>> accepted_;  // receiver
  std::map<std::pair<std::size_t, std::uint64_t>, Digest> mailbox_;        // as first delivered
  std::map<EnvelopeId, std::size_t> received_;                             // times processed
  std::map<std::pair<std::size_t, ConversationId>, std::uint64_t> last_conversation_sequence_;
  SimulationResult result_;
};

}  // namespace sealwire::test

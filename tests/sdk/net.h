// Cores and a broker without threads, clock or network: the real core, the real stages and router,
// every frame passed by hand. The test holds the time, the connections and the disks.
#pragma once

#include <deque>
#include <filesystem>

#include "broker/router.h"
#include "broker/stages.h"
#include "broker/store/memory/memory_store.h"
#include "sdk/cpp/core/core.h"
#include "tests/support/seeded_random.h"

namespace sealwire::test {

class Net;

/// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::filesystem::path path;
};

struct Outcome {
  bool stored = false;
  std::optional<MessageId> id;                // once sealed
  std::optional<Result<std::uint64_t>> done;  // conversation sequence, or why not
};

/// One agent: its core, its state on disk, its connection.
class NetAgent {
 public:
  NetAgent(Net& net, std::string name, sdk::Config config);

  AgentId id() const { return core->self().agent; }
  sdk::Ticket send(const NetAgent& to, std::string_view text) { return send(to, text, {}); }
  sdk::Ticket send(const NetAgent& to, std::string_view text, sdk::SendRequest options);
  /// Allows `other` and asks for its inception.
  void add(const NetAgent& other, std::string nickname = "");
  void block(const NetAgent& other);
  /// Texts received so far, in order; acknowledges nothing.
  std::vector<std::string> texts() const;
  void acknowledge_all();
  Outcome& outcome(sdk::Ticket ticket) { return outcomes[ticket]; }
  std::size_t count(Notice::Kind kind) const;
  /// Every conversation with `other` that is established.
  std::vector<const sdk::Conversation*> conversations(const NetAgent& other) const;

  /// The process ends and starts again: only the state survives.
  void restart();
  /// As restart(), with the state as it was when `saved` was made by save_state().
  void restart_from(const std::filesystem::path& saved);
  std::filesystem::path save_state() const;
  void cut();  // the connection is lost

  Net& net;
  std::string name;
  sdk::Config config;
  KeyFile key;
  std::filesystem::path path;
  std::unique_ptr<sdk::State> state;
  std::unique_ptr<sdk::Core> core;
  bool reachable = true;  // false: dials fail

  std::vector<sdk::Received> received;
  std::vector<Notice> notices;
  std::map<sdk::Ticket, Outcome> outcomes;
  std::optional<Error> fatal;
  std::optional<Error> disconnected;
  bool connected = false;

 private:
  friend class Net;
  void open();
  void take(sdk::Event event);
  bool step();

  std::unique_ptr<broker::Doorway> door_;
  std::deque<Bytes> incoming_;
  std::optional<Error> closing_;  // told after what is still incoming
  sdk::Ticket last_ticket_ = 0;
  int saves_ = 0;
};

class Net {
 public:
  explicit Net(std::uint64_t seed = 1, wire::Binding binding = wire::Binding::tls_exporter);

  NetAgent& add(std::string name, sdk::Config config);
  NetAgent& add(std::string name) { return add(std::move(name), {}); }
  /// Two agents that allow each other, connected.
  std::pair<NetAgent*, NetAgent*> pair();

  /// Everything that can happen now happens.
  void run();
  /// Time passes in steps of a second at most, with everything that happens.
  void pass(std::uint64_t ms);
  void restart_broker();
  /// A frame as if `agent` had sent it.
  void to_broker(NetAgent& agent, Bytes frame);

  crypto::SigningKey broker_key;
  SeededRandom random;
  UnixMillis now{1'800'000'000'000};
  wire::Binding binding;
  broker::MemoryStore store;
  broker::Metrics metrics;
  broker::NullLog log;
  broker::RouterConfig config;
  std::unique_ptr<broker::Router> router;
  TemporaryDirectory directory;
  std::deque<std::unique_ptr<NetAgent>> agents;

  /// What a hostile broker or network would do to a frame for `agent`; empty drops it.
  std::function<std::optional<Bytes>(NetAgent& agent, Bytes frame)> on_the_way_to_agent;
  /// The same for what agents send (after the handshake as before).
  std::function<std::optional<Bytes>(NetAgent& agent, Bytes frame)> on_the_way_to_broker;

 private:
  friend class NetAgent;
  void feed(broker::Event event);
  void settle();
  void dispatch();
  void hang_up(NetAgent& agent, const Error& why);
  std::map<broker::ConnectionId, NetAgent*> connections_;
  broker::ConnectionId last_connection_ = 0;
};

}  // namespace sealwire::test

// Runs one bridge for one agent: what agents say goes out to paired chats, what comes in goes to
// the agent that the chat is paired with. One host is one process: a bridge that is slow or dead
// slows nothing but itself.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <variant>

#include "adapters/bridges/bridge.h"
#include "adapters/bridges/host/deliveries.h"
#include "adapters/bridges/host/fetcher.h"
#include "adapters/bridges/host/hooks.h"
#include "adapters/bridges/host/ledger.h"

namespace sealwire::bridge {

/// Messages of this type are for the host, and are JSON: {"op":"pair","user":…}, {"op":"unpair",
/// "chat":…}, {"op":"chats"}. What it changes belongs to the agent that signed it.
inline constexpr std::string_view kControlType = "application/vnd.sealwire.bridge+json";

inline constexpr std::size_t kInHand = 512;  // messages of agents; then the agent's inbox waits

struct HostOptions {
  std::map<std::string, std::string> options;  // for Start
  std::vector<Pairing> pairings;               // the operator's own
  Egress egress;
  std::optional<HookOptions> hooks;
  std::function<void(const std::string&)> log;
};

/// Counted from the start of this process.
struct Counts {
  std::uint64_t received = 0;    // from the world, new, and on disk
  std::uint64_t duplicates = 0;  // from the world, known already
  std::uint64_t refused = 0;     // from the world: not paired, denied, expired
  std::uint64_t delivered = 0;
  std::uint64_t retried = 0;
  std::uint64_t given_up = 0;
  std::uint64_t fetches = 0;
  std::uint64_t hooks = 0;         // that the bridge was told of
  std::uint64_t hooks_forged = 0;  // without the secret, or a good signature
  std::uint64_t restarts = 0;      // of the bridge
  std::uint64_t attacks = 0;       // for which the kernel ended it; they are among the restarts
};

class Host {
 public:
  Host(Agent agent, Launch launch, HostOptions options);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  /// Until `stop` says true (asked at least every 200 ms), or the agent stopped by itself.
  [[nodiscard]] Result<> run(const std::function<bool()>& stop);
  Counts counts() const;
  /// Messages of agents that are in memory, not yet delivered and not refused: at most kInHand.
  std::size_t in_hand() const;

 private:
  struct FromBridge {
    std::uint64_t generation;
    Said said;
  };
  struct BridgeEnded {
    std::uint64_t generation;
    Error why;
  };
  struct AgentStopped {
    Error why;
  };
  using Event = std::variant<FromBridge, BridgeEnded, Message, Fetched, Hook, AgentStopped>;
  struct InHand {
    Message message;
    std::size_t chats = 0;  // that have yet to get it
  };

  void push(Event event);
  void push_said(std::uint64_t generation, Said said);
  std::optional<Event> pop(std::uint64_t until_ms);
  void receive_messages();
  void start_bridge(std::uint64_t now_ms);
  void bridge_ended(const Error& why, std::uint64_t now_ms);
  void deliver_what_is_due(std::uint64_t now_ms);

  void on(FromBridge event);
  void on(const BridgeEnded& event);
  void on(const Message& message);
  void on(const Fetched& fetched);
  void on(const Hook& hook);
  void on(const AgentStopped& event);

  void said(const Hello& hello);
  void said(const Receive& receive);
  void said(const Pair& pair);
  void said(const Answer& answer);
  void said(const Delivered& delivered);
  void said(const Failed& failed);
  void said(const Moved& moved);
  void said(Fetch& fetch);
  void said(const Hooked& hooked);

  void control(const Message& message);
  void outward(const Message& message);
  std::optional<Question> read_question(const Message& message, Content& shown,
                                        std::vector<std::string>& choices) const;
  [[nodiscard]] Result<Sending> to_agent(Transaction& tx, const std::string& peer, Payload payload,
                                         PayloadKind kind, const std::string& reply_to);
  void answer_agent(const Message& message, Payload payload, PayloadKind kind);
  void refuse_agent(const Message& message, const std::string& why);
  void settle(const std::string& delivery);
  void outcome(const std::string& id, std::string_view code);
  template <class Body>
  void store_and_tell(const std::string& id, Body body);
  void violation(const std::string& what);

  Agent agent_;
  const Launch launch_;
  HostOptions options_;

  // The loop's own.
  std::unique_ptr<Bridge> bridge_;
  std::optional<Hello> hello_;
  std::string provenance_;
  std::uint64_t generation_ = 0;
  std::uint64_t start_at_ms_ = 0;  // the bridge, while there is none
  std::uint64_t hello_by_ms_ = 0;
  unsigned failures_ = 0;  // starts in a row that came to nothing
  bool violated_ = false;
  Deliveries deliveries_;
  std::map<std::string, InHand> in_hand_;  // by message id: not yet acknowledged
  std::vector<Message> held_;              // came while there was no bridge to say them
  std::set<std::string> fetching_;
  std::optional<Error> stopped_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::uint64_t listening_ = 0;  // the generation whose words still count
  std::size_t said_waiting_ = 0;
  std::size_t in_hand_count_ = 0;
  bool ending_ = false;
  Counts counts_;
  std::optional<Fetcher> fetcher_;
  std::unique_ptr<Hooks> hooks_;
  std::thread receiver_;
};

}  // namespace sealwire::bridge

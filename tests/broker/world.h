// A broker without threads, clock or network: real handshakes and frames go in at ingress, real
// frames come out, and the test holds the time and the disk.
#pragma once

#include <map>
#include <memory>

#include "broker/router.h"
#include "broker/stages.h"
#include "broker/store/memory/memory_store.h"
#include "tests/broker/world_agent.h"

namespace sealwire::test {

class World;

/// An entry as a Deliver frame had it.
struct GotEntry {
  std::uint64_t sequence = 0;
  std::uint64_t conversation_sequence = 0;
  wire::Item type = wire::Item::NONE;
  Bytes envelope;           // of a Delivery
  broker::Remains remains;  // of a Tombstone
  std::vector<SignedStatement> statements;
  std::size_t credit_bytes = 0;
};
struct GotRejection {
  EnvelopeId id;
  wire::Code code = wire::Code::ok;
  std::uint32_t incarnation = 0;
  std::uint64_t epoch = 0;
  std::optional<broker::Remains> last;
};

/// One connection of an agent.
class Client {
 public:
  Client(World& world, WorldAgent& agent, broker::ConnectionId id,
         handshake::ClientParameters parameters, wire::Binding binding);

  void hello_and_proof();
  /// A frame as a peer would send it, sealed if the session is.
  void send(Bytes frame);
  void send_bundles(const std::vector<std::vector<Bytes>>& bundles);
  void submit(const MadeEnvelope& envelope) { send_bundles({{envelope.bytes}}); }
  void submit(const std::vector<MadeEnvelope>& bundle);
  void credit(std::uint64_t entries, std::uint64_t bytes);
  void ack(std::uint64_t sequence);
  void nack(std::uint64_t sequence, const EnvelopeId& id, const Digest& digest);
  template <class Request>
  std::uint32_t call(flatbuffers::FlatBufferBuilder& b, flatbuffers::Offset<Request> request) {
    const std::uint32_t id = ++last_call_;
    send(finish_frame(
        b, wire::CreateCall(b, id, wire::RequestTraits<Request>::enum_value, request.Union())));
    return id;
  }
  wire::Code set_contact(const AgentId& agent, wire::Contact contact);
  wire::Code reply_code(std::uint32_t call) const;
  /// The Reply frame of a call; it fails the test if there is none.
  Bytes reply(std::uint32_t call) const;

  void on_frame(Bytes frame, bool ready);
  void on_close(const Error& why) { closed = why.code; }

  World& world;
  WorldAgent& agent;
  broker::Doorway door;
  std::optional<handshake::Ready> ready;
  std::optional<Errc> closed;
  std::vector<GotEntry> entries;
  std::map<EnvelopeId, std::uint64_t> accepted;  // conversation sequence, from signed Acceptances
  std::size_t receipts = 0;
  std::vector<GotRejection> rejections;
  std::map<std::uint32_t, Bytes> replies;
  std::vector<std::uint64_t> pings;
  std::vector<std::uint64_t> pongs;
  Digest transcript;  // as the broker has it

 private:
  void on_body(const Frame& frame);
  Bytes binding_value_;
  handshake::Client handshake_;
  handshake::FrameProtection protection_;
  std::uint32_t last_call_ = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed = 1);

  struct Connect {
    std::uint64_t acked = 0;
    std::optional<BrokerIncarnation> incarnation = {};
    const Invite* invite = nullptr;
    wire::Binding binding = wire::Binding::tls_exporter;
  };
  /// Handshake and, unless refused, Ready with plenty of credit.
  Client& connect(WorldAgent& agent, Connect how);
  Client& connect(WorldAgent& agent) { return connect(agent, {}); }
  /// The same without any credit.
  Client& connect_mute(WorldAgent& agent, Connect how);
  Client& connect_mute(WorldAgent& agent) { return connect_mute(agent, {}); }
  void disconnect(Client& client);

  WorldAgent agent() { return WorldAgent(random, now); }
  ConversationId conversation_id() { return random.make<ConversationId>(); }
  /// Both allow each other, and `a` has opened a conversation that `b` joined.
  ConversationId introduce(Client& a, Client& b);
  void allow_each_other(Client& a, Client& b);

  /// Events to the router, then everything that follows (unless `hold_commits`).
  void feed(broker::Event event);
  void run();
  /// While `hold_commits`: commits the batch that is out, and what follows.
  void commit_one();
  void tick(std::uint64_t ms);  // time passes, the router's timer runs
  void restart(std::optional<broker::RouterConfig> with = {});  // the router's memory is lost

  crypto::SigningKey broker_key;
  SeededRandom random;
  UnixMillis now{1'800'000'000'000};
  broker::MemoryStore store;
  broker::Metrics metrics;
  broker::NullLog log;
  broker::RouterConfig config;
  std::unique_ptr<broker::Router> router;
  bool hold_commits = false;
  std::optional<broker::Batch> held;
  std::vector<std::unique_ptr<Client>> clients;  // by connection id - 1

 private:
  void dispatch();
};

}  // namespace sealwire::test

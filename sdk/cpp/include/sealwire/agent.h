// An agent: connects, keeps its state, sends and receives. The ten lines of examples/echo.cpp are a
// whole one.
#pragma once

#include <functional>

#include "sealwire/message.h"
#include "sealwire/options.h"

namespace sealwire {

struct SendOptions {
  bool transient = false;  ///< never stored, never promised
  bool letter = false;  ///< a sealed letter instead of the conversation (first contact, stateless)
  Millis lifetime = std::chrono::hours(24 * 7);  ///< after it the message is refused as expired
  std::string reply_to;                          ///< message id that this answers
  PayloadKind kind = PayloadKind::message;
  std::optional<Time> deadline;  ///< told to the receiver of a request
  std::string trace;
  std::string provenance;  ///< "" = native; a bridge says "bridged:<channel>"
};

/// A transaction on the agent's state: what is written here and the message's receipt (or nothing)
/// are on disk together. Valid inside the handler only, on the handler's thread. Must not call the
/// blocking functions of Agent.
class Transaction {
 public:
  virtual ~Transaction() = default;
  /// A small store of the application's own, sealed at rest.
  [[nodiscard]] virtual Result<> put(std::string_view key, std::string_view value) = 0;
  [[nodiscard]] virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  [[nodiscard]] virtual Result<> erase(std::string_view key) = 0;
  /// The application's own tables, whose names begin with `app_` (they are not sealed). Runs
  /// `sql` with `parameters` bound as text; every row goes to `row`. Transaction statements fail.
  [[nodiscard]] virtual Result<> execute(
      std::string_view sql, const std::vector<std::string>& parameters = {},
      const std::function<void(const std::vector<std::optional<std::string>>&)>& row = {}) = 0;
  /// Sends if and only if the transaction commits.
  [[nodiscard]] virtual Result<Sending> send(std::string_view peer, Payload payload,
                                             const SendOptions& options = {}) = 0;
  [[nodiscard]] virtual Result<Sending> reply(const Message& message, Payload answer) = 0;
};

/// Something an operator may want to know; nothing depends on it being read.
struct Notice {
  enum class Kind : std::uint8_t {
    connected,
    disconnected,         ///< detail says why; the agent goes on trying
    stopped,              ///< it does not: replaced, state_corrupt, …
    refused,              ///< a message accepted earlier was refused by its receiver or expired;
                          ///< message_id: the first of those that went in one envelope with it
    undecryptable,        ///< a received envelope could not be opened; its sender was told
    lost,                 ///< a received envelope expired or was purged before it came
    chain_broken,         ///< something is missing or out of order in a sender's chain
    conversation_opened,  ///< or re-opened
    peer_added,           ///< an invite of ours was redeemed
    request_expired,      ///< a request came after its deadline and was dropped
    handler_failed,       ///< the transaction handler failed; the message stays and is tried again
  };
  Kind kind = Kind::connected;
  std::string peer;        ///< agent id or ""
  std::string message_id;  ///< or ""
  std::optional<Error> error;
  std::string detail;
};
std::string_view name(Notice::Kind kind);

struct Peer {
  enum class Contact : std::uint8_t { none, allowed, blocked };
  std::string agent;     ///< "agent:z…"
  std::string nickname;  ///< unique among the peers, or ""
  std::string instance;  ///< did:key once it is known
  Contact contact = Contact::none;
  bool verified = false;   ///< the inception that the agent id certifies has been seen
  bool confirmed = false;  ///< the broker has taken over `contact`
};

struct Conversation {
  std::string id;    ///< 32 hex digits
  std::string peer;  ///< agent id
  std::string nickname;
  std::uint32_t incarnation = 0;
  std::uint64_t epoch = 0;
  bool established = false;
  bool in_use = false;         ///< this is where messages to the peer go
  std::uint64_t sent_seq = 0;  ///< own next chain position in this epoch
  std::uint64_t received_seq = 0;
};

struct Status {
  std::string agent;
  std::string instance;  ///< did:key
  bool connected = false;
  std::string endpoint;
  std::string broker_key;
  std::string session;
  std::size_t outbox_waiting = 0;    ///< messages not yet sealed
  std::size_t outbox_in_flight = 0;  ///< envelopes sealed and not yet answered
  std::size_t inbox_waiting = 0;     ///< messages not yet acknowledged by the application
  std::uint32_t key_packages = 0;    ///< at the broker
  std::optional<Error> last_error;
};

/// Every function may be called from any thread. Peers are named by agent id or nickname.
class Agent {
 public:
  /// Opens the state and begins to connect; it goes on by itself until stop(). Fails with
  /// `config_invalid`, `state_locked`, `state_corrupt`, `key_file_…`, `passphrase_wrong`,
  /// `file_failed`, `address_invalid`.
  [[nodiscard]] static Result<Agent> open(Result<Options> options);
  Agent(Agent&&) noexcept;
  Agent& operator=(Agent&&) noexcept;
  ~Agent();  ///< stop()

  const std::string& id() const;        ///< "agent:z…"
  const std::string& instance() const;  ///< "did:key:z6Mk…"
  /// Waits for a session. Fails with the last reason why there is none, or `timeout`.
  [[nodiscard]] Result<> wait_connected(Millis timeout);

  // --- sending
  /// Fails with `peer_unknown`, `content_malformed` (media type or size) or `overloaded`
  /// (65,536 messages or 256 MiB wait already). Does not block.
  Result<Sending> send(std::string_view peer, Payload payload, const SendOptions& options = {});
  /// Sends a request and waits for its reply. Fails with `timeout`, with what the request was
  /// refused for, or with `denied` when the peer answered with an error (its text is the detail).
  [[nodiscard]] Result<Message> request(std::string_view peer, Payload payload, Millis deadline);
  Result<Sending> reply(const Message& message, Payload answer);
  /// Several sends, and what the application must remember of them, in one transaction.
  [[nodiscard]] Result<> transact(const std::function<Result<>(Transaction&)>& body);

  // --- receiving: one of three ways
  /// At least once: the message is acknowledged after `handler` returns. Handlers run one at a time
  /// on a thread of their own and may block. A handler that throws leaves its message for later.
  void on_message(std::function<void(const Message&)> handler);
  /// Exactly once: `handler`'s writes and the receipt commit together. An error rolls both back and
  /// the message is tried again (after 1 s, doubling up to 60 s).
  void handle(std::function<Result<>(Transaction&, const Message&)> handler);
  /// At least once: the next message. It stays in the inbox until acknowledge(), and comes again
  /// after a restart if that never happened. Fails with `timeout` or `closed`.
  [[nodiscard]] Result<Message> receive(Millis timeout);
  Result<> acknowledge(const Message& message);

  void on_notice(std::function<void(const Notice&)> handler);  ///< on the handlers' thread

  // --- peers
  [[nodiscard]] std::vector<Peer> peers() const;
  [[nodiscard]] Result<Peer> peer(std::string_view name) const;
  /// Allows the agent to write to us, and pins its id. It is remembered at once and told to the
  /// broker when connected; waits up to `timeout` for that (`timeout` leaves it to be told later).
  Result<Peer> add_peer(std::string_view agent_id, std::string_view nickname = "",
                        Millis timeout = Millis(0));
  Result<> set_nickname(std::string_view peer, std::string_view nickname);
  Result<Peer> block(std::string_view peer, Millis timeout = Millis(0));
  /// The text to hand to somebody; whoever redeems it and this agent may then write to each other.
  /// Used once. Needs a connection.
  [[nodiscard]] Result<std::string> create_invite(Millis lifetime,
                                                  Millis timeout = std::chrono::seconds(10));
  /// Pins the inviter under `nickname` and redeems. Fails with `invite_malformed`,
  /// `broker_key_mismatch` (the invite is for another broker), `denied` or `timeout`.
  Result<Peer> redeem(std::string_view invite, std::string_view nickname = "",
                      Millis timeout = std::chrono::seconds(10));

  [[nodiscard]] std::vector<Conversation> conversations() const;
  [[nodiscard]] Status status() const;

  // --- the end
  /// Waits until SIGINT or SIGTERM, then drains (10 s). A second signal ends at once. Fails with
  /// the reason if the agent stopped by itself (`replaced`, `state_corrupt`, …).
  [[nodiscard]] Result<> run();
  /// Starts no further handler, waits until what was sent is accepted and what was handled is
  /// acknowledged, then stops. Fails with `timeout`; what was stored is sent at the next start.
  Result<> drain(Millis deadline);
  /// Stops at once. Waiting calls fail with `closed`.
  void stop();

 private:
  explicit Agent(std::shared_ptr<AgentImpl> impl);
  std::shared_ptr<AgentImpl> impl_;
};

}  // namespace sealwire

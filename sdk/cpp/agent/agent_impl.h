// What stands behind Agent: the driver with its core, the state, and the application's side of
// both: who waits for what, the inbox queue, and the thread that runs handlers.
#pragma once

#include <atomic>
#include <unordered_map>

#include "sdk/cpp/agent/driver.h"
#include "sdk/cpp/agent/sending.h"
#include "sealwire/agent.h"

namespace sealwire {

class AgentImpl final : public std::enable_shared_from_this<AgentImpl>, Driver::Listener {
 public:
  static Result<std::shared_ptr<AgentImpl>> open(Options options);
  ~AgentImpl() override;

  const std::string& id() const { return id_; }
  const std::string& instance() const { return instance_; }

  Result<Sending> send(std::string_view peer, Payload payload, const SendOptions& options);
  Result<Sending> reply(const Message& message, Payload answer, PayloadKind kind);
  Result<Message> request(std::string_view peer, Payload payload, Millis deadline);
  Result<> transact(const std::function<Result<>(Transaction&)>& body);

  void on_message(std::function<void(const Message&)> handler);
  void handle(std::function<Result<>(Transaction&, const Message&)> handler);
  void on_notice(std::function<void(const Notice&)> handler);
  Result<Message> receive(Millis timeout);
  Result<> acknowledge(const Message& message);

  std::vector<Peer> peers() const;
  Result<Peer> peer(std::string_view name) const;
  Result<Peer> set_contact(std::string_view name, Peer::Contact contact, std::string_view nickname,
                           Millis timeout);
  Result<> set_nickname(std::string_view peer, std::string_view nickname);
  Result<std::string> create_invite(Millis lifetime, Millis timeout);
  Result<Peer> redeem(std::string_view invite, std::string_view nickname, Millis timeout);
  std::vector<Conversation> conversations();
  Status status();

  Result<> wait_connected(Millis timeout);
  /// Until the agent stops by itself or `timeout`: the reason, if it did.
  std::optional<Error> wait_stopped(Millis timeout);
  Result<> drain(Millis deadline);
  /// A running drain() waits no longer.
  void abandon_drain();
  void stop();

 private:
  friend class TransactionImpl;
  struct Peers {
    std::map<AgentId, Peer> by_id;
    std::map<std::string, AgentId, std::less<>> by_nickname;
  };

  AgentImpl() = default;
  // Driver::Listener
  void on_event(sdk::Event event) override;
  void on_flush(sdk::Core& core) override;
  void on_stopped(const Error& why) override;

  Result<AgentId> resolve(std::string_view name) const;
  Result<sdk::SendRequest> make_request(std::string_view peer, Payload payload,
                                        const SendOptions& options) const;
  /// Counts the message in; fails with overloaded.
  Result<std::shared_ptr<SendingState>> reserve(sdk::SendRequest& request);
  void release(sdk::Ticket ticket, const std::function<void(SendingState&)>& tell);
  std::shared_ptr<SendingState> find(sdk::Ticket ticket);
  /// Runs `command` on the driver's thread and waits for it.
  template <class T>
  Result<T> ask(std::function<T(sdk::Core&)> command);

  Message to_message(sdk::Received received);
  void receive_one(sdk::Received received);
  void tell(Notice notice);

  // the handlers' thread
  void start_handlers();
  void run_handlers();
  bool handle_plain(const Message& message);
  void handle_in_transactions(std::unique_lock<std::mutex>& held);

  std::string id_;
  std::string instance_;
  crypto::SystemRandom random_;
  std::optional<KeyFile> key_;
  std::unique_ptr<sdk::State> state_;
  std::unique_ptr<Driver> driver_;

  // sends and requests
  std::atomic<std::uint64_t> next_ticket_ = 1;
  mutable std::mutex sends_mutex_;
  std::unordered_map<sdk::Ticket, std::shared_ptr<SendingState>> sends_;
  std::unordered_map<sdk::Ticket, std::shared_ptr<RequestState>> requests_;
  std::unordered_map<MessageId, std::shared_ptr<RequestState>> requests_by_id_;
  std::size_t queued_bytes_ = 0;

  // peers as the last flush left them
  mutable std::mutex peers_mutex_;
  std::shared_ptr<const Peers> peers_ = std::make_shared<Peers>();
  std::uint64_t peers_version_ = UINT64_MAX;

  // inbox and handlers
  std::mutex inbox_mutex_;
  std::condition_variable inbox_changed_;
  std::deque<Message> inbox_;
  std::deque<Notice> notices_;
  std::function<void(const Message&)> plain_handler_;
  std::function<Result<>(Transaction&, const Message&)> transaction_handler_;
  std::function<void(const Notice&)> notice_handler_;
  bool handling_ = false;
  bool draining_ = false;
  bool ended_ = false;
  std::uint32_t handler_failures_ = 0;
  std::thread handlers_;
  std::once_flag handlers_started_;

  // the session
  mutable std::mutex session_mutex_;
  std::condition_variable session_changed_;
  bool connected_ = false;
  bool quiet_ = false;  // nothing is on its way out
  std::optional<Error> last_error_;
  std::optional<Error> stopped_;
  bool abandoned_ = false;  // the drain
};

/// Runs statements and sends inside a state transaction.
class TransactionImpl final : public Transaction {
 public:
  TransactionImpl(AgentImpl& agent, sdk::StateTransaction& state) : agent_(agent), state_(state) {}
  Result<> put(std::string_view key, std::string_view value) override;
  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<> erase(std::string_view key) override;
  Result<> execute(
      std::string_view sql, const std::vector<std::string>& parameters,
      const std::function<void(const std::vector<std::optional<std::string>>&)>& row) override;
  Result<Sending> send(std::string_view peer, Payload payload, const SendOptions& options) override;
  Result<Sending> reply(const Message& message, Payload answer) override;

  /// After the commit: the units go on their way. After a rollback to `from`, their senders learn.
  std::size_t units() const { return units_.size(); }
  void undo(std::size_t from, const Error& error);
  void launch();

 private:
  AgentImpl& agent_;
  sdk::StateTransaction& state_;
  std::vector<sdk::Unit> units_;
};

}  // namespace sealwire

// The client without input and output: bytes, events of the channel and the time go in; frames and
// events come out, after what they rest on is on disk. No clock, thread or socket is reached.
#pragma once

#include "protocol/identity/key_file.h"
#include "sdk/cpp/core/inbox.h"

namespace sealwire::sdk {

struct SendRequest {
  AgentId peer;
  Content content;
  bool transient = false;
  bool letter = false;
  std::uint64_t lifetime_ms = 0;
  std::string provenance;
  Ticket ticket = 0;
};

/// The unit that a send becomes. Fails with content_malformed or envelope_too_large.
Result<Unit> make_unit(const SendRequest& request, std::uint64_t number, UnixMillis now);

/// One agent. Used by one thread at a time. Every call takes the time of the wall clock, which may
/// jump either way.
class Core {
 public:
  /// `key`, `state` and `random` outlive the core. Fails with state_corrupt, store_failed or
  /// inception_invalid.
  static Result<std::unique_ptr<Core>> load(Config config, const KeyFile& identity, State& state,
                                            Random& random, UnixMillis now);

  // --- the channel
  /// Begins to want a session; without it everything stays local.
  void connect(UnixMillis now);
  void on_open(handshake::ChannelBinding binding, UnixMillis now);
  void on_bytes(ByteSpan message, UnixMillis now);
  void on_close(const Error& why, UnixMillis now);
  void on_timer(UnixMillis now);
  UnixMillis next_timer() const;
  /// Ends the session in order; no new one is wanted after it.
  void close(UnixMillis now);

  // --- the application
  void send(const SendRequest& request, UnixMillis now);
  /// A unit whose row a transaction has written.
  void adopt(Unit unit, UnixMillis now);
  void acknowledge(std::uint64_t inbox_number, bool erased);
  Peers& peers() { return peers_; }
  const Conversations& conversations() const { return conversations_; }
  const Session& session() const { return session_; }
  const Outbox& outbox() const { return outbox_; }
  const Inbox& inbox() const { return inbox_; }
  const KeySupply& keys() const { return keys_; }
  const AgentIdentity& self() const { return shared_.self; }
  const std::optional<Error>& fatal() const { return shared_.fatal; }
  /// Numbers for units that transactions write; any thread.
  std::uint64_t take_unit_number() { return shared_.next_unit++; }
  void set_now(UnixMillis now);

  struct Output {
    Session::Output channel;
    std::vector<Event> events;
    std::vector<std::function<void()>> completions;
    std::optional<Error> fatal;  // stop: nothing further may be sent
  };
  /// Everything that calls since the last one led to: writes it in one transaction, then hands out
  /// what may be done now.
  Output flush(UnixMillis now);

 private:
  Core(Config config, const KeyFile& identity, AgentIdentity self, State& state, Random& random,
       UnixMillis now);
  Result<> load();
  Result<> on_frame(ByteSpan bytes);
  Result<> on_session_frame(const Frame& frame);
  void on_ready();
  void end_session(const Error& why);
  void adopt_unit(Unit unit, bool stored);
  Result<> write(UnixMillis now);

  Shared shared_;
  Session session_;
  Calls calls_;
  Peers peers_;
  KeySupply keys_;
  Conversations conversations_;
  Outbox outbox_;
  Inbox inbox_;
  bool closing_ = false;
};

}  // namespace sealwire::sdk

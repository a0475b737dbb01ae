// An agent reduced to the wire: handshake, frames, envelopes with bodies of no meaning. For tests
// of the broker over real channels, which cannot read bodies anyway.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "adapters/channels/registry.h"
#include "protocol/envelope/envelope.h"
#include "protocol/handshake/handshake.h"

namespace sealwire::test {

inline constexpr std::chrono::milliseconds kPatience{10'000};

UnixMillis system_now();

struct RawAgent {
  crypto::SigningKey key;
  AgentIdentity identity;
  const InstanceKey& instance() const { return identity.instance; }
};
RawAgent make_raw_agent(Random& random);

/// One connection. Functions that wait do so for kPatience and then fail with `timeout`; they are
/// for one thread of the test's. Frames are queued, or given to `on_frame` once that is set.
class RawClient final : public channel::Handler {
 public:
  RawClient() = default;
  ~RawClient() override;

  // --- transport
  Result<> dial(const std::string& uri, const std::map<std::string, std::string>& options = {});
  /// Sends as it is, waiting for room. False once closed.
  bool send_raw(Bytes message);
  /// The next message as it came. Fails with `closed` after the last.
  Result<Bytes> next_raw();
  /// Waits for the close; messages that come before it stay queued.
  Result<Error> wait_close();
  void close();
  const channel::Binding& binding() const { return connection_->binding(); }
  const channel::ConnectionPtr& connection() const { return connection_; }

  // --- session
  /// Handshake up to Ready. `adjust` may change the parameters.
  Result<handshake::Ready> prove(
      const RawAgent& agent, Random& random,
      const std::function<void(handshake::ClientParameters&)>& adjust = {});
  Result<handshake::Ready> connect(const std::string& uri, const RawAgent& agent, Random& random);
  /// A frame of the session.
  bool send(Bytes frame);
  /// The next frame of the session.
  Result<Bytes> next();
  /// The next frame of that type; others are dropped, a Close is an error.
  Result<Bytes> expect(wire::Body type);
  /// From now on frames go there, on the channel's thread; what is queued goes first, on this one.
  void on_frame(std::function<void(const Frame&)> handler);

  // --- what most tests do
  Result<> allow(const AgentId& agent, wire::Contact contact = wire::Contact::allowed);
  bool credit(std::uint64_t entries, std::uint64_t bytes);
  bool ack(std::uint64_t sequence);

 private:
  void on_open(const channel::ConnectionPtr& connection) override;
  void on_bytes(const channel::ConnectionPtr& connection, ByteSpan frame) override;
  void on_writable(const channel::ConnectionPtr& connection) override;
  void on_close(const channel::ConnectionPtr& connection, const Error& error) override;
  void hand_over(ByteSpan message);

  std::mutex mutex_;
  std::condition_variable changed_;
  channel::ConnectionPtr connection_;
  std::deque<Bytes> queue_;
  std::optional<Error> closed_;
  bool writable_ = true;
  std::function<void(const Frame&)> handler_;
  handshake::FrameProtection protection_;  // seal: the test's thread; open: whoever takes a frame
  std::uint32_t last_call_ = 0;
  std::unique_ptr<channel::Running> running_;  // last: its end ends the callbacks
};

/// One sender's place in a conversation: makes chained envelopes one after the other.
struct RawChain {
  const RawAgent* agent = nullptr;
  ConversationId conversation;
  std::uint32_t incarnation = 1;
  std::uint64_t epoch = 1;
  std::uint64_t sender_seq = 0;
  Digest previous;

  Header next_header(Random& random, UnixMillis now) const;
  /// Signs, and moves the chain on.
  SealedEnvelope next(ByteSpan body, Random& random, UnixMillis now);
};

/// The bundle that opens a conversation of two, and the chains that its members go on with.
struct RawOpening {
  std::vector<Bytes> bundle;  // commit, welcome
  RawChain creator;
  RawChain joiner;
};
RawOpening open_conversation(const RawAgent& creator, const RawAgent& joiner, Random& random,
                             UnixMillis now);

Bytes credit_frame(std::uint64_t entries, std::uint64_t bytes);
Bytes ack_frame(std::uint64_t sequence);
Bytes set_contact_frame(std::uint32_t call, const AgentId& agent, wire::Contact contact);

}  // namespace sealwire::test

// The outer side of one connection, on its I/O thread: the handshake, then frames into events. It
// knows nothing of any agent but what the peer has proven.
#pragma once

#include <atomic>

#include "broker/event.h"
#include "broker/router_config.h"

namespace sealwire::broker {

/// Every member is the I/O thread's, but: `ready` is set by the router's thread when Ready goes
/// out, and `protection.seal` is the router's from then on (`open` stays the I/O thread's; the two
/// touch different members).
struct Doorway {
  enum class State : std::uint8_t { hello, proof, proven, closed };

  Doorway(ConnectionId id, const crypto::SigningKey& key, handshake::ServerTerms terms,
          handshake::ChannelBinding binding, Random& random, VerificationMode mode)
      : connection(id), verification(mode), server(key, terms, std::move(binding), random) {}

  const ConnectionId connection;
  const VerificationMode verification;
  State state = State::hello;
  handshake::Server server;
  handshake::FrameProtection protection;
  InstanceKey peer;
  std::atomic<bool> ready{false};
};

/// Hello → Challenge, Proof → PeerProven.
struct Handshaken {
  std::optional<Bytes> challenge;
  std::optional<PeerProven> proven;
};
Result<Handshaken> shake_hands(Doorway& door, ByteSpan message);

/// One bundle's envelopes, each parsed and its signature checked; or why not.
Bundle verify_bundle(const Doorway& door, const wire::Bundle& from);

/// A call's request. What can be checked without state is; a failure is in `refused`.
Called read_call(const Doorway& door, const wire::Call& from, UnixMillis now);

}  // namespace sealwire::broker

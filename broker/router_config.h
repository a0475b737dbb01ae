// What an operator may set of the core. The defaults suit one machine and some thousands of agents.
#pragma once

#include <unordered_set>

#include "protocol/bytes.h"
#include "protocol/limits.h"

namespace sealwire::broker {

/// Tokens come at `per_second` up to `burst`.
struct Rate {
  double per_second = 0;
  double burst = 0;
};

enum class Admission : std::uint8_t {
  invite,  // an unknown agent needs an invite, or its id in `admitted`
  open,    // every agent that proves its key
};

/// DESIGN "Verification at ingress": `inline` and `session` of the configuration.
enum class VerificationMode : std::uint8_t { every_envelope, session };

/// They are listed in one frame.
inline constexpr std::size_t kContactsMax = 4000;
static_assert(kContactsMax + 16 < limits::kFrameTables);

struct RouterConfig {
  Admission admission = Admission::invite;
  std::unordered_set<AgentId> admitted;  // without an invite
  VerificationMode verification = VerificationMode::every_envelope;

  std::size_t agents_max = 100'000;             // known, by invite or not
  std::uint64_t mailbox_entries_max = 100'000;  // of one agent
  std::uint64_t mailbox_bytes_max = 256ull * 1024 * 1024;
  std::size_t contacts_max = 2048;                 // of one agent
  std::size_t invites_max = 64;                    // outstanding, of one agent
  std::size_t conversations_cached_max = 100'000;  // in memory
  std::size_t batch_ops_max = 8192;                // of one commit
  std::size_t batch_bytes_max = 16 * 1024 * 1024;
  std::size_t deliver_bytes = 256 * 1024;  // aimed at, of one Deliver frame

  Rate sends{20'000, 40'000};  // envelopes of one agent
  Rate calls{50, 200};         // of one agent
  Rate claims{0.5, 50};        // of one agent
  Rate conversations{1, 256};  // opened by one agent
  Rate handshakes{50, 1000};   // of one network address
  std::size_t handshake_addresses_max = 65536;

  std::uint64_t ping_interval_ms = limits::kPingIntervalMs;
  std::uint64_t idle_ms = limits::kIdleMs;
  std::uint64_t handshake_ms = limits::kHandshakeMs;

  std::size_t queued_events_max = 16'384;  // waiting for the router
  std::size_t queued_bytes_max = 64 * 1024 * 1024;
  std::size_t queued_bytes_per_connection_max = 3 * limits::kFrameBytes;
  std::size_t outbox_bytes_max = 2 * limits::kFrameBytes;  // that a channel would not take
};

}  // namespace sealwire::broker

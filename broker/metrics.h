// What the broker counts. Plain atomics without names of agents; the shell gives them names, units
// and a door.
#pragma once

#include <atomic>
#include <cstdint>

namespace sealwire::broker {

using Counter = std::atomic<std::uint64_t>;
using Gauge = std::atomic<std::int64_t>;

struct Metrics {
  Counter handshakes_started{0};
  Counter handshakes_failed{0};
  Counter handshakes_limited{0};  // refused by the limit of their address
  Counter sessions_opened{0};
  Counter sessions_replaced{0};
  Counter sessions_timed_out{0};
  Gauge connections{0};
  Gauge sessions{0};

  Counter frames_received{0};
  Counter frames_refused{0};  // each ended its session
  Counter envelopes_received{0};
  Counter envelopes_accepted{0};
  Counter envelopes_repeated{0};  // accepted again, not stored again
  Counter envelopes_rejected{0};
  Counter envelopes_expired{0};
  Counter envelopes_withheld{0};  // waiting when their sender lost the right
  Counter transients_dropped{0};
  Counter accepted_bytes{0};

  Counter entries_delivered{0};
  Counter entries_delivered_live{0};  // from memory, without a read
  Counter entries_acknowledged{0};
  Counter delivered_bytes{0};
  Counter calls{0};
  Counter calls_refused{0};

  Counter batches_committed{0};
  Counter batches_failed{0};
  Counter ops_committed{0};
  Counter commit_microseconds{0};
  Counter overloads{0};  // connections closed because a bound was reached
  Gauge queued_events{0};
  Gauge queued_bytes{0};
  Gauge agents{0};
  Gauge conversations_cached{0};
};

}  // namespace sealwire::broker

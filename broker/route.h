// Stage: SequencedEnvelope → RoutePlan: in whose mailbox it goes, and as which entry.
#pragma once

#include "broker/core.h"

namespace sealwire::broker {

struct PlannedEntry {
  AgentNumber owner = 0;
  std::uint64_t sequence = 0;
  std::uint64_t bytes_total = 0;
};

/// Only `route` makes one. Its sequences are taken: it is carried out, or the batch fails.
class RoutePlan {
 public:
  const SequencedEnvelope& envelope() const { return envelope_; }
  const std::vector<PlannedEntry>& entries() const { return entries_; }

 private:
  explicit RoutePlan(SequencedEnvelope envelope) : envelope_(std::move(envelope)) {}
  friend RoutePlan route(Core& core, SequencedEnvelope envelope);
  SequencedEnvelope envelope_;
  std::vector<PlannedEntry> entries_;
};

/// Takes the next sequence of every reader's mailbox. A transient takes none.
RoutePlan route(Core& core, SequencedEnvelope envelope);

/// Writes the plan into the open batch: id, item, entries, and what follows the commit.
void carry_out(Core& core, RoutePlan&& plan);

/// Puts what the broker itself says into `owner`'s mailbox. Beyond twice the quota it is dropped:
/// notices answer what the owner sent, and must not grow without bound either.
void put_notice(Core& core, Agent& owner, ItemType type, Bytes bytes);

}  // namespace sealwire::broker

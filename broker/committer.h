// A batch on its way to disk, and what the committer makes of it: the signed Acceptances.
#pragma once

#include "broker/changes.h"
#include "broker/metrics.h"

namespace sealwire::broker {

struct Acceptance {
  ConnectionId connection = 0;
  std::vector<Receipt> receipts;
};

struct Batch {
  BatchId id = 0;
  std::vector<StoreOp> ops;
  std::vector<Acceptance> acceptances;
};

struct Committed {
  BatchId id = 0;
  Result<> result;
  std::vector<SendFrame> accepted;  // Accepted frames; empty if the commit failed
};

/// Commits, then signs: the receipts say that everything is on disk, so nothing is signed before it
/// is. One signature a connection and batch (of up to kReceiptsPerAccepted receipts). On the
/// committer's thread, where it keeps the router free.
Committed commit(Store& store, const crypto::SigningKey& key, const BrokerIncarnation& incarnation,
                 UnixMillis now, Metrics& metrics, Batch batch);

}  // namespace sealwire::broker

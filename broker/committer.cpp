#include "broker/committer.h"

#include "broker/frames_out.h"

namespace sealwire::broker {

Committed commit(Store& store, const crypto::SigningKey& key, const BrokerIncarnation& incarnation,
                 UnixMillis now, Metrics& metrics, Batch batch) {
  Committed committed{batch.id, {}, {}};
  if (!batch.ops.empty()) {
    committed.result = store.commit(batch.ops);
    if (!committed.result) {
      ++metrics.batches_failed;
      return committed;
    }
    ++metrics.batches_committed;
    metrics.ops_committed += batch.ops.size();
  }
  for (const Acceptance& acceptance : batch.acceptances) {
    std::span<const Receipt> rest(acceptance.receipts);
    while (!rest.empty()) {
      const auto some = rest.first(std::min(rest.size(), frames::kReceiptsPerAccepted));
      committed.accepted.push_back(
          {acceptance.connection, frames::accepted(key, some, now, incarnation)});
      rest = rest.subspan(some.size());
    }
  }
  return committed;
}

}  // namespace sealwire::broker

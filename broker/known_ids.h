// De-duplication by (sender, id): the store's ids, and those of batches that are not there yet.
#pragma once

#include <map>

#include "broker/directory.h"

namespace sealwire::broker {

class KnownIds {
 public:
  /// What is known of an id that `sender` uses. Reads the store only if the id is not the greatest
  /// that the sender has used.
  Result<std::optional<IdRecord>> find(Store& store, Agent& sender, const EnvelopeId& id);
  void add(Agent& sender, const IdRecord& record);

  void batch_taken();      // what was open is with the committer now
  void batch_committed();  // what the committer had is in the store
  void batch_failed();     // nothing of what is pending ever was

 private:
  using Pending = std::map<std::pair<AgentNumber, EnvelopeId>, IdRecord>;
  Pending open_;
  Pending in_flight_;
};

}  // namespace sealwire::broker

#include "broker/known_ids.h"

namespace sealwire::broker {

Result<std::optional<IdRecord>> KnownIds::find(Store& store, Agent& sender, const EnvelopeId& id) {
  if (!sender.highest_id_known) {
    SW_TRY(sender.highest_id, store.highest_id(sender.number));
    sender.highest_id_known = true;
  }
  if (!sender.highest_id || id > *sender.highest_id) return std::nullopt;
  const std::pair key(sender.number, id);
  for (const Pending* pending : {&open_, &in_flight_})
    if (const auto found = pending->find(key); found != pending->end()) return found->second;
  return store.find_id(sender.number, id);
}

void KnownIds::add(Agent& sender, const IdRecord& record) {
  // It may stay too high after a failed commit: that costs a look-up, never an answer.
  if (!sender.highest_id || record.id > *sender.highest_id) sender.highest_id = record.id;
  open_.emplace(std::pair(sender.number, record.id), record);
}

void KnownIds::batch_taken() {
  in_flight_ = std::exchange(open_, {});
}
void KnownIds::batch_committed() {
  in_flight_.clear();
}
void KnownIds::batch_failed() {
  open_.clear();
  in_flight_.clear();
}

}  // namespace sealwire::broker

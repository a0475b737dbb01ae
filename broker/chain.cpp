#include "broker/chain.h"

namespace sealwire::broker {

Result<> check_position(const ChainHead* head, const Header& header) {
  const Digest previous = head == nullptr ? Digest{} : head->link;
  if (header.previous != previous) return fail(Errc::chain_broken, "previous");
  if (head != nullptr && header.epoch < head->epoch)
    return fail(Errc::chain_broken, "epoch before the chain's");
  const bool same_epoch = head != nullptr && head->epoch == header.epoch;
  if (header.sender_seq != (same_epoch ? head->sender_seq + 1 : 0))
    return fail(Errc::chain_broken, "sender_seq");
  return {};
}

ChainHead advance(const Envelope& envelope) {
  const Header& header = envelope.header();
  return {header.incarnation,
          header.epoch,
          header.sender_seq,
          envelope.link(),
          {to_bytes(envelope.header_bytes()), envelope.body_hash(), envelope.signature()}};
}

}  // namespace sealwire::broker

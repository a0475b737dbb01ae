#include "broker/expire.h"

#include "broker/item.h"
#include "broker/route.h"

namespace sealwire::broker {
namespace {
constexpr std::size_t kBuriedPerSweep = 256;
}

void bury(Core& core, const MailboxEntry& entry, Errc why) {
  if (!core.burying.insert(entry.item).second) return;
  const auto envelope = Envelope::parse(*entry.bytes);
  if (!envelope) {
    core.log.write(LogLevel::error, "store: an item is not the envelope that was accepted");
    return;
  }
  core.changes.burying.push_back(entry.item);
  core.changes.add(Bury{entry.item, std::make_shared<const Bytes>(encode_remains(
                                        {to_bytes(envelope->header_bytes()), envelope->body_hash(),
                                         envelope->signature()}))});
  if (Agent* sender = core.directory.at(entry.sender)) {
    const SignedStatement refusal =
        make_refusal(core.key, envelope->header().id, envelope->digest(), wire_code(why), core.now);
    put_notice(core, *sender, ItemType::refused, encode_statements({&refusal}));
  }
  core.changes.consequences.push_back(Unblocked{entry.owner});
  ++(why == Errc::denied ? core.metrics.envelopes_withheld : core.metrics.envelopes_expired);
}

bool sweep(Core& core) {
  const auto expired = core.store.read_expired(core.now, kBuriedPerSweep);
  if (!expired) {
    core.log.write(LogLevel::error, "sweep: " + std::string(name(expired.error().code)));
    return false;
  }
  for (const MailboxEntry& entry : *expired)
    bury(core, entry, Errc::envelope_expired);
  for (const InviteRecord& invite : core.directory.expired_invites(core.now)) {
    core.directory.drop_invite(invite.key);
    core.changes.invites.insert(invite.key);
    core.changes.add(DropInvite{invite.key});
  }
  return expired->size() == kBuriedPerSweep;
}

}  // namespace sealwire::broker

// From one epoch to the next: what the maker and the receivers of a commit compute alike (RFC 9420
// sections 8 and 12.4).
#pragma once

#include "protocol/mls/epoch.h"
#include "protocol/mls/psk.h"

namespace sealwire::mls {

/// The next epoch's context, still with the old tree hash and confirmed transcript hash.
GroupContext next_context(const GroupContext& current, const Extensions& extensions);

struct CommitSecrets {
  KdfSecret psk;
  KdfSecret joiner;
  Bytes encoded_context;
};
CommitSecrets commit_secrets(const KdfSecret& init_secret, const KdfSecret& commit_secret,
                             const std::vector<PskWithId>& psks, Bytes encoded_context);

/// The init secret of an external commit (section 8.3), from its receiver's and its sender's side.
Result<KdfSecret> receive_external_init(const KdfSecret& external_secret, ByteSpan kem_output);
struct ExternalInitSecret {
  Bytes kem_output;
  KdfSecret init_secret;
};
Result<ExternalInitSecret> send_external_init(ByteSpan external_pub, Random& random);

}  // namespace sealwire::mls

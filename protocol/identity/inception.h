// An agent's inception statement, and the agent id that certifies itself by it (SPEC KEY).
#pragma once

#include "protocol/statement.h"
#include "protocol/time.h"

namespace sealwire {

/// An agent as its verified inception statement shows it.
struct AgentIdentity {
  AgentId agent;
  InstanceKey instance;  // the one key, for now
  UnixMillis created;
  SignedStatement inception;  // exact bytes
};

SignedStatement make_inception(const crypto::SigningKey& key, UnixMillis now);
/// Fails with inception_invalid: malformed, an unknown suite, or a signature not by the stated key.
Result<AgentIdentity> verify_inception(SignedStatement inception);

/// A verified prekey for sealed letters.
struct VerifiedPrekey {
  PrekeyKey key;
  InstanceKey instance;
  UnixMillis created;
  UnixMillis expires;
};
SignedStatement make_prekey(const crypto::SigningKey& key, const PrekeyKey& prekey, UnixMillis now,
                            UnixMillis expires);
/// Fails with prekey_invalid: malformed, not by `instance`, not valid at `now`, living too long.
Result<VerifiedPrekey> verify_prekey(const SignedStatement& prekey, const InstanceKey& instance,
                                     UnixMillis now);

}  // namespace sealwire

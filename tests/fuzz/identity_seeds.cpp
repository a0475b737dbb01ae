// Seeds of the identity target: after a byte that chooses, one of each name and statement.
#include "protocol/identity/did_key.h"
#include "tests/fuzz/samples.h"

int main(int, char** argv) {
  using namespace sealwire;
  crypto::initialise();
  fuzz::Corpus corpus(argv[1]);
  const auto add = [&corpus](char chooses, ByteSpan bytes) {
    Bytes seed{static_cast<std::uint8_t>(chooses)};
    seed.insert(seed.end(), bytes.begin(), bytes.end());
    corpus.add(seed);
  };
  const auto key = fuzz::sample_key(1);
  const auto inception = make_inception(key, fuzz::kNow);
  const auto identity = verify_inception(inception).value();
  add(0, as_bytes(did_key(identity.instance)));
  add(0, as_bytes(agent_text(identity.agent)));
  add(0, as_bytes(hex(identity.agent.bytes)));
  Invite invite;
  invite.inviter = identity;
  invite.broker = fuzz::sample_key(3).public_key<BrokerKey>();
  invite.endpoints = {"wss://127.0.0.1:7410", "tcp://[::1]:7411?curve=00"};
  invite.expires = fuzz::kNow + kDayMs;
  invite.seed = fuzz::sample_key(2).seed();
  add(0, as_bytes(invite_text(invite)));
  add(1, inception.statement);
  add(1, make_prekey(key, PrekeyKey{}, fuzz::kNow, fuzz::kNow + kDayMs).statement);
  add(1, make_redemption(invite.seed, identity.agent, Digest{}).statement);
  return 0;
}

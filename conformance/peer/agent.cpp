#include "conformance/peer/agent.h"

namespace conformance {
namespace {
// The same seed is the same agent id in every run: a target admits the suite by it.
constexpr std::uint64_t kCreated = 1'767'225'600'000;
}  // namespace

Signed sign_statement(View seed, std::string_view label, Bytes statement) {
  Bytes signature = sign(seed, labelled("sealwire/0 " + std::string(label), {statement}));
  return {std::move(statement), std::move(signature)};
}

Table inception_table(View key, std::uint64_t suite) {
  return {"Inception", {{"suite", suite}, {"key", copy(key)}, {"created_ms", kCreated}}};
}

Bytes agent_id(const Signed& inception) {
  return hash(labelled("sealwire/0 agent id", {inception.statement, inception.signature}));
}

Agent::Agent(Bytes from)
    : seed(std::move(from)),
      key(public_key(seed)),
      inception(sign_statement(seed, "inception", finish("SWIN", inception_table(key)))),
      id(agent_id(inception)) {}

Signed Agent::prekey(std::uint64_t created, std::uint64_t lifetime) const {
  return sign_statement(seed, "prekey",
                        finish("SWPK", {"Prekey",
                                        {{"suite", 1},
                                         {"instance", key},
                                         {"key", make_agreement_key().key},
                                         {"created_ms", created},
                                         {"expires_ms", created + lifetime}}}));
}

Signed Agent::redemption(View invite_seed, View transcript) const {
  return sign_statement(invite_seed, "redemption",
                        finish("SWIV", {"Redemption",
                                        {{"suite", 1},
                                         {"invite", public_key(invite_seed)},
                                         {"agent", id},
                                         {"transcript", copy(transcript)}}}));
}

}  // namespace conformance

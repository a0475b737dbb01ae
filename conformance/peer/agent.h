// An agent of the suite: its key, its signed statements, and what it signs.
#pragma once

#include "conformance/wire/build.h"
#include "conformance/wire/crypto.h"

namespace conformance {

inline constexpr std::uint64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;

struct Signed {
  Bytes statement, signature;
  operator Value() const {
    return Table{"Signed", {{"statement", statement}, {"signature", signature}}};
  }
};

/// `label` is that of SPEC chapter 0 without `sealwire/0 `.
Signed sign_statement(View seed, std::string_view label, Bytes statement);

class Agent {
 public:
  Agent() : Agent(random_bytes(32)) {}
  explicit Agent(Bytes seed);

  const Bytes seed, key;
  const Signed inception;
  const Bytes id;

  std::string text() const { return agent_text(id); }
  /// A fresh prekey, valid for `lifetime` from `created` on.
  Signed prekey(std::uint64_t created, std::uint64_t lifetime) const;
  Signed prekey() const { return prekey(now_ms(), 7 * kDay); }
  Signed redemption(View invite_seed, View transcript) const;
};

Table inception_table(View key, std::uint64_t suite = 1);
Bytes agent_id(const Signed& inception);

}  // namespace conformance

// Any text as a name or an invite, and any bytes as a signed statement: refused, or one value with
// one text; and nothing verifies that the sample's keys have not signed.
#include "protocol/identity/did_key.h"
#include "protocol/identity/invite.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/samples.h"

namespace sealwire {
namespace {

void texts(std::string_view text) {
  if (const auto key = parse_did_key(text)) FUZZ_CLAIM(did_key(*key) == text);
  if (const auto id = parse_agent_id(text)) FUZZ_CLAIM(agent_text(*id) == text);
  if (const auto bytes = parse_hex(text)) FUZZ_CLAIM(hex(*bytes) == text);
  if (const auto bytes = parse_base64url(text)) FUZZ_CLAIM(base64url(*bytes) == text);
  (void)parse_invite(text);
}

void statements(ByteSpan bytes) {
  static const InstanceKey known = fuzz::sample_key(1).public_key<InstanceKey>();
  static const crypto::SigningSeed seed = fuzz::sample_key(2).seed();
  // What the sample's keys sign of it parses as far as its own checks go; what nobody signed, not.
  const SignedStatement unsigned_statement{to_bytes(bytes), {}};
  FUZZ_CLAIM(!verify_inception(unsigned_statement));
  FUZZ_CLAIM(!verify_redemption(unsigned_statement));
  FUZZ_CLAIM(!verify_prekey(unsigned_statement, known, fuzz::kNow));
  static const crypto::SigningKey key = fuzz::sample_key(1);
  const auto signed_under = [&](std::string_view label) {
    return SignedStatement{to_bytes(bytes), sign_statement(key, label, bytes)};
  };
  if (const auto identity = verify_inception(signed_under(label::kInception)))
    FUZZ_CLAIM(identity->instance == known);
  if (const auto prekey = verify_prekey(signed_under(label::kPrekey), known, fuzz::kNow))
    FUZZ_CLAIM(prekey->instance == known);
}

}  // namespace
}  // namespace sealwire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  crypto::initialise();
  if (size == 0) return 0;
  const ByteSpan rest{data + 1, size - 1};
  data[0] % 2 == 0 ? texts(as_text(rest)) : statements(rest);
  return 0;
}

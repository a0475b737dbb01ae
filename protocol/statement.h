// Signed statements: a finished FlatBuffer and a signature over its exact bytes under a label.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include "protocol/bytes.h"
#include "protocol/crypto/crypto.h"
#include "protocol/error.h"
#include "protocol/limits.h"
#include "protocol/schema/identity_generated.h"
#include "protocol/suite.h"

namespace sealwire {

/// Every context under which something is signed or hashed (SPEC KEY-002). No two are equal.
namespace label {
inline constexpr std::string_view kEnvelope = "sealwire/0 envelope";
inline constexpr std::string_view kEnvelopeDigest = "sealwire/0 envelope digest";
inline constexpr std::string_view kHeader = "sealwire/0 header";
inline constexpr std::string_view kInception = "sealwire/0 inception";
inline constexpr std::string_view kAgentId = "sealwire/0 agent id";
inline constexpr std::string_view kPrekey = "sealwire/0 prekey";
inline constexpr std::string_view kRedemption = "sealwire/0 redemption";
inline constexpr std::string_view kChallenge = "sealwire/0 challenge";
inline constexpr std::string_view kProof = "sealwire/0 proof";
inline constexpr std::string_view kTranscript = "sealwire/0 transcript";
inline constexpr std::string_view kSessionKeys = "sealwire/0 session keys";
inline constexpr std::string_view kAcceptance = "sealwire/0 acceptance";
inline constexpr std::string_view kRefusal = "sealwire/0 refusal";
inline constexpr std::string_view kLetter = "sealwire/0 letter";
inline constexpr std::string_view kKeyFile = "sealwire/0 key file";
}  // namespace label

/// A statement as it travels; nothing is known of it yet.
struct SignedStatement {
  Bytes statement;
  Signature signature;
  friend bool operator==(const SignedStatement&, const SignedStatement&) = default;
};

inline SignedStatement from_wire(const wire::Signed& from) {
  SignedStatement result;
  result.statement.assign(from.statement()->begin(), from.statement()->end());
  if (from.signature()->size() == Signature::kSize)
    std::copy(from.signature()->begin(), from.signature()->end(), result.signature.bytes.begin());
  return result;
}
inline flatbuffers::Offset<wire::Signed> to_wire(flatbuffers::FlatBufferBuilder& builder,
                                                 const SignedStatement& from) {
  const auto statement = builder.CreateVector(from.statement);
  const auto signature =
      builder.CreateVector(from.signature.bytes.data(), from.signature.bytes.size());
  return wire::CreateSigned(builder, statement, signature);
}

/// The root of a nested FlatBuffer that has passed size, identifier and Verifier. `bytes` must be
/// aligned to 8 (a whole `Bytes` is) and outlive the result.
template <class Table>
Result<const Table*> verified_root(ByteSpan bytes, const char* identifier, Errc error,
                                   std::size_t max_bytes = limits::kStatementBytes,
                                   unsigned max_depth = limits::kHeaderDepth,
                                   unsigned max_tables = limits::kHeaderTables) {
  if (bytes.size() < 8 || bytes.size() > max_bytes) return fail(error, "size");
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), max_depth, max_tables);
  if (!verifier.VerifyBuffer<Table>(identifier)) return fail(error, "not well-formed");
  return flatbuffers::GetRoot<Table>(bytes.data());
}

template <class Table>
Bytes finish_statement(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> root,
                       const char* identifier) {
  builder.Finish(root, identifier);
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

inline Signature sign_statement(const crypto::SigningKey& key, std::string_view label,
                                ByteSpan statement) {
  return key.sign(crypto::labelled(label, {statement}));
}
inline bool verify_statement(std::span<const std::uint8_t, 32> key, std::string_view label,
                             const SignedStatement& statement) {
  return crypto::verify(key, crypto::labelled(label, {ByteSpan(statement.statement)}),
                        statement.signature);
}

}  // namespace sealwire

// What protocol/ makes of a vector: a JSON line in, a JSON line out, for `sealwire-conformance
// codec`.
#include <iostream>
#include <nlohmann/json.hpp>

#include "protocol/envelope/envelope.h"
#include "protocol/frame/frame.h"
#include "protocol/identity/did_key.h"
#include "protocol/identity/inception.h"
#include "protocol/identity/invite.h"
#include "protocol/limits.h"

namespace {

using namespace sealwire;

Bytes bytes_of(const nlohmann::json& question, const char* field) {
  const std::string text = question.value(field, "");
  Bytes bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  return bytes;
}

template <class Value>
Result<> only_whether(const Result<Value>& result) {
  if (!result) return fail(result.error());
  return {};
}

Result<> check_envelope(Bytes bytes, UnixMillis now) {
  SW_TRY(Envelope envelope, Envelope::parse(std::move(bytes)));
  SW_TRY(const VerifiedEnvelope verified, verify_signature(std::move(envelope)));
  return check_times(verified.header(), now);
}

Result<> decide(const nlohmann::json& question) {
  const std::string kind = question.at("kind");
  const UnixMillis now{question.at("now_ms").get<std::uint64_t>()};
  if (kind == "instance")
    return only_whether(parse_did_key(question.at("text").get<std::string>()));
  if (kind == "agent") return only_whether(parse_agent_id(question.at("text").get<std::string>()));
  Bytes bytes = bytes_of(question, "hex");
  if (kind == "frame") return only_whether(Frame::parse(bytes, limits::kFrameBytes));
  if (kind == "envelope") return check_envelope(std::move(bytes), now);
  const auto signature = Signature::from(bytes_of(question, "signature"));
  if (!signature) return fail(Errc::frame_field, "signature");
  SignedStatement statement{std::move(bytes), *signature};
  if (kind == "inception") return only_whether(verify_inception(std::move(statement)));
  if (kind == "redemption") return only_whether(verify_redemption(statement));
  if (kind == "prekey") {
    // Whose it is, it says itself; whether it may be that one's is not this vector's question.
    Bytes aligned = statement.statement;
    const auto* from = flatbuffers::GetRoot<wire::Prekey>(aligned.data());
    return only_whether(verify_prekey(statement, value<InstanceKey>(from->instance()), now));
  }
  return fail(Errc::frame_unknown, kind);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const Result<> taken = decide(nlohmann::json::parse(line));
    const wire::Code code = taken ? wire::Code::ok : wire_code(taken.error().code);
    std::cout
        << nlohmann::json{{"accept", taken.has_value()}, {"code", wire::EnumNameCode(code)}}.dump()
        << std::endl;
  }
}

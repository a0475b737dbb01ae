#include "protocol/frame/frame.h"

#include "protocol/frame/fields.h"
#include "protocol/limits.h"

namespace sealwire {

Result<Frame> Frame::parse(ByteSpan bytes, std::size_t max_bytes) {
  if (bytes.size() > max_bytes)
    return fail(Errc::frame_too_large, std::to_string(bytes.size()) + " bytes");
  if (bytes.size() < 12) return fail(Errc::frame_malformed, "shorter than any frame");

  Frame frame;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) {
    frame.aligned_ = to_bytes(bytes);
    bytes = frame.aligned_;
  }
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits::kFrameDepth,
                                 limits::kFrameTables);
  if (!wire::VerifyFrameBuffer(verifier)) return fail(Errc::frame_malformed, "does not verify");
  frame.root_ = wire::GetFrame(bytes.data());
  SW_CHECK(check_fields(*frame.root_));
  return frame;
}

wire::Code wire_code(Errc code) {
  using wire::Code;
  switch (code) {
    case Errc::frame_too_large:
    case Errc::envelope_too_large:
      return Code::too_large;
    case Errc::frame_unknown:
    case Errc::version_unsupported:
    case Errc::suite_unsupported:
    case Errc::critical_unknown:
    case Errc::kind_unknown:
    case Errc::mls_unsupported:
      return Code::unsupported;
    case Errc::frame_unsealed:
    case Errc::binding_mismatch:
    case Errc::key_low_order:
    case Errc::broker_key_mismatch:
    case Errc::handshake_signature:
    case Errc::inception_invalid:
    case Errc::envelope_signature:
    case Errc::sender_mismatch:
      return Code::unauthenticated;
    // One answer for "you may not", "there is no such agent" and "no such conversation": nobody
    // learns from a refusal who exists (ERR-003).
    case Errc::not_admitted:
    case Errc::denied:
    case Errc::invite_invalid:
    case Errc::recipient_unknown:
    case Errc::unknown_agent:
    case Errc::conversation_unknown:
    case Errc::not_a_member:
      return Code::denied;
    case Errc::key_package_none:
      return Code::unknown;
    case Errc::envelope_expired:
      return Code::expired;
    case Errc::stale_epoch:
      return Code::stale_epoch;
    case Errc::epoch_conflict:
      return Code::epoch_conflict;
    case Errc::chain_broken:
      return Code::chain_broken;
    case Errc::id_conflict:
      return Code::id_conflict;
    case Errc::quota_exceeded:
      return Code::quota_exceeded;
    case Errc::rate_limited:
      return Code::rate_limited;
    case Errc::overloaded:
    case Errc::store_failed:
    case Errc::store_full:
      return Code::unavailable;
    case Errc::replaced:
      return Code::replaced;
    case Errc::draining:
    case Errc::closed:
    case Errc::cancelled:
      return Code::closing;
    case Errc::handshake_timeout:
    case Errc::idle_timeout:
    case Errc::timeout:
      return Code::timeout;
    case Errc::mls_undecryptable:
    case Errc::mls_signature:
    case Errc::mls_membership_tag:
    case Errc::mls_confirmation_tag:
    case Errc::mls_epoch:
    case Errc::mls_generation_used:
    case Errc::mls_generation_too_far:
    case Errc::mls_tree_invalid:
    case Errc::mls_proposal_invalid:
    case Errc::letter_prekey_unknown:
    case Errc::letter_undecryptable:
    case Errc::authenticated_data_mismatch:
      return Code::undecryptable;
    default:
      return Code::malformed;
  }
}

}  // namespace sealwire

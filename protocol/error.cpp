#include "protocol/error.h"

#include <algorithm>
#include <array>

namespace sealwire {
namespace {

struct Entry {
  Errc code;
  std::string_view name;
};

constexpr auto kErrors = std::to_array<Entry>({
    {Errc::frame_too_large, "frame_too_large"},
    {Errc::frame_malformed, "frame_malformed"},
    {Errc::frame_unknown, "frame_unknown"},
    {Errc::frame_field, "frame_field"},
    {Errc::frame_unexpected, "frame_unexpected"},
    {Errc::frame_unsealed, "frame_unsealed"},
    {Errc::version_unsupported, "version_unsupported"},
    {Errc::binding_mismatch, "binding_mismatch"},
    {Errc::key_low_order, "key_low_order"},
    {Errc::broker_key_mismatch, "broker_key_mismatch"},
    {Errc::handshake_signature, "handshake_signature"},
    {Errc::handshake_timeout, "handshake_timeout"},
    {Errc::inception_invalid, "inception_invalid"},
    {Errc::not_admitted, "not_admitted"},
    {Errc::replaced, "replaced"},
    {Errc::idle_timeout, "idle_timeout"},
    {Errc::envelope_malformed, "envelope_malformed"},
    {Errc::envelope_too_large, "envelope_too_large"},
    {Errc::header_malformed, "header_malformed"},
    {Errc::suite_unsupported, "suite_unsupported"},
    {Errc::critical_unknown, "critical_unknown"},
    {Errc::kind_unknown, "kind_unknown"},
    {Errc::sender_mismatch, "sender_mismatch"},
    {Errc::envelope_expired, "envelope_expired"},
    {Errc::created_out_of_range, "created_out_of_range"},
    {Errc::lifetime_too_long, "lifetime_too_long"},
    {Errc::envelope_signature, "envelope_signature"},
    {Errc::provenance_invalid, "provenance_invalid"},
    {Errc::bundle_invalid, "bundle_invalid"},
    {Errc::denied, "denied"},
    {Errc::invite_invalid, "invite_invalid"},
    {Errc::recipient_unknown, "recipient_unknown"},
    {Errc::conversation_unknown, "conversation_unknown"},
    {Errc::not_a_member, "not_a_member"},
    {Errc::stale_epoch, "stale_epoch"},
    {Errc::epoch_conflict, "epoch_conflict"},
    {Errc::chain_broken, "chain_broken"},
    {Errc::id_conflict, "id_conflict"},
    {Errc::quota_exceeded, "quota_exceeded"},
    {Errc::rate_limited, "rate_limited"},
    {Errc::overloaded, "overloaded"},
    {Errc::store_failed, "store_failed"},
    {Errc::store_full, "store_full"},
    {Errc::draining, "draining"},
    {Errc::credit_exceeded, "credit_exceeded"},
    {Errc::key_package_invalid, "key_package_invalid"},
    {Errc::key_package_none, "key_package_none"},
    {Errc::prekey_invalid, "prekey_invalid"},
    {Errc::unknown_agent, "unknown_agent"},
    {Errc::mls_malformed, "mls_malformed"},
    {Errc::mls_unsupported, "mls_unsupported"},
    {Errc::mls_signature, "mls_signature"},
    {Errc::mls_membership_tag, "mls_membership_tag"},
    {Errc::mls_confirmation_tag, "mls_confirmation_tag"},
    {Errc::mls_epoch, "mls_epoch"},
    {Errc::mls_generation_used, "mls_generation_used"},
    {Errc::mls_generation_too_far, "mls_generation_too_far"},
    {Errc::mls_undecryptable, "mls_undecryptable"},
    {Errc::mls_tree_invalid, "mls_tree_invalid"},
    {Errc::mls_proposal_invalid, "mls_proposal_invalid"},
    {Errc::mls_key_package_invalid, "mls_key_package_invalid"},
    {Errc::mls_psk_unknown, "mls_psk_unknown"},
    {Errc::mls_not_a_member, "mls_not_a_member"},
    {Errc::mls_limit, "mls_limit"},
    {Errc::mls_state, "mls_state"},
    {Errc::letter_malformed, "letter_malformed"},
    {Errc::letter_prekey_unknown, "letter_prekey_unknown"},
    {Errc::letter_undecryptable, "letter_undecryptable"},
    {Errc::content_malformed, "content_malformed"},
    {Errc::authenticated_data_mismatch, "authenticated_data_mismatch"},
    {Errc::did_malformed, "did_malformed"},
    {Errc::agent_id_malformed, "agent_id_malformed"},
    {Errc::key_file_malformed, "key_file_malformed"},
    {Errc::key_file_exists, "key_file_exists"},
    {Errc::key_file_permissions, "key_file_permissions"},
    {Errc::passphrase_wrong, "passphrase_wrong"},
    {Errc::peer_unverified, "peer_unverified"},
    {Errc::peer_unknown, "peer_unknown"},
    {Errc::peer_key_changed, "peer_key_changed"},
    {Errc::invite_malformed, "invite_malformed"},
    {Errc::config_invalid, "config_invalid"},
    {Errc::state_locked, "state_locked"},
    {Errc::state_corrupt, "state_corrupt"},
    {Errc::file_failed, "file_failed"},
    {Errc::address_invalid, "address_invalid"},
    {Errc::transport_insecure, "transport_insecure"},
    {Errc::connect_failed, "connect_failed"},
    {Errc::closed, "closed"},
    {Errc::timeout, "timeout"},
    {Errc::cancelled, "cancelled"},
    {Errc::crypto_failed, "crypto_failed"},
    {Errc::connection_lost, "connection_lost"},
    {Errc::cage_incomplete, "cage_incomplete"},
});

}  // namespace

std::string_view name(Errc code) {
  const auto* entry = std::find_if(kErrors.begin(), kErrors.end(),
                                   [code](const Entry& e) { return e.code == code; });
  return entry == kErrors.end() ? "unknown" : entry->name;
}

std::span<const Errc> all_errors() {
  static const auto codes = [] {
    std::array<Errc, kErrors.size()> result{};
    std::transform(kErrors.begin(), kErrors.end(), result.begin(),
                   [](const Entry& e) { return e.code; });
    return result;
  }();
  return codes;
}

}  // namespace sealwire

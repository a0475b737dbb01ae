// Named errors, grouped by the stage that finds them. `Errc` is exact and goes to the log; what the
// peer learns is the coarse `wire::Code` (ERR-001).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace sealwire {

enum class Errc : std::uint16_t {
  // frame: bytes that are not one well-formed frame
  frame_too_large = 100,
  frame_malformed,
  frame_unknown,     // a union tag that this version does not know
  frame_field,       // a field of a wrong length or outside its range
  frame_unexpected,  // well-formed, but not in this state or direction
  frame_unsealed,    // a sealed session's frame did not open
  // session: the handshake
  version_unsupported = 200,
  binding_mismatch,
  key_low_order,
  broker_key_mismatch,
  handshake_signature,
  handshake_timeout,
  inception_invalid,
  not_admitted,
  replaced,
  idle_timeout,
  // envelope: what can be said of one envelope alone
  envelope_malformed = 300,
  envelope_too_large,
  header_malformed,
  suite_unsupported,
  critical_unknown,
  kind_unknown,
  sender_mismatch,
  envelope_expired,
  created_out_of_range,
  lifetime_too_long,
  envelope_signature,
  provenance_invalid,
  bundle_invalid,
  // authorise
  denied = 400,
  invite_invalid,
  recipient_unknown,
  // conversation: the Delivery Service
  conversation_unknown = 500,
  not_a_member,
  stale_epoch,
  epoch_conflict,
  chain_broken,
  id_conflict,
  // mailboxes and other resources
  quota_exceeded = 600,
  rate_limited,
  overloaded,
  store_failed,
  store_full,
  draining,
  credit_exceeded,
  // directory
  key_package_invalid = 700,
  key_package_none,
  prekey_invalid,
  unknown_agent,
  // end-to-end encryption
  mls_malformed = 800,
  mls_unsupported,
  mls_signature,
  mls_membership_tag,
  mls_confirmation_tag,
  mls_epoch,
  mls_generation_used,
  mls_generation_too_far,
  mls_undecryptable,
  mls_tree_invalid,
  mls_proposal_invalid,
  mls_key_package_invalid,
  mls_psk_unknown,
  mls_not_a_member,
  mls_limit,
  mls_state,
  letter_malformed,
  letter_prekey_unknown,
  letter_undecryptable,
  content_malformed,
  authenticated_data_mismatch,
  // identity and files
  did_malformed = 900,
  agent_id_malformed,
  key_file_malformed,
  key_file_exists,
  key_file_permissions,
  passphrase_wrong,
  peer_unverified,
  peer_unknown,
  peer_key_changed,
  invite_malformed,
  // local machinery
  config_invalid = 1000,
  state_locked,
  state_corrupt,
  file_failed,
  address_invalid,
  transport_insecure,
  connect_failed,
  closed,
  timeout,
  cancelled,
  crypto_failed,
  connection_lost,
  cage_incomplete,  // a layer of a cage is missing here, or the kernel refused it
};

/// The enumerator's own name, as it stands in logs and in `--json`.
std::string_view name(Errc code);
/// Every error there is, for the tests and documents that list them.
std::span<const Errc> all_errors();

struct Error {
  Errc code;
  std::string detail;  // for the log and for a person; never a secret, never sent to a peer
};

template <class T = void>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace sealwire

// `SW_TRY(auto x, f());` binds the value of f(), or returns its error from the enclosing function.
#define SW_CONCAT_(a, b) a##b
#define SW_CONCAT(a, b) SW_CONCAT_(a, b)
#define SW_TRY(decl, expr)                                                    \
  auto SW_CONCAT(sw_try_, __LINE__) = (expr);                                 \
  if (!SW_CONCAT(sw_try_, __LINE__))                                          \
    return ::sealwire::fail(std::move(SW_CONCAT(sw_try_, __LINE__)).error()); \
  decl = std::move(*SW_CONCAT(sw_try_, __LINE__))
// `SW_CHECK(f());` is the same for a Result<>.
#define SW_CHECK(expr)                                       \
  do {                                                       \
    if (auto sw_check_ = (expr); !sw_check_)                 \
      return ::sealwire::fail(std::move(sw_check_).error()); \
  } while (false)

#include "sdk/cli/exit_code.h"

#include <array>

namespace sealwire::cli {

std::span<const ExitCodeRow> exit_codes() {
  static constexpr auto kRows = std::to_array<ExitCodeRow>({
      {ExitCode::ok, "ok", "Done."},
      {ExitCode::failed, "failed", "Not done, for a reason without a number of its own."},
      {ExitCode::usage, "usage", "The command line or an input line is not understood."},
      {ExitCode::denied, "denied", "Somebody who may refuse it has refused it: broker or peer."},
      {ExitCode::unreachable, "unreachable", "The broker cannot be reached, or went away."},
      {ExitCode::timeout, "timeout", "The time allowed has passed."},
      {ExitCode::untrusted, "untrusted", "A key, signature or file is not what it must be."},
      {ExitCode::state, "state", "The agent's own files are missing, locked or damaged."},
      {ExitCode::busy, "busy", "Refused for now: a quota, a rate or a full disk. Try later."},
  });
  return kRows;
}

ExitCode exit_code(Errc code) {
  switch (code) {
    case Errc::denied:
    case Errc::not_admitted:
    case Errc::recipient_unknown:
    case Errc::unknown_agent:
    case Errc::not_a_member:
    case Errc::conversation_unknown:
      return ExitCode::denied;
    case Errc::connect_failed:
    case Errc::closed:
    case Errc::replaced:
    case Errc::idle_timeout:
      return ExitCode::unreachable;
    case Errc::timeout:
    case Errc::handshake_timeout:
    case Errc::envelope_expired:
      return ExitCode::timeout;
    case Errc::broker_key_mismatch:
    case Errc::handshake_signature:
    case Errc::binding_mismatch:
    case Errc::key_low_order:
    case Errc::inception_invalid:
    case Errc::invite_invalid:
    case Errc::envelope_signature:
    case Errc::sender_mismatch:
    case Errc::envelope_malformed:
    case Errc::header_malformed:
    case Errc::suite_unsupported:
    case Errc::critical_unknown:
    case Errc::kind_unknown:
    case Errc::mls_signature:
    case Errc::mls_undecryptable:
    case Errc::letter_undecryptable:
    case Errc::peer_unverified:
    case Errc::peer_key_changed:
    case Errc::transport_insecure:
    case Errc::cage_incomplete:
      return ExitCode::untrusted;
    case Errc::state_locked:
    case Errc::state_corrupt:
    case Errc::file_failed:
    case Errc::config_invalid:
    case Errc::key_file_malformed:
    case Errc::key_file_exists:
    case Errc::key_file_permissions:
    case Errc::passphrase_wrong:
      return ExitCode::state;
    case Errc::quota_exceeded:
    case Errc::rate_limited:
    case Errc::overloaded:
    case Errc::store_failed:
    case Errc::store_full:
    case Errc::draining:
    case Errc::credit_exceeded:
      return ExitCode::busy;
    case Errc::did_malformed:
    case Errc::agent_id_malformed:
    case Errc::invite_malformed:
    case Errc::address_invalid:
    case Errc::content_malformed:
    case Errc::peer_unknown:
      return ExitCode::usage;
    default:
      return ExitCode::failed;
  }
}

}  // namespace sealwire::cli

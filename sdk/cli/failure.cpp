#include "sdk/cli/failure.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sdk/cli/text.h"

namespace sealwire::cli {

std::string_view next_command(Errc code) {
  switch (code) {
    case Errc::connect_failed:
    case Errc::closed:
    case Errc::idle_timeout:
    case Errc::handshake_timeout:
      return "sealwire status      (is the broker running? `sealwire up` starts one here)";
    case Errc::timeout:
      return "the same command with a longer -W";
    case Errc::broker_key_mismatch:
      return "ask the broker's operator for its key, then: sealwire login --broker-key KEY …";
    case Errc::denied:
    case Errc::recipient_unknown:
    case Errc::unknown_agent:
      return "ask the peer for an invite, then: sealwire login INVITE";
    case Errc::not_admitted:
      return "ask an agent of that broker for an invite, then: sealwire login INVITE      (its "
             "operator can name you too: sealwire whoami)";
    case Errc::invite_invalid:
    case Errc::invite_malformed:
      return "ask for a fresh invite: each works once (the inviter types: sealwire invite)";
    case Errc::peer_unknown:
      return "sealwire peer ls";
    case Errc::agent_id_malformed:
      return "sealwire whoami      (on the peer's side: prints its agent id)";
    case Errc::peer_unverified:
      return "sealwire peer add AGENT_ID NAME";
    case Errc::peer_key_changed:
      return "compare agent ids with the peer by another way before you go on";
    case Errc::replaced:
      return "stop the other process that uses this context, or choose one: sealwire -c NAME …";
    case Errc::state_locked:
      return "stop the process named above, or use another context: sealwire -c NAME …";
    case Errc::key_file_exists:
      return "sealwire key show";
    case Errc::passphrase_wrong:
      return "set SEALWIRE_PASSPHRASE";
    case Errc::transport_insecure:
      return "use wss:// or tcp:// with CURVE";
    case Errc::cage_incomplete:
      return "sealwire doctor";
    case Errc::rate_limited:
    case Errc::overloaded:
    case Errc::store_full:
    case Errc::store_failed:
    case Errc::draining:
      return "the same command in a minute";
    case Errc::quota_exceeded:
      return "the same command when the peer has read its messages";
    default:
      return "";
  }
}

std::string describe(const Failure& failure, bool json) {
  const std::string_view next =
      failure.next.empty() ? next_command(failure.error.code) : std::string_view(failure.next);
  if (json) {
    nlohmann::ordered_json error{{"code", name(failure.error.code)},
                                 {"cause", failure.error.detail}};
    if (!next.empty()) error["try"] = next;
    return to_line(nlohmann::ordered_json{{"error", error}});
  }
  std::string text = fmt::format("error: {}", name(failure.error.code));
  if (!failure.error.detail.empty()) text += ": " + printable(failure.error.detail);
  text += "\n";
  if (!next.empty()) text += fmt::format("try:   {}\n", printable(next));
  return text;
}

}  // namespace sealwire::cli

// Text forms of keys and ids: did:key (W3C CCG) for instances, agent:z… for agents. One value has
// one text: anything that does not encode back to the same text is refused (KEY-004).
#pragma once

#include <string>

#include "protocol/bytes.h"
#include "protocol/error.h"

namespace sealwire {

std::string did_key(const InstanceKey& key);  ///< "did:key:z6Mk…" (Ed25519)
Result<InstanceKey> parse_did_key(std::string_view text);

std::string agent_text(const AgentId& id);  ///< "agent:z…", base58btc
Result<AgentId> parse_agent_id(std::string_view text);

std::string hex(ByteSpan bytes);
/// Lower case only; empty on anything else.
std::optional<Bytes> parse_hex(std::string_view text);
/// base64url without padding (RFC 4648 section 5).
std::string base64url(ByteSpan bytes);
std::optional<Bytes> parse_base64url(std::string_view text);

}  // namespace sealwire

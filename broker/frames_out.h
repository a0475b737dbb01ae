// The frames that a broker makes, each from values of ours.
#pragma once

#include "broker/changes.h"
#include "broker/session.h"

namespace sealwire::broker::frames {

Bytes ready(const Session& session, const BrokerIncarnation& incarnation, const Agent& agent,
            UnixMillis now);
/// `receipts` ≤ kReceiptsPerAccepted, so that the Acceptance stays a statement (FRM-010).
inline constexpr std::size_t kReceiptsPerAccepted = 60;
Bytes accepted(const crypto::SigningKey& key, std::span<const Receipt> receipts, UnixMillis now,
               const BrokerIncarnation& incarnation);
Bytes rejected(std::span<const Rejection> rejections);
/// Fails with store_failed if the store gave bytes that it was not given.
Result<Bytes> deliver(std::span<const Delivery> deliveries);
Bytes ping(std::uint64_t nonce);
Bytes pong(std::uint64_t nonce);
Bytes close(wire::Code code);

// Replies
Bytes refused(std::uint32_t call, wire::Code code);
Bytes done(std::uint32_t call);
Bytes published(std::uint32_t call, std::uint64_t key_packages);
Bytes found(std::uint32_t call, const Agent& agent);
Bytes claimed(std::uint32_t call, const Agent& agent, ByteSpan key_package);
Bytes contacts(std::uint32_t call, const Agent& agent);
Bytes conversation(std::uint32_t call, const ConversationRecord& record, const ChainHead* own);

}  // namespace sealwire::broker::frames

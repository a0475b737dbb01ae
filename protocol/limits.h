// Every bound of the protocol, once. SPEC.md names each one. Bounds that an operator sets live in
// broker/config.h and may not exceed these.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/time.h"

namespace sealwire::limits {

// Frames
inline constexpr std::size_t kFrameBytesBeforeProof = 16 * 1024;
inline constexpr std::size_t kFrameBytes = 4 * 1024 * 1024;
inline constexpr unsigned kFrameDepth = 12;     // FlatBuffers nesting
inline constexpr unsigned kFrameTables = 4096;  // FlatBuffers tables in one frame
inline constexpr std::size_t kBundlesPerSend = 256;
inline constexpr std::size_t kEnvelopesPerBundle = 16;
inline constexpr std::size_t kEntriesPerDeliver = 256;
inline constexpr std::size_t kSealedFrameOverheadBytes = 16;

// Envelopes
inline constexpr std::size_t kHeaderBytes = 4 * 1024;
inline constexpr unsigned kHeaderDepth = 4;
inline constexpr unsigned kHeaderTables = 64;
inline constexpr std::size_t kBodyBytes = 1024 * 1024;
inline constexpr std::size_t kEnvelopeBytes = kBodyBytes + kHeaderBytes + 1024;
inline constexpr std::size_t kRecipients = 32;
inline constexpr std::size_t kCriticalFeatures = 16;
inline constexpr std::size_t kProvenanceBytes = 64;
inline constexpr std::uint64_t kLifetimeMs = 30 * kDayMs;
inline constexpr std::uint64_t kLetterLifetimeMs = 7 * kDayMs;
inline constexpr std::uint64_t kClockSkewMs = 5 * kMinuteMs;
inline constexpr std::uint64_t kIdRetentionMs = kDayMs;  // an id is known until expiry + this

// Sessions
inline constexpr std::uint64_t kHandshakeMs = 5 * kSecondMs;
inline constexpr std::uint64_t kPingIntervalMs = 20 * kSecondMs;
inline constexpr std::uint64_t kIdleMs = 60 * kSecondMs;
inline constexpr std::size_t kVersionsInHello = 8;
inline constexpr std::size_t kStatementBytes =
    8 * 1024;  // any signed statement that is not an envelope

// End-to-end encryption
inline constexpr std::uint32_t kRatchetForward = 65536;  // generations ahead, after the signature
inline constexpr std::size_t kSkippedKeysPerSender = 256;
inline constexpr std::size_t kPastEpochs = 4;                  // whose messages can still be opened
inline constexpr std::uint64_t kEpochsBehind = 2;              // that the broker accepts
inline constexpr std::uint32_t kGenerationsPerUpdate = 32768;  // own messages before a leaf update
inline constexpr std::uint64_t kLeafUpdateMs = kDayMs;
inline constexpr std::size_t kMlsVectorBytes = 1024 * 1024;
inline constexpr std::size_t kTreeLeaves = 4096;
inline constexpr std::size_t kContentItems = 256;  // of one ContentBatch
inline constexpr std::size_t kContentDepth = 8;
inline constexpr std::size_t kMediaTypeBytes = 127;
inline constexpr std::size_t kHeldPerSender = 256;  // durable envelopes out of turn

// Key packages
inline constexpr std::size_t kKeyPackagePool = 50;
inline constexpr std::uint64_t kKeyPackageLifetimeMs = 30 * kDayMs;
inline constexpr std::size_t kKeyPackageBytes = 4 * 1024;
inline constexpr std::uint64_t kPrekeyLifetimeMs = 7 * kDayMs;
inline constexpr std::uint64_t kInviteLifetimeMs = 7 * kDayMs;

static_assert(kBundlesPerSend * 2 + 16 < kFrameTables);
static_assert(kEntriesPerDeliver * 3 + 16 < kFrameTables);
static_assert(kEnvelopeBytes + kHeaderBytes < kFrameBytes);
static_assert(kStatementBytes < kFrameBytesBeforeProof);
static_assert(kEpochsBehind <= kPastEpochs);
static_assert(kGenerationsPerUpdate < kRatchetForward);
static_assert(kPrekeyLifetimeMs >= kLetterLifetimeMs);

}  // namespace sealwire::limits

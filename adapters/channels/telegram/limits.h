// Bounds of the Telegram channel, beside those of protocol/limits.h and channel.h. What Telegram
// itself bounds is marked so; WIRE.md says what the others protect.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "protocol/limits.h"

namespace sealwire::channel::telegram {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

// Telegram's
inline constexpr std::size_t kTextUnits = 4096;                 // of a message, UTF-16 code units
inline constexpr std::size_t kCaptionUnits = 1024;              // of a document
inline constexpr std::size_t kFileBytesMax = 20 * 1024 * 1024;  // that getFile gives a bot
inline constexpr std::uint64_t kPaceMs = 1000;                  // a message, a chat
inline constexpr std::uint64_t kGroupPaceFactor = 3;            // 20 a minute
inline constexpr std::uint64_t kMessagesPerPace = 30;           // of a bot, to all its chats

// Fragments
inline constexpr std::size_t kHeaderBytes = 29;
inline constexpr std::size_t kTextPayloadBytes = 3034;  // what is left of a text message
inline constexpr std::size_t kDocumentPayloadBytes = limits::kFrameBytes + 64 * 1024;
inline constexpr std::size_t kReasonBytes = 123;
inline constexpr std::size_t kTextsForADocument = 3;  // sendDocument, getFile and the download
inline constexpr std::uint32_t kFragmentsAhead = 64;  // held out of order, of one connection

// Connections
inline constexpr std::size_t kUnprovenConnections = 512;  // of one listener
inline constexpr std::size_t kConnectionsPerChat = 64;
inline constexpr std::size_t kFarewellsPerChat = 8;  // close fragments of what is gone
inline constexpr std::size_t kChats = 20000;         // to which something is sent
inline constexpr Millis kGapTime{30'000};            // that a missing fragment is waited for
inline constexpr Millis kIdleTime{180'000};          // in which nothing came
inline constexpr Millis kCloseTime{1000};            // for what was taken, beside the pace

// Requests
inline constexpr std::size_t kAnswerBytes = 8 * 1024 * 1024;
inline constexpr std::size_t kUpdatesPerPoll = 50;
inline constexpr std::size_t kUpdatesRemembered = 1024;
inline constexpr std::uint64_t kPollSeconds = 25;
inline constexpr std::uint64_t kRequestMs = 30'000;
inline constexpr unsigned kSendTries = 6;  // of one fragment, where Telegram is not reached
inline constexpr std::uint64_t kBackoffMs = 250, kBackoffMsMax = 30'000;
inline constexpr std::uint64_t kRetryAfterSecondsMax = 24 * 60 * 60;
inline constexpr std::size_t kDescriptionBytes = 200;  // of Telegram's, in an error

static_assert((kTextUnits - 11) * 3 / 4 == kHeaderBytes + kTextPayloadBytes, "11: the prefix");
static_assert(kDocumentPayloadBytes < kFileBytesMax);
static_assert(kDocumentPayloadBytes <= kAnswerBytes);
static_assert(kIdleTime.count() > static_cast<long>(limits::kIdleMs),
              "the session finds out first");
static_assert(kGapTime.count() < static_cast<long>(limits::kIdleMs), "a gap is named as a gap");

}  // namespace sealwire::channel::telegram

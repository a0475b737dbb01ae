// What waits for the outer world: a queue for each chat, one delivery of it under way at a time,
// paced and tried again. Sans-I/O: the time goes in.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/bridges/bridge.h"

namespace sealwire::bridge {

inline constexpr std::size_t kWaitingPerChat = 256;
inline constexpr std::size_t kWaiting = 1024;
inline constexpr std::uint64_t kRetryFirstMs = 500;
inline constexpr std::uint64_t kRetryMostMs = 60'000;
inline constexpr std::uint64_t kAnswerMs = 60'000;  // silence about a delivery is a failure
inline constexpr unsigned kAttempts = 20;

class Deliveries {
 public:
  void pace(std::uint64_t chat_interval_ms, std::uint64_t interval_ms);
  enum class Added : std::uint8_t { waiting, chat_full, full };
  /// A delivery that waits already is not added twice.
  Added add(Deliver deliver);
  /// The delivery that is due, which is under way from now on.
  std::optional<Deliver> next(std::uint64_t now_ms);
  /// When `next` may have one; empty while nothing waits.
  std::optional<std::uint64_t> due_ms() const;

  /// Whether it was under way: a bridge cannot finish what it was not given.
  bool delivered(const std::string& id);
  /// The delivery, if it is given up.
  std::optional<Deliver> failed(const Failed& failed, std::uint64_t now_ms);
  /// The bridge died: what was under way is due again.
  void interrupted(std::uint64_t now_ms);
  void moved(const std::string& chat, const std::string& to);
  std::size_t waiting() const { return waiting_; }
  std::uint64_t retries() const { return retries_; }

 private:
  struct Chat {
    std::deque<Deliver> queue;
    bool under_way = false;  // its first one
    unsigned attempts = 0;
    std::uint64_t not_before_ms = 0;
    std::uint64_t silent_until_ms = 0;
  };
  std::map<std::string, Chat>::iterator holder(const std::string& id);
  void retry(Chat& chat, std::uint64_t now_ms, std::uint64_t after_ms);
  std::uint64_t due_of(const Chat& chat) const;

  std::map<std::string, Chat> chats_;  // only those with something waiting, or with a pause to keep
  std::string last_;                   // the chat served last: the next one is after it
  std::size_t waiting_ = 0;
  std::uint64_t retries_ = 0;
  std::uint64_t chat_interval_ms_ = 0;
  std::uint64_t interval_ms_ = 0;
  std::uint64_t not_before_ms_ = 0;
};

}  // namespace sealwire::bridge

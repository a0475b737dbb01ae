// One bot in this process: the thread that polls for it, and the workers that send and fetch. All
// ends that use one token share it, since Telegram lets only one poll.
#pragma once

#include <thread>

#include "adapters/channels/telegram/hub.h"

namespace sealwire::channel::telegram {

class Bot {
 public:
  /// The one of this account, made where there is none. With several paces the slowest holds.
  static std::shared_ptr<Bot> of(Account account, Millis pace);
  Bot(Account account, Millis pace);
  Bot(const Bot&) = delete;
  Bot& operator=(const Bot&) = delete;
  /// Ends requests under way. Not from a thread of its own.
  ~Bot();

  Hub& hub() { return *hub_; }
  const Account& account() const { return account_; }
  /// Waits until it receives, at most `patience`. Fails with connect_failed where Telegram refuses
  /// the token; where Telegram is not reached it goes on trying.
  Result<> wait_ready(Millis patience);

 private:
  void poll(BotApi& api);
  /// Waits that long, or until the end.
  void pause(Millis time);
  void poll_failed(const Failure& failure, std::uint64_t& backoff_ms);
  void work(BotApi& api);

  const Account account_;
  const std::shared_ptr<Hub> hub_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::unique_ptr<BotApi>> apis_;
  std::vector<std::thread> threads_;
};

}  // namespace sealwire::channel::telegram

// A listening or dialling end: the thread that makes its callbacks, and its deadlines.
#pragma once

#include <thread>

#include "adapters/channels/telegram/bot.h"

namespace sealwire::channel::telegram {

class End final : public Running {
 public:
  /// Dials `chat`; `peer` is who will answer, 0 where that shows only then.
  static std::unique_ptr<End> dial(std::shared_ptr<Bot> bot, const Endpoint& endpoint,
                                   Handler& handler, std::string chat, std::int64_t peer);
  /// Null where the bot is listened on already.
  static std::unique_ptr<End> listen(std::shared_ptr<Bot> bot, const Endpoint& endpoint,
                                     Handler& handler);
  ~End() override;

  std::string uri() const override { return uri_; }
  void stop_accepting() override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  End(std::shared_ptr<Bot> bot, const Limits& limits, Handler& handler, std::string uri);

  void start();
  void run();
  void step(const LinkPtr& link, Lock& lock);
  void tell_end(const LinkPtr& link, Lock& lock);
  void check_deadlines(Clock::time_point now);

  const std::shared_ptr<Bot> bot_;
  Hub& hub_;
  Handler& handler_;
  const std::string uri_;
  const DeskPtr desk_ = std::make_shared<Desk>();
  bool stopping_ = false;  // under the hub's mutex
  Clock::time_point next_check_;
  std::thread thread_;
};

}  // namespace sealwire::channel::telegram

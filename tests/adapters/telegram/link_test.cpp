// What time does to a connection: the clock is what the test says it is.
#include <gtest/gtest.h>

#include "adapters/channels/telegram/hub.h"

namespace sealwire::channel::telegram {
namespace {

constexpr std::int64_t kPeer = 1002;
const ConnectionKey kKey = *ConnectionKey::from(Bytes(16, 7));

/// A listening bot's hub, and one connection that a peer has opened.
struct Opened {
  std::shared_ptr<Hub> hub = std::make_shared<Hub>(Millis(kPaceMs));
  DeskPtr desk = std::make_shared<Desk>();
  std::int64_t updates = 0;
  LinkPtr link;

  Opened() {
    desk->census = std::make_shared<Census>(8, 8, 8);
    hub->listening = desk;
    come({Kind::open, kKey, 0, 0, {}});
    link = *desk->links.begin();
  }
  ~Opened() {
    link.reset();
    desk->ready.clear();
    desk->links.clear();
    hub->listening = nullptr;
    hub->forget();
  }
  void come(const Fragment& fragment) {
    Update update;
    update.id = ++updates;
    update.chat = update.sender = kPeer;
    update.from_bot = true;
    update.text = armour(fragment);
    hub->arrived(update);
  }
};

TEST(TelegramLink, ThreeMinutesInWhichNothingCameEndItAndSayWhy) {
  const Opened opened;
  const auto heard = opened.link->heard;
  EXPECT_FALSE(opened.link->overdue(heard));
  EXPECT_FALSE(opened.link->overdue(heard + kIdleTime - Millis(1)));
  const auto error = opened.link->overdue(heard + kIdleTime);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::connection_lost);
  EXPECT_EQ(error->detail, "nothing came for 180 s");
}

TEST(TelegramLink, WhateverComesBeginsTheThreeMinutesAgain) {
  Opened opened;
  const auto now = Clock::now();
  opened.link->heard = now - kIdleTime;
  ASSERT_TRUE(opened.link->overdue(now));
  opened.come({Kind::data, kKey, 1, 0, {}});
  EXPECT_FALSE(opened.link->overdue(now));
}

TEST(TelegramLink, AnotherConnectionsFragmentsDoNot) {
  Opened opened;
  const auto now = Clock::now();
  opened.link->heard = now - kIdleTime;
  opened.come({Kind::data, *ConnectionKey::from(Bytes(16, 8)), 1, 0, {}});
  EXPECT_TRUE(opened.link->overdue(now));
}

TEST(TelegramLink, AMissingFragmentEndsItLongBeforeThat) {
  Opened opened;
  opened.come({Kind::data, kKey, 2, 0, {}});
  EXPECT_FALSE(opened.link->overdue(opened.link->heard));
  const auto error = opened.link->overdue(opened.link->heard + kGapTime);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->detail, "fragment 1 did not come within 30 s");
}

TEST(TelegramLink, ADialThatNobodyAnswersEndsAtItsDeadlineWithTelegramsWords) {
  const auto hub = std::make_shared<Hub>(Millis(kPaceMs));
  const Link link(hub, std::make_shared<Desk>(), Role::dialling, kKey, "1001", 0);
  EXPECT_FALSE(link.overdue(link.deadline - Millis(1)));
  EXPECT_EQ(link.overdue(link.deadline)->detail, "no answer in time");
  hub->trouble = "Unauthorized";
  EXPECT_EQ(link.overdue(link.deadline)->detail, "no answer in time (Unauthorized)");
}

TEST(TelegramLink, WhatHasEndedIsNeverOverdue) {
  const Opened opened;
  opened.link->ended = Error{Errc::closed, "done"};
  EXPECT_FALSE(opened.link->overdue(opened.link->heard + 2 * kIdleTime));
}

}  // namespace
}  // namespace sealwire::channel::telegram

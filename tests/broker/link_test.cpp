// What a channel does not take at once: kept in order, within a bound.
#include "broker/link.h"

#include <gtest/gtest.h>

namespace sealwire::broker {
namespace {

class FakeConnection final : public channel::Connection {
 public:
  channel::Sent send(Bytes frame) override {
    if (room == 0) return channel::Sent::full;
    --room;
    sent.push_back(std::move(frame));
    return channel::Sent::taken;
  }
  void promote() override {}
  void close(std::string_view) override { closed = true; }
  const channel::Binding& binding() const override { return binding_; }
  const std::string& peer_address() const override { return address_; }

  std::size_t room = 1000;
  std::vector<Bytes> sent;
  bool closed = false;

 private:
  channel::Binding binding_;
  std::string address_;
};

class LinkTest : public ::testing::Test {
 protected:
  crypto::SystemRandom random;
  crypto::SigningKey key = crypto::SigningKey::generate(random);
  std::shared_ptr<FakeConnection> connection = std::make_shared<FakeConnection>();
  Link link{connection, 1, {0}, key, {}, random, VerificationMode::every_envelope};
};

TEST_F(LinkTest, Frames_that_wait_leave_in_order_once_the_channel_takes_them) {
  connection->room = 1;
  EXPECT_EQ(link.send({1}, 100), Link::Sent::taken);
  EXPECT_EQ(link.send({2}, 100), Link::Sent::waits);
  connection->room = 1;
  EXPECT_EQ(link.send({3}, 100), Link::Sent::waits) << "never past one that waits";
  EXPECT_FALSE(link.flush());
  connection->room = 9;
  EXPECT_TRUE(link.flush());
  EXPECT_EQ(connection->sent, (std::vector<Bytes>{{1}, {2}, {3}}));
  EXPECT_EQ(link.outbox_bytes, 0u);
}

TEST_F(LinkTest, What_waits_has_a_bound) {
  connection->room = 0;
  EXPECT_EQ(link.send(Bytes(60), 100), Link::Sent::waits);
  EXPECT_EQ(link.send(Bytes(60), 100), Link::Sent::overflow);
}

TEST_F(LinkTest, A_Close_never_overtakes_what_waits) {
  connection->room = 0;
  EXPECT_EQ(link.send({1}, 100), Link::Sent::waits);
  connection->room = 9;
  link.close(Errc::overloaded);
  EXPECT_TRUE(connection->closed);
  EXPECT_TRUE(connection->sent.empty());
  EXPECT_EQ(link.send({2}, 100), Link::Sent::taken) << "and nothing follows it";
  EXPECT_TRUE(connection->sent.empty());
}

}  // namespace
}  // namespace sealwire::broker

// Two agents, a broker that reorders and loses, commits that collide, and restarts at any point: in
// the end they agree, and every message was opened at most once, with what was said.
#include <deque>
#include <map>
#include <set>

#include "tests/protocol/mls/agent.h"

namespace sealwire::mls::test {
namespace {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t bound) {
    std::array<std::uint8_t, 4> bytes{};
    random_.fill(bytes);
    return (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16)) % bound;
  }

 private:
  sealwire::test::SeededRandom random_;
};

/// A member with its disk: the big part is written when the epoch changes, the small one always.
struct Station {
  Station(Agent& who, Group start) : agent(who), group(std::move(start)) { store_all(); }

  void store_all() {
    big = group.serialize();
    small = group.serialize_ratchets();
  }
  void store_ratchets() { small = group.serialize_ratchets(); }
  void restart() {
    group = must(Group::deserialize(big.span(), small.span(), agent.key, strict_policy()));
  }

  Agent& agent;
  Group group;
  SecretBytes big;
  SecretBytes small;
};

struct InFlight {
  Bytes message;
  Bytes plaintext;
  std::uint64_t epoch;
  bool opened = false;
};

class Conversation {
 public:
  explicit Conversation(std::uint64_t seed) : dice_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      step();
    for (const std::size_t to : {0u, 1u}) {
      for (std::size_t i = 0; i < towards_[to].size(); ++i)
        deliver(to, i);
    }
    commit_together();
    EXPECT_EQ(authenticator(stations_[0].group), authenticator(stations_[1].group));
    EXPECT_EQ(stations_[0].group.epoch(), stations_[1].group.epoch());
  }
  std::size_t opened() const { return opened_; }
  std::size_t replays() const { return replays_; }
  std::uint64_t epochs() const { return stations_[0].group.epoch(); }

 private:
  void step() {
    const std::size_t who = dice_.below(2);
    switch (dice_.below(10)) {
      case 0:
        return commit_together();
      case 1:
        return stations_[who].restart();
      case 2:
      case 3:
      case 4:
      case 5:
        return say(who);
      default:
        if (towards_[who].empty()) return;
        return deliver(who, dice_.below(static_cast<std::uint32_t>(towards_[who].size())));
    }
  }

  void say(std::size_t who) {
    Station& station = stations_[who];
    const Bytes words = text("message " + std::to_string(said_++));
    const auto sealed = must(station.group.seal(words, as_bytes("header"), station.agent.random));
    station.store_ratchets();
    if (dice_.below(10) == 0) return;  // lost
    towards_[1 - who].push_back({sealed.message, words, sealed.epoch});
  }

  // A message may come again: it must then be refused.
  void deliver(std::size_t to, std::size_t index) {
    Station& station = stations_[to];
    InFlight& flight = towards_[to][index];
    const auto opened = station.group.open(flight.message);
    if (flight.epoch + limits::kPastEpochs < station.group.epoch()) {
      EXPECT_TRUE(refused(opened, Errc::mls_epoch));
    } else if (flight.opened) {
      EXPECT_TRUE(refused(opened, Errc::mls_generation_used));
      ++replays_;
    } else {
      ASSERT_TRUE(opened) << name(opened.error().code) << ": " << opened.error().detail;
      EXPECT_EQ(opened->plaintext, flight.plaintext);
      flight.opened = true;
      ++opened_;
      station.store_ratchets();
    }
  }

  // One or both commit; the broker takes one; whoever made it may restart before it hears so.
  void commit_together() {
    const std::size_t winner = dice_.below(2);
    Station& first = stations_[winner];
    Station& second = stations_[1 - winner];
    const auto commit = must(first.group.commit({}, {}, first.agent.random, kNow));
    first.store_all();
    if (dice_.below(2) == 0) {
      must(second.group.commit({}, {}, second.agent.random, kNow));
      second.store_all();
    }
    for (const std::size_t who : {winner, 1 - winner}) {
      if (dice_.below(3) == 0) say(who);
      if (dice_.below(3) == 0) stations_[who].restart();
    }
    must(first.group.process(commit.commit));
    first.store_all();
    must(second.group.process(commit.commit));
    second.store_all();
    EXPECT_EQ(authenticator(first.group), authenticator(second.group));
  }

  Dice dice_;
  Pair pair_;
  Station stations_[2] = {Station(pair_.alice, std::move(pair_.a)),
                          Station(pair_.bob, std::move(pair_.b))};
  std::deque<InFlight> towards_[2];
  std::size_t said_ = 0;
  std::size_t opened_ = 0;
  std::size_t replays_ = 0;
};

TEST(RandomPair, ends_in_agreement_whatever_is_lost_reordered_repeated_or_restarted) {
  std::size_t opened = 0;
  std::size_t replays = 0;
  std::uint64_t epochs = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Conversation conversation(seed);
    conversation.run(150);
    opened += conversation.opened();
    replays += conversation.replays();
    epochs += conversation.epochs();
    if (HasFailure()) break;
  }
  std::cout << "seeds 1 to 20: " << opened << " messages opened, " << replays
            << " replays refused, " << epochs << " epochs\n";
  EXPECT_GT(opened, 500u);
  EXPECT_GT(replays, 100u);
}

}  // namespace
}  // namespace sealwire::mls::test

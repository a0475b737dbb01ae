// Frames to fragments and back, without Telegram, threads or a clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "adapters/channels/telegram/incoming.h"
#include "adapters/channels/telegram/outgoing.h"

namespace sealwire::channel::telegram {
namespace {

const ConnectionKey kKey = *ConnectionKey::from(Bytes(16, 7));
const Clock::time_point kStart{};

Fragment fragment(std::uint32_t number, Bytes payload) {
  return {number == 0 ? Kind::open : Kind::data, kKey, number, 0, std::move(payload)};
}

Bytes stream_of(const Bytes& frame) {
  Bytes stream;
  for (int shift = 24; shift >= 0; shift -= 8)
    stream.push_back(static_cast<std::uint8_t>(frame.size() >> shift));
  stream.insert(stream.end(), frame.begin(), frame.end());
  return stream;
}

/// One direction whose other end listens already.
struct Wire {
  Outgoing out{kKey, Kind::open};
  Incoming in{Limits{}};
  Wire() {
    out.open();
    tell_credit();
  }
  void tell_credit() {
    const auto credit = in.credit();
    in.told(credit);
    out.grant(credit);
  }
  Result<Incoming::Took> arrive(const Outgoing::Part& part, Clock::time_point now = kStart) {
    if (!part.document) return in.accept(part.fragment, std::nullopt, now);
    Fragment caption = part.fragment;
    caption.payload.clear();
    auto took = in.accept(caption, part.fragment.payload.size(), now);
    if (took && *took == Incoming::Took::document) {
      EXPECT_TRUE(in.fill(caption.number, part.fragment.payload, now));
    }
    return took;
  }
};

TEST(TelegramFragment, TheLargestTextMessageIsWithinTelegramsLimitAndOneByteMoreIsNot) {
  const Fragment largest = fragment(1, Bytes(kTextPayloadBytes, 0xff));
  EXPECT_LE(armour(largest).size(), kTextUnits);
  EXPECT_EQ(*parse_fragment(armour(largest)), largest);
  EXPECT_GT(armour(fragment(1, Bytes(kTextPayloadBytes + 1))).size(), kTextUnits);
}

TEST(TelegramFragment, WhatIsNoFragmentIsRefused) {
  const std::string good = armour(fragment(1, {1, 2, 3, 4}));
  Fragment odd = fragment(1, {});
  odd.kind = static_cast<Kind>(4);
  Fragment early = fragment(0, {});
  early.kind = Kind::data;
  Fragment loaded = fragment(0, {1});
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string("sealwire.0 "),
        "sealwire.1" + good.substr(10), good + "=", good + " ", good.substr(0, 40), good + "\xff",
        good.substr(0, 20) + std::string(20, '\x91') + good.substr(20),
        good.substr(0, good.size() - 3), std::string(5000, 'A'), armour(odd), armour(early),
        armour(loaded)}) {
    const auto parsed = parse_fragment(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::frame_malformed);
  }
}

TEST(TelegramFragment, AReasonIsCutAndItsLengthIsBelieved) {
  const auto ending = parse_ending(ending_payload(std::string(300, 'x'), Bytes{1, 2}));
  ASSERT_TRUE(ending);
  EXPECT_EQ(ending->reason, std::string(kReasonBytes, 'x'));
  EXPECT_EQ(ending->stream, (Bytes{1, 2}));
  for (const Bytes& payload : {Bytes{}, Bytes{1}, Bytes{124, 0}, Bytes(125, 124)})
    EXPECT_FALSE(parse_ending(payload)) << payload.size();
}

TEST(TelegramFragment, ADocumentIsUsedWhereTextNeedsMoreRequests) {
  for (const auto& [bytes, parts, document] :
       {std::tuple{100u, 1u, false}, std::tuple{9000u, 3u, false}, std::tuple{9200u, 1u, true}}) {
    Wire wire;
    wire.out.push(Bytes(bytes, 1));
    ASSERT_EQ(wire.out.next(0, false)->fragment.kind, Kind::open);
    std::size_t count = 0;
    while (const auto part = wire.out.next(0, false)) {
      EXPECT_EQ(part->document, document) << bytes;
      ++count;
    }
    EXPECT_EQ(count, parts) << bytes;
  }
}

TEST(TelegramFragment, SmallFramesShareAMessageAndTheCloseComesWithTheLast) {
  Wire wire;
  for (std::uint8_t i = 0; i < 10; ++i)
    wire.out.push(Bytes{i});
  wire.out.close("done");
  ASSERT_TRUE(wire.arrive(*wire.out.next(0, false)));
  ASSERT_TRUE(wire.arrive(*wire.out.next(0, false)));
  EXPECT_FALSE(wire.out.next(0, true));
  for (std::uint8_t i = 0; i < 10; ++i)
    EXPECT_EQ(wire.in.next_frame()->value(), Bytes{i});
  EXPECT_FALSE(wire.in.next_frame()->has_value());
  EXPECT_EQ(wire.in.closed(), "done");
}

TEST(TelegramFragment, TenPercentLateAndTenPercentTwiceLoseAndRepeatNothing) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random(seed);
  Wire wire;
  wire.in.promote();
  Limits limits;
  std::vector<Bytes> sent, came;
  std::vector<Outgoing::Part> under_way;
  for (std::size_t rounds = 0; came.size() < 400; ++rounds) {
    ASSERT_LT(rounds, 100'000u) << "it stalls";
    if (sent.size() < 400) {
      const std::size_t most = random() % 10 == 0 ? 200'000 : 4000;
      Bytes frame(random() % most);
      std::ranges::generate(frame, [&] { return static_cast<std::uint8_t>(random()); });
      wire.out.push(frame);
      sent.push_back(std::move(frame));
    }
    if (under_way.size() < 8)
      if (auto part = wire.out.next(0, false)) under_way.push_back(std::move(*part));
    if (under_way.empty()) continue;
    const std::size_t which = random() % 10 == 0 ? random() % under_way.size() : 0;
    ASSERT_TRUE(wire.arrive(under_way[which]));
    if (random() % 10 != 0) under_way.erase(under_way.begin() + static_cast<long>(which));
    while (true) {
      auto frame = wire.in.next_frame();
      ASSERT_TRUE(frame);
      if (!*frame) break;
      wire.in.release((*frame)->size());
      came.push_back(std::move(**frame));
    }
    // Told as seldom as a connection that sends nothing itself does.
    if (wire.in.credit_due()) wire.tell_credit();
  }
  EXPECT_EQ(came, sent);
}

TEST(TelegramFragment, TheSmallCreditBeforeProofNeverStalls) {
  Wire wire;
  for (int i = 0; i < 40; ++i)
    wire.out.push(Bytes(limits::kFrameBytesBeforeProof - static_cast<std::size_t>(i), 1));
  std::size_t frames = 0;
  for (int idle = 0; frames < 40; ++idle) {
    ASSERT_LT(idle, 3) << "after " << frames;
    while (const auto part = wire.out.next(0, false)) {
      ASSERT_TRUE(wire.arrive(*part));
      idle = 0;
    }
    while (const auto frame = *wire.in.next_frame()) {
      wire.in.release(frame->size());
      ++frames;
    }
    if (wire.in.credit_due()) wire.tell_credit();
  }
}

TEST(TelegramFragment, AMissingFragmentIsWaitedForThirtySecondsAndThenNamed) {
  Wire wire;
  ASSERT_TRUE(wire.in.accept(fragment(0, {}), std::nullopt, kStart));
  ASSERT_TRUE(wire.in.accept(fragment(2, {0}), std::nullopt, kStart));
  EXPECT_TRUE(wire.in.check(kStart + kGapTime - Millis(1)));
  const auto late = wire.in.check(kStart + kGapTime);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::connection_lost);
  EXPECT_NE(late.error().detail.find("fragment 1 "), std::string::npos) << late.error().detail;
  // It comes after all: nothing is missing any more.
  ASSERT_TRUE(wire.in.accept(fragment(1, {0}), std::nullopt, kStart + kGapTime));
  EXPECT_TRUE(wire.in.check(kStart + 10 * kGapTime));
}

TEST(TelegramFragment, ADocumentThatNeverComesIsAGap) {
  Wire wire;
  ASSERT_TRUE(wire.in.accept(fragment(0, {}), std::nullopt, kStart));
  EXPECT_EQ(*wire.in.accept(fragment(1, {}), 10'000, kStart), Incoming::Took::document);
  EXPECT_FALSE(wire.in.check(kStart + kGapTime));
}

TEST(TelegramFragment, NoMoreThanSixtyFourFragmentsAreHeldOutOfOrder) {
  Wire wire;
  ASSERT_TRUE(wire.in.accept(fragment(0, {}), std::nullopt, kStart));
  for (std::uint32_t i = 2; i <= kFragmentsAhead; ++i)
    ASSERT_TRUE(wire.in.accept(fragment(i, {}), std::nullopt, kStart)) << i;
  const auto far = wire.in.accept(fragment(kFragmentsAhead + 1, {}), std::nullopt, kStart);
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().code, Errc::connection_lost);
}

TEST(TelegramFragment, AFloodIsHeldWithinTheCreditAndEndsByName) {
  Wire wire;
  const auto credit = wire.in.credit();
  ASSERT_TRUE(wire.in.accept(fragment(0, {}), std::nullopt, kStart));
  Result<Incoming::Took> took = Incoming::Took::held;
  // Number 1 never comes, so nothing can be taken from what is held.
  for (std::uint32_t i = 2; took; ++i) {
    EXPECT_LE(wire.in.held_bytes(), credit);
    took = wire.in.accept(fragment(i, Bytes(kTextPayloadBytes)), std::nullopt, kStart);
  }
  EXPECT_EQ(took.error().code, Errc::frame_malformed);
  EXPECT_LE(credit, 2 * limits::kFrameBytesBeforeProof + 8);
}

TEST(TelegramFragment, ADocumentBeyondTheCreditIsNotEvenFetched) {
  Wire wire;
  ASSERT_TRUE(wire.in.accept(fragment(0, {}), std::nullopt, kStart));
  const auto took = wire.in.accept(fragment(1, {}), wire.in.credit() + 1, kStart);
  ASSERT_FALSE(took);
  EXPECT_EQ(took.error().code, Errc::frame_malformed);
  EXPECT_FALSE(Wire().in.accept(fragment(1, {}), kDocumentPayloadBytes + 1, kStart));
  EXPECT_FALSE(Wire().in.accept(fragment(1, {}), 0, kStart));
}

TEST(TelegramFragment, ADocumentOfAnotherSizeThanItsCaptionsEnds) {
  Wire wire;
  ASSERT_TRUE(wire.in.accept(fragment(0, {}), std::nullopt, kStart));
  ASSERT_TRUE(wire.in.accept(fragment(1, {}), 10'000, kStart));
  const auto filled = wire.in.fill(1, Bytes(9'999), kStart);
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, Errc::frame_malformed);
}

TEST(TelegramFragment, AFrameOverTheLimitIsNamedByItsLengthAlone) {
  Wire wire;
  ASSERT_TRUE(wire.in.accept(fragment(0, {}), std::nullopt, kStart));
  Bytes head = stream_of(Bytes(limits::kFrameBytesBeforeProof + 1));
  head.resize(4);
  ASSERT_TRUE(wire.in.accept(fragment(1, head), std::nullopt, kStart));
  EXPECT_EQ(wire.in.next_frame().error().code, Errc::frame_too_large);
}

TEST(TelegramFragment, AFarewellIsTheLastFragment) {
  Wire wire;
  wire.out.push(Bytes(100'000));
  ASSERT_TRUE(wire.arrive(*wire.out.next(0, false)));
  ASSERT_TRUE(wire.in.accept(wire.out.farewell("no more"), std::nullopt, kStart));
  EXPECT_EQ(wire.in.closed(), "no more");
  EXPECT_FALSE(wire.out.next(0, true));
}

}  // namespace
}  // namespace sealwire::channel::telegram

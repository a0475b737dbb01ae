// ATK-19 to ATK-24 and ATK-30 at the broker, the authorisation attacks ATK-33 and ATK-34, and
// the attacks on its resources, ATK-38 and ATK-39.
#include "tests/security/attack.h"

namespace sealwire::broker {
namespace {

SEALWIRE_ATTACKS(Delivery);

// --- ATK-19: replay
// --------------------------------------------------------------------------------

TEST_P(Delivery, Atk19a_An_envelope_said_again_is_delivered_once) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const auto sent = p.chain.next(as_bytes("once"), random_, now());
  for (int times = 0; times < 3; ++times)
    EXPECT_EQ(submit(p.to_a, {sent.bytes}), wire::Code::ok);
  EXPECT_EQ(server_->metrics().envelopes_accepted, 3U) << "the opening and one message";
  RawClient again;
  const auto ready = again.connect(uri_, p.b, random_);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->mailbox_last, 2U);
}

TEST_P(Delivery, Atk19b_An_id_used_again_for_other_bytes_is_a_conflict) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  Header header = p.chain.next_header(random_, now());
  const auto first = seal_envelope(encode_header(header), as_bytes("one"), p.a.key);
  ASSERT_EQ(submit(p.to_a, {first.bytes}), wire::Code::ok);
  const auto second = seal_envelope(encode_header(header), as_bytes("two"), p.a.key);
  EXPECT_EQ(submit(p.to_a, {second.bytes}), wire::Code::id_conflict);
}

TEST_P(Delivery, Atk19c_A_handshake_said_again_on_another_connection_opens_nothing) {
  RawClient client;
  ASSERT_TRUE(client.dial(uri_));
  const RawAgent who = agent();
  handshake::ClientParameters parameters;
  parameters.inception = who.identity.inception;
  parameters.agent = who.identity.agent;
  handshake::Client honest(who.key, parameters, bound(client), random_);
  const Bytes first = honest.hello();
  ASSERT_TRUE(client.send_raw(first));
  const auto recorded = honest.on_challenge(*client.next_raw());
  ASSERT_TRUE(recorded);
  ASSERT_TRUE(client.send_raw(*recorded));
  ASSERT_TRUE(client.next_raw());
  RawClient replay;
  ASSERT_TRUE(replay.dial(uri_));
  ASSERT_TRUE(replay.send_raw(first));
  ASSERT_TRUE(replay.next_raw());
  ASSERT_TRUE(replay.send_raw(*recorded));
  expect_closed_as(replay, wire::Code::unauthenticated);
}

// --- ATK-20: replay after a restart
// ---------------------------------------------------------------------

TEST_P(Delivery, Atk20a_An_envelope_said_again_after_a_restart_is_delivered_once) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const auto sent = p.chain.next(as_bytes("once"), random_, now());
  ASSERT_EQ(submit(p.to_a, {sent.bytes}), wire::Code::ok);
  ASSERT_NO_FATAL_FAILURE(restart());
  RawClient a, b;
  ASSERT_TRUE(a.connect(uri_, p.a, random_));
  EXPECT_EQ(submit(a, {sent.bytes}), wire::Code::ok);
  const auto ready = b.connect(uri_, p.b, random_);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->mailbox_last, 2U);
}

TEST_P(Delivery, Atk20b_An_id_conflict_is_still_one_after_a_restart) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const Bytes header = encode_header(p.chain.next_header(random_, now()));
  ASSERT_EQ(submit(p.to_a, {seal_envelope(header, as_bytes("one"), p.a.key).bytes}),
            wire::Code::ok);
  ASSERT_NO_FATAL_FAILURE(restart());
  RawClient a;
  ASSERT_TRUE(a.connect(uri_, p.a, random_));
  EXPECT_EQ(submit(a, {seal_envelope(header, as_bytes("two"), p.a.key).bytes}),
            wire::Code::id_conflict);
}

TEST_P(Delivery, Atk20c_What_was_acknowledged_does_not_come_again_after_a_restart) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("x"), random_, now()).bytes}), wire::Code::ok);
  ASSERT_TRUE(p.to_b.credit(10, 1 << 20));
  receive(p.to_b, 2);
  ASSERT_TRUE(p.to_b.ack(2));
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent));  // answered after the Ack was taken
  ASSERT_NO_FATAL_FAILURE(restart());
  RawClient b;
  const auto ready = b.connect(uri_, p.b, random_);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->mailbox_acked, 2U);
}

// --- ATK-21, ATK-22: reorder and drop, as a sender's envelopes arrive
// ---------------------------------

TEST_P(Delivery, Atk21a_The_later_of_two_envelopes_sent_first_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const auto first = p.chain.next(as_bytes("1"), random_, now());
  const auto second = p.chain.next(as_bytes("2"), random_, now());
  EXPECT_EQ(submit(p.to_a, {second.bytes}), wire::Code::chain_broken);
  EXPECT_EQ(submit(p.to_a, {first.bytes}), wire::Code::ok);
  EXPECT_EQ(submit(p.to_a, {second.bytes}), wire::Code::ok);
}

TEST_P(Delivery, Atk21b_A_position_taken_twice_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  RawChain fork = p.chain;
  ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("1"), random_, now()).bytes}), wire::Code::ok);
  EXPECT_EQ(submit(p.to_a, {fork.next(as_bytes("or 1"), random_, now()).bytes}),
            wire::Code::chain_broken);
}

TEST_P(Delivery, Atk21c_Delivery_keeps_the_order_of_acceptance) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  std::vector<Bytes> sent;
  for (int i = 0; i < 20; ++i) {
    sent.push_back(p.chain.next(as_bytes(std::to_string(i)), random_, now()).bytes);
    ASSERT_EQ(submit(p.to_a, {sent.back()}), wire::Code::ok);
  }
  ASSERT_TRUE(p.to_b.credit(100, 1 << 20));
  const auto entries = receive(p.to_b, 21);
  for (std::size_t i = 0; i < sent.size(); ++i)
    EXPECT_EQ(entries.at(i + 1).envelope, sent[i]);
}

TEST_P(Delivery, Atk22a_An_envelope_left_out_makes_the_next_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  (void)p.chain.next(as_bytes("dropped"), random_, now());
  EXPECT_EQ(submit(p.to_a, {p.chain.next(as_bytes("next"), random_, now()).bytes}),
            wire::Code::chain_broken);
}

TEST_P(Delivery, Atk22b_A_link_to_another_past_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  RawChain other = p.chain;
  other.previous.bytes[0] ^= 1;
  EXPECT_EQ(submit(p.to_a, {other.next(as_bytes("x"), random_, now()).bytes}),
            wire::Code::chain_broken);
}

TEST_P(Delivery, Atk22c_A_mailbox_has_no_gaps_over_sessions) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  for (int i = 0; i < 4; ++i)
    ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("x"), random_, now()).bytes}), wire::Code::ok);
  ASSERT_TRUE(p.to_b.credit(2, 1 << 20));
  const auto before = receive(p.to_b, 2);
  RawClient again;
  ASSERT_TRUE(again.connect(uri_, p.b, random_));
  ASSERT_TRUE(again.credit(10, 1 << 20));
  const auto all = receive(again, 5);
  EXPECT_EQ(all.at(0), before.at(0));
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i].sequence, i + 1);
}

// --- ATK-24: in another's name
// -----------------------------------------------------------------------------

TEST_P(Delivery, Atk24a_An_envelope_that_names_another_sender_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const Header header = p.chain.next_header(random_, now());
  EXPECT_EQ(submit(p.to_b, {seal_envelope(encode_header(header), as_bytes("x"), p.b.key).bytes}),
            wire::Code::unauthenticated);
}

TEST_P(Delivery, Atk24b_Anothers_true_envelope_is_not_taken_from_a_third_party) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const auto by_a = p.chain.next(as_bytes("mine"), random_, now());
  EXPECT_EQ(submit(p.to_b, {by_a.bytes}), wire::Code::unauthenticated);
  EXPECT_EQ(submit(p.to_a, {by_a.bytes}), wire::Code::ok);
}

TEST_P(Delivery, Atk24c_A_body_changed_under_its_signature_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const auto sent = p.chain.next(as_bytes("pay 10 to bob"), random_, now());
  Bytes altered = sent.bytes;
  const std::string_view words = "pay 10";
  const auto at = std::search(altered.begin(), altered.end(), words.begin(), words.end());
  ASSERT_NE(at, altered.end());
  *(at + 4) = '9';
  EXPECT_EQ(submit(p.to_a, {altered}), wire::Code::unauthenticated);
}

TEST_P(Delivery, Atk24d_Someone_outside_the_conversation_writes_nothing_into_it) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  const RawAgent outsider = agent();
  RawClient client;
  ASSERT_TRUE(client.connect(uri_, outsider, random_));
  RawChain chain = p.chain;
  chain.agent = &outsider;
  EXPECT_EQ(submit(client, {chain.next(as_bytes("x"), random_, now()).bytes}), wire::Code::denied);
}

// --- ATK-30: clocks a day apart
// ----------------------------------------------------------------------------

TEST_P(Delivery, Atk30a_An_envelope_from_tomorrow_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  RawChain ahead = p.chain;
  EXPECT_EQ(submit(p.to_a, {ahead.next(as_bytes("x"), random_, now() + kDayMs).bytes}),
            wire::Code::malformed);
}

TEST_P(Delivery, Atk30b_An_envelope_from_yesterday_that_has_expired_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  RawChain behind = p.chain;
  EXPECT_EQ(submit(p.to_a, {behind.next(as_bytes("x"), random_, {now().value - kDayMs}).bytes}),
            wire::Code::expired);
}

TEST_P(Delivery, Atk30c_A_life_longer_than_allowed_is_refused_whatever_the_clock_says) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  for (const std::uint64_t lifetime : {limits::kLifetimeMs + 1, ~std::uint64_t{0} - now().value}) {
    Header header = p.chain.next_header(random_, now());
    header.expires = header.created + lifetime;
    EXPECT_EQ(submit(p.to_a, {seal_envelope(encode_header(header), as_bytes("x"), p.a.key).bytes}),
              wire::Code::malformed);
  }
}

// --- ATK-33, ATK-34: a right that was taken back
// --------------------------------------------------------------

TEST_P(Delivery, Atk33a_What_waits_from_a_sender_who_is_then_blocked_is_withheld) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("waits"), random_, now()).bytes}),
            wire::Code::ok);
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent, wire::Contact::blocked));
  ASSERT_TRUE(p.to_b.credit(10, 1 << 20));
  for (const auto& entry : receive(p.to_b, 2))
    EXPECT_EQ(entry.type, wire::Item::Tombstone);
}

TEST_P(Delivery, Atk33b_It_is_withheld_in_a_later_session_too) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("waits"), random_, now()).bytes}),
            wire::Code::ok);
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent, wire::Contact::blocked));
  RawClient later;
  ASSERT_TRUE(later.connect(uri_, p.b, random_));
  ASSERT_TRUE(later.credit(10, 1 << 20));
  for (const auto& entry : receive(later, 2))
    EXPECT_EQ(entry.type, wire::Item::Tombstone);
}

TEST_P(Delivery, Atk33c_It_is_withheld_after_a_restart_too) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("waits"), random_, now()).bytes}),
            wire::Code::ok);
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent, wire::Contact::blocked));
  ASSERT_NO_FATAL_FAILURE(restart());
  RawClient later;
  ASSERT_TRUE(later.connect(uri_, p.b, random_));
  ASSERT_TRUE(later.credit(10, 1 << 20));
  for (const auto& entry : receive(later, 2))
    EXPECT_EQ(entry.type, wire::Item::Tombstone);
}

TEST_P(Delivery, Atk34a_A_block_ends_a_conversation_that_runs) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("1"), random_, now()).bytes}), wire::Code::ok);
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent, wire::Contact::blocked));
  EXPECT_EQ(submit(p.to_a, {p.chain.next(as_bytes("2"), random_, now()).bytes}),
            wire::Code::denied);
}

TEST_P(Delivery, Atk34b_A_right_that_is_merely_withdrawn_ends_it_too) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent, wire::Contact::none));
  EXPECT_EQ(submit(p.to_a, {p.chain.next(as_bytes("x"), random_, now()).bytes}),
            wire::Code::denied);
}

TEST_P(Delivery, Atk34c_A_new_session_or_a_new_conversation_brings_no_right_back) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent, wire::Contact::blocked));
  RawClient again;
  ASSERT_TRUE(again.connect(uri_, p.a, random_));
  EXPECT_EQ(submit(again, {p.chain.next(as_bytes("x"), random_, now()).bytes}), wire::Code::denied);
  const auto opening = test::open_conversation(p.a, p.b, random_, now());
  EXPECT_EQ(submit(again, opening.bundle), wire::Code::denied);
}

// --- ATK-38: a receiver that is slow
// ---------------------------------------------------------------------------

TEST_P(Delivery, Atk38a_Without_credit_nothing_is_sent_and_nobody_waits) {
  Pair slow = pair(), quick = pair();
  ASSERT_NO_FATAL_FAILURE(connect(slow));
  ASSERT_NO_FATAL_FAILURE(connect(quick));
  ASSERT_TRUE(quick.to_b.credit(1000, 1 << 24));
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(submit(slow.to_a, {slow.chain.next(Bytes(10'000), random_, now()).bytes}),
              wire::Code::ok);
    ASSERT_EQ(submit(quick.to_a, {quick.chain.next(Bytes(10'000), random_, now()).bytes}),
              wire::Code::ok);
  }
  EXPECT_EQ(receive(quick.to_b, 31).size(), 31U);
  EXPECT_EQ(server_->metrics().entries_delivered, 31U);
}

TEST_P(Delivery, Atk38b_A_receiver_gets_no_more_entries_than_its_credit) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_TRUE(p.to_b.credit(3, 1 << 20));
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(submit(p.to_a, {p.chain.next(as_bytes("x"), random_, now()).bytes}), wire::Code::ok);
  EXPECT_EQ(receive(p.to_b, 3).size(), 3U);
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent));  // whatever was to come has come
  EXPECT_EQ(server_->metrics().entries_delivered, 3U);
}

TEST_P(Delivery, Atk38c_A_receiver_gets_no_more_bytes_than_its_credit) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  ASSERT_TRUE(p.to_b.credit(1000, 35'000));
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(submit(p.to_a, {p.chain.next(Bytes(10'000), random_, now()).bytes}), wire::Code::ok);
  receive(p.to_b, 3);
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent));
  EXPECT_LE(server_->metrics().delivered_bytes, 35'000U);
}

/// A receiver that reads nothing while it lives: its channel's thread waits in here.
class Deaf {
 public:
  explicit Deaf(RawClient& client) {
    client.on_frame([this](const Frame& frame) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return hears_; });
      const auto* deliver = frame.as<wire::Deliver>();
      if (deliver == nullptr) return;
      for (const auto* entry : *deliver->entries())
        sequences_.push_back(entry->sequence());
      changed_.notify_all();
    });
  }
  ~Deaf() { hear(); }
  void hear() {
    const std::lock_guard lock(mutex_);
    hears_ = true;
    changed_.notify_all();
  }
  std::vector<std::uint64_t> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, test::kPatience, [&] { return sequences_.size() >= count; }));
    return sequences_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hears_ = false;
  std::vector<std::uint64_t> sequences_;
};

// It gave credit for everything and reads nothing of it: what the broker keeps for it is bounded,
// others are served, and the rest comes when it reads again.
TEST_P(Delivery, Atk38d_A_receiver_that_stops_reading_costs_a_bound_and_stops_nobody_else) {
  Pair deaf = pair(), quick = pair();
  ASSERT_NO_FATAL_FAILURE(connect(deaf));
  ASSERT_NO_FATAL_FAILURE(connect(quick));
  Deaf ears(deaf.to_b);
  ASSERT_TRUE(deaf.to_b.credit(1000, 1 << 30));
  ASSERT_TRUE(quick.to_b.credit(1000, 1 << 30));
  constexpr std::size_t kLarge = 40;
  for (std::size_t i = 0; i < kLarge; ++i) {
    ASSERT_EQ(submit(deaf.to_a, {deaf.chain.next(Bytes(1'000'000), random_, now()).bytes}),
              wire::Code::ok);
    ASSERT_EQ(submit(quick.to_a, {quick.chain.next(as_bytes("x"), random_, now()).bytes}),
              wire::Code::ok);
  }
  EXPECT_EQ(receive(quick.to_b, kLarge + 1).size(), kLarge + 1);
  // The router's bound, the channel's, and what the kernels on both sides hold. A peer of ZeroMQ
  // is never deaf: its library reads ahead, at its own cost.
  constexpr std::size_t kKernels = 12'000'000;
  if (std::string_view(GetParam()).starts_with("ws")) {
    EXPECT_LE(server_->metrics().delivered_bytes, server_.config().router.outbox_bytes_max +
                                                      channel::Limits{}.buffered_bytes + kKernels);
  }
  EXPECT_EQ(server_->metrics().overloads, 0U);
  ears.hear();
  const auto sequences = ears.wait(kLarge + 1);
  ASSERT_EQ(sequences.size(), kLarge + 1);
  for (std::size_t i = 0; i < sequences.size(); ++i)
    EXPECT_EQ(sequences[i], i + 1);
}

// --- ATK-39: no room
// ------------------------------------------------------------------------------------------------

TEST_P(Delivery, Atk39a_A_body_over_the_limit_is_refused) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  RawChain tried = p.chain;
  EXPECT_EQ(submit(p.to_a, {tried.next(Bytes(limits::kBodyBytes + 1), random_, now()).bytes}),
            wire::Code::too_large);
  EXPECT_EQ(submit(p.to_a, {p.chain.next(Bytes(limits::kBodyBytes), random_, now()).bytes}),
            wire::Code::ok);
}

class SmallMailbox : public Attack {
 protected:
  void adjust(Config& config) override { config.router.mailbox_bytes_max = 64 * 1024; }
};
INSTANTIATE_TEST_SUITE_P(On, SmallMailbox, ::testing::ValuesIn(kTransports),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(SmallMailbox, Atk39b_A_full_mailbox_refuses_by_name_and_takes_again_when_there_is_room) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  wire::Code code = wire::Code::ok;
  SealedEnvelope last;
  std::size_t accepted = 0;
  while (accepted < 100) {
    last = p.chain.next(Bytes(10'000), random_, now());
    code = submit(p.to_a, {last.bytes});
    if (code != wire::Code::ok) break;
    ++accepted;
  }
  EXPECT_EQ(code, wire::Code::quota_exceeded);
  EXPECT_GT(accepted, 2U);
  ASSERT_TRUE(p.to_b.credit(100, 1 << 20));
  receive(p.to_b, accepted + 1);
  ASSERT_TRUE(p.to_b.ack(accepted + 1));
  ASSERT_TRUE(p.to_b.allow(p.a.identity.agent));
  EXPECT_EQ(submit(p.to_a, {last.bytes}), wire::Code::ok);
}

class SmallDisk : public Attack {
 protected:
  void adjust(Config& config) override { config.store_bytes_max = 2 * 1024 * 1024; }
};
INSTANTIATE_TEST_SUITE_P(On, SmallDisk, ::testing::ValuesIn(kTransports),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(SmallDisk, Atk39c_A_full_disk_is_refused_never_accepted_and_nothing_accepted_is_lost) {
  Pair p = pair();
  ASSERT_NO_FATAL_FAILURE(connect(p));
  std::vector<Bytes> accepted;
  wire::Code code = wire::Code::ok;
  for (int i = 0; i < 100 && code == wire::Code::ok; ++i) {
    const auto sent = p.chain.next(Bytes(100'000), random_, now());
    code = submit(p.to_a, {sent.bytes});
    if (code == wire::Code::ok) accepted.push_back(sent.bytes);
  }
  EXPECT_EQ(code, wire::Code::unavailable);
  EXPECT_GT(accepted.size(), 3U);
  ASSERT_TRUE(p.to_b.credit(1000, 1 << 26));
  const auto entries = receive(p.to_b, accepted.size() + 1);
  ASSERT_EQ(entries.size(), accepted.size() + 1);
  for (std::size_t i = 0; i < accepted.size(); ++i)
    EXPECT_EQ(entries[i + 1].envelope, accepted[i]);
}

}  // namespace
}  // namespace sealwire::broker

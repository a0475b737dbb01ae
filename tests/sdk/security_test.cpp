// What a hostile broker, a stranger or a restored backup can do to an agent, and cannot.
#include <gtest/gtest.h>

#include "sdk/cpp/state/sqlite_state.h"
#include "tests/sdk/net.h"
#include "tests/support/envelopes.h"

namespace sealwire::test {
namespace {

// Rebuilds a Deliver frame with its entries changed by `change`; other frames pass.
Bytes with_entries(
    const Bytes& bytes,
    const std::function<void(std::vector<std::pair<std::uint64_t, Bytes>>&)>& change) {
  const auto frame = Frame::parse(bytes, limits::kFrameBytes);
  const auto* deliver = frame ? frame->as<wire::Deliver>() : nullptr;
  if (deliver == nullptr) return bytes;
  std::vector<std::pair<std::uint64_t, Bytes>> entries;
  for (const auto* entry : *deliver->entries()) {
    const auto* delivery = entry->item_as_Delivery();
    if (delivery == nullptr) return bytes;
    entries.emplace_back(entry->sequence(), to_bytes(span_of(delivery->envelope())));
  }
  change(entries);
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<wire::Entry>> offsets;
  for (const auto& [sequence, envelope] : entries)
    offsets.push_back(wire::CreateEntry(b, sequence, 0, wire::Item::Delivery,
                                        wire::CreateDelivery(b, put(b, envelope)).Union()));
  return finish_frame(b, wire::CreateDeliver(b, b.CreateVector(offsets)));
}

TEST(SdkSecurity, AStrangerCannotWriteAndCannotLook) {
  Net net;
  NetAgent& alice = net.add("alice");
  NetAgent& bob = net.add("bob");
  net.run();
  alice.add(bob);  // bob has not allowed alice
  const auto ticket = alice.send(bob, "let me in");
  net.run();
  ASSERT_TRUE(alice.outcome(ticket).done);
  ASSERT_FALSE(*alice.outcome(ticket).done);
  EXPECT_EQ(alice.outcome(ticket).done->error().code, Errc::denied);
  EXPECT_TRUE(bob.received.empty());
}

TEST(SdkSecurity, Atk34d_A_blocked_peer_is_heard_no_more) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  bob->block(*alice);
  net.run();
  const auto ticket = alice->send(*bob, "two");
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"one"});
  ASSERT_TRUE(alice->outcome(ticket).done);
  EXPECT_FALSE(*alice->outcome(ticket).done);
}

TEST(SdkSecurity, SendingToAnUnknownPeerIsRefusedLocally) {
  Net net;
  NetAgent& alice = net.add("alice");
  NetAgent& bob = net.add("bob");
  net.run();
  const auto ticket = alice.send(bob, "hello");
  net.run();
  ASSERT_TRUE(alice.outcome(ticket).done);
  EXPECT_EQ(alice.outcome(ticket).done->error().code, Errc::peer_unknown);
}

// The broker repeats, swaps and leaves out what it delivers.
TEST(SdkSecurity, Atk19d_An_envelope_that_the_broker_repeats_is_taken_once) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  net.on_the_way_to_agent = [&](NetAgent& agent, Bytes frame) -> std::optional<Bytes> {
    if (&agent != bob) return frame;
    return with_entries(frame, [](auto& entries) {
      entries.emplace_back(entries.back().first + 1, entries.back().second);
    });
  };
  alice->send(*bob, "two");
  net.run();
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"one", "two"}));
}

TEST(SdkSecurity, Atk21d_Envelopes_that_the_broker_swaps_come_out_in_the_senders_order) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  net.on_the_way_to_agent = [&](NetAgent& agent, Bytes frame) -> std::optional<Bytes> {
    if (&agent != bob) return frame;
    return with_entries(frame, [](auto& entries) {
      for (std::size_t i = 0; i + 1 < entries.size(); i += 2)
        std::swap(entries[i].second, entries[i + 1].second);
    });
  };
  for (const char* text : {"two", "three", "four", "five"})
    alice->send(*bob, text);
  net.run();
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"one", "two", "three", "four", "five"}));
  EXPECT_GT(bob->count(Notice::Kind::chain_broken), 0u) << "and it shows";
}

TEST(SdkSecurity, Atk22d_An_envelope_that_the_broker_drops_shows_and_nothing_behind_it_is_taken) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  bool dropped = false;
  net.on_the_way_to_agent = [&](NetAgent& agent, Bytes frame) -> std::optional<Bytes> {
    if (&agent != bob) return frame;
    return with_entries(frame, [&](auto& entries) {
      if (std::exchange(dropped, true)) {
        for (auto& [sequence, envelope] : entries)
          --sequence;
        return;
      }
      entries.erase(entries.begin());
      for (auto& [sequence, envelope] : entries)
        --sequence;
    });
  };
  for (const char* text : {"two", "three", "four"})
    alice->send(*bob, text);
  net.run();
  EXPECT_TRUE(dropped);
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"one"});
  EXPECT_GT(bob->count(Notice::Kind::chain_broken), 0u);
}

// The broker changes a ciphertext: nothing is taken, no ratchet moves, and it shows.
TEST(SdkSecurity, Atk24e_A_ciphertext_that_the_broker_changes_is_not_taken) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  bool done = false;
  net.on_the_way_to_agent = [&](NetAgent& agent, Bytes frame) -> std::optional<Bytes> {
    if (&agent != bob || done) return frame;
    return with_entries(frame, [&](auto& entries) {
      done = true;
      // The last byte of the body belongs to the AEAD's tag.
      const auto envelope = Envelope::parse(entries[0].second);
      const std::size_t at =
          static_cast<std::size_t>(envelope->body().data() - envelope->bytes().data()) +
          envelope->body().size() - 1;
      entries[0].second[at] ^= 1;
    });
  };
  alice->send(*bob, "two");
  net.run();
  net.pass(2 * kMinuteMs);
  EXPECT_TRUE(done);
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"one"});
  EXPECT_GE(bob->count(Notice::Kind::undecryptable), 1u);
  EXPECT_FALSE(bob->fatal);
  EXPECT_TRUE(bob->connected) << "and nothing keeps it from going on";
}

// A commit that one side cannot process wedges the group: that side opens the next incarnation.
TEST(SdkSecurity, AWedgedGroupIsOpenedAgain) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  const sdk::Conversation& conversation = *alice->conversations(*bob)[0];
  Header commit;
  commit.id = make_envelope_id(net.now, net.random);
  commit.sender = alice->core->self().instance;
  commit.kind = Kind::commit;
  commit.conversation = conversation.id;
  commit.incarnation = conversation.incarnation;
  commit.epoch = conversation.epoch;
  commit.recipients = {commit.sender, bob->core->self().instance};
  commit.created = net.now;
  commit.expires = net.now + kHourMs;
  commit.sender_seq = conversation.sealed.seq_in(commit.epoch);
  commit.previous = conversation.sealed.link;
  const SealedEnvelope rubbish =
      seal_envelope(encode_header(commit), as_bytes("rubbish"), alice->key.key);
  flatbuffers::FlatBufferBuilder b;
  const std::vector envelopes{wire::CreateEnvelopeBytes(b, put(b, rubbish.bytes))};
  const std::vector bundles{wire::CreateBundle(b, b.CreateVector(envelopes))};
  net.to_broker(*alice, finish_frame(b, wire::CreateSend(b, b.CreateVector(bundles))));
  net.run();
  net.pass(kMinuteMs);
  ASSERT_EQ(bob->conversations(*alice).size(), 1u);
  EXPECT_EQ(bob->conversations(*alice)[0]->incarnation, 2u);
  EXPECT_EQ(alice->conversations(*bob)[0]->incarnation, 2u);
  alice->send(*bob, "two");
  bob->send(*alice, "back");
  net.run();
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(alice->texts(), std::vector<std::string>{"back"});
}

// The sender itself seals rubbish, and signs it: it learns by a signed refusal, and the chain goes
// on behind it.
TEST(SdkSecurity, WhatItsSenderSealedWronglyIsRefusedToItAndTheGroupGoesOn) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  const sdk::Conversation& conversation = *alice->conversations(*bob)[0];
  const auto next = [&](const sdk::ChainPosition& chain) {
    Header header;
    header.id = make_envelope_id(net.now, net.random);
    header.sender = alice->core->self().instance;
    header.kind = Kind::application;
    header.conversation = conversation.id;
    header.incarnation = conversation.incarnation;
    header.epoch = conversation.epoch;
    header.created = net.now;
    header.expires = net.now + kHourMs;
    header.sender_seq = chain.seq_in(header.epoch);
    header.previous = chain.link;
    return header;
  };
  const SealedEnvelope rubbish =
      seal_envelope(encode_header(next(conversation.sealed)), as_bytes("rubbish"), alice->key.key);
  flatbuffers::FlatBufferBuilder b;
  const std::vector envelopes{wire::CreateEnvelopeBytes(b, put(b, rubbish.bytes))};
  const std::vector bundles{wire::CreateBundle(b, b.CreateVector(envelopes))};
  net.to_broker(*alice, finish_frame(b, wire::CreateSend(b, b.CreateVector(bundles))));
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"one"});
  EXPECT_EQ(bob->count(Notice::Kind::undecryptable), 1u);
  EXPECT_EQ(alice->count(Notice::Kind::refused), 1u);
  EXPECT_EQ(bob->conversations(*alice)[0]->received.link, rubbish.link);
  bob->send(*alice, "I could not read that");
  net.run();
  EXPECT_EQ(alice->texts(), std::vector<std::string>{"I could not read that"});
}

// Sealed as it should be, but not a ContentBatch inside: only the receiver can tell, and its sender
// learns.
TEST(SdkSecurity, ContentThatIsNotWellFormedIsRefusedToItsSender) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  const sdk::Conversation& about = *alice->conversations(*bob)[0];
  Header header;
  header.id = make_envelope_id(net.now, net.random);
  header.sender = alice->core->self().instance;
  header.kind = Kind::application;
  header.conversation = about.id;
  header.incarnation = about.incarnation;
  header.epoch = about.epoch;
  header.created = net.now;
  header.expires = net.now + kHourMs;
  header.sender_seq = about.sealed.seq_in(about.epoch);
  header.previous = about.sealed.link;
  const Bytes header_bytes = encode_header(header);
  auto& conversations = const_cast<sdk::Conversations&>(alice->core->conversations());
  mls::Group& group = **conversations.group(*conversations.find(about.id));
  const auto sealed = group.seal(as_bytes("no batch"), header_hash(header_bytes), net.random);
  ASSERT_TRUE(sealed);
  const SealedEnvelope envelope = seal_envelope(header_bytes, sealed->message, alice->key.key);
  net.to_broker(*alice, send_frame({{envelope.bytes}}));
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"one"});
  EXPECT_EQ(bob->count(Notice::Kind::undecryptable), 1u);
  EXPECT_EQ(alice->count(Notice::Kind::refused), 1u) << "a signed refusal, not silence";
}

// What is held keeps its place in the chain until its turn: the broker cannot put there what the
// sender never signed.
TEST(SdkSecurity, AForgedEnvelopeOutOfTurnIsNotHeldInThePlaceOfTheTrueOne) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  net.on_the_way_to_agent = [&](NetAgent& agent, Bytes frame) -> std::optional<Bytes> {
    if (&agent != bob) return frame;
    return with_entries(frame, [&](auto& entries) {
      if (entries.size() != 3) return;
      // Three with another body, the true three, two.
      const Bytes two = entries[0].second;
      const Bytes three = entries[1].second;
      Bytes forged = three;
      const auto envelope = Envelope::parse(three);
      forged[static_cast<std::size_t>(envelope->body().data() - envelope->bytes().data())] ^= 1;
      entries[0].second = std::move(forged);
      entries[1].second = three;
      entries[2].second = two;
    });
  };
  for (const char* text : {"two", "three", "four"})
    alice->send(*bob, text);
  net.run();
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"one", "two", "three"}));
}

TEST(SdkSecurity, ABrokerThatDeliversBeyondItsCreditOfBytesIsLeft) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  net.on_the_way_to_agent = [&](NetAgent& agent, Bytes frame) -> std::optional<Bytes> {
    if (&agent != bob) return frame;
    return with_entries(frame, [](auto& entries) {
      for (int i = 0; i < 3; ++i)
        entries.emplace_back(0, Bytes(limits::kBodyBytes));
    });
  };
  for (int i = 0; i < 4; ++i)  // each large enough for a frame of its own
    alice->send(*bob, std::string(200'000, 'x'));
  net.run();
  ASSERT_TRUE(bob->disconnected);
  EXPECT_EQ(bob->disconnected->code, Errc::credit_exceeded);
}

TEST(SdkSecurity, Atk20d_A_senders_state_put_back_to_an_older_one_stops_it) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  const auto saved = alice->save_state();
  alice->send(*bob, "two");
  net.run();
  alice->restart_from(saved);
  alice->send(*bob, "three");
  net.run();
  ASSERT_TRUE(alice->fatal);
  EXPECT_EQ(alice->fatal->code, Errc::state_corrupt);
  EXPECT_EQ(bob->texts(), (std::vector<std::string>{"one", "two"}));
}

TEST(SdkSecurity, Atk20e_A_receivers_state_put_back_to_an_older_one_stops_it) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  const auto saved = bob->save_state();
  alice->send(*bob, "two");
  net.run();
  bob->restart_from(saved);
  net.run();
  ASSERT_TRUE(bob->fatal);
  EXPECT_EQ(bob->fatal->code, Errc::state_corrupt);
}

TEST(SdkSecurity, ALostStateComesBackByANewKeyPackage) {
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  // Bob keeps his key and loses his state: the conversation's keys are gone.
  bob->cut();
  bob->core.reset();
  bob->state.reset();
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(bob->path.string() + suffix);
  const auto empty = net.directory.path / "empty.db";
  { auto made = sdk::open_sqlite_state(empty, bob->key.key, net.random); }
  bob->restart_from(empty);
  net.run();
  bob->add(*alice);
  net.run();
  const auto lost = alice->send(*bob, "into the old group");
  net.run();
  EXPECT_TRUE(alice->outcome(lost).done && *alice->outcome(lost).done);
  EXPECT_EQ(alice->count(Notice::Kind::refused), 1u) << "a signed refusal, not silence";
  net.pass(kMinuteMs);
  alice->send(*bob, "into the new one");
  bob->send(*alice, "I am back");
  net.run();
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"into the new one"});
  EXPECT_EQ(alice->texts(), std::vector<std::string>{"I am back"});
}

TEST(SdkSecurity, Atk39d_A_full_disk_stops_the_agent_before_anything_leaves) {
  class FullDisk final : public sdk::State {
   public:
    explicit FullDisk(sdk::State& under) : under_(under) {}
    Result<> commit(std::span<const sdk::Op> ops) override {
      return full ? fail(Errc::store_full, "the test says so") : under_.commit(ops);
    }
    Result<> transact(const std::function<Result<>(sdk::StateTransaction&)>& body) override {
      return under_.transact(body);
    }
    Result<std::optional<SecretBytes>> read(sdk::Table table, const sdk::RowKey& key) override {
      return under_.read(table, key);
    }
    Result<> scan(sdk::Table table,
                  const std::function<Result<>(ByteSpan, SecretBytes)>& row) override {
      return under_.scan(table, row);
    }
    bool full = false;

   private:
    sdk::State& under_;
  };
  Net net;
  auto [alice, bob] = net.pair();
  alice->send(*bob, "one");
  net.run();
  FullDisk disk(*alice->state);
  alice->cut();
  alice->core.reset();
  alice->core = *sdk::Core::load(alice->config, alice->key, disk, net.random, net.now);
  alice->core->connect(net.now);
  net.pass(kMinuteMs);
  disk.full = true;
  alice->send(*bob, "two");
  net.run();
  ASSERT_TRUE(alice->fatal);
  EXPECT_EQ(alice->fatal->code, Errc::store_full);
  EXPECT_EQ(bob->texts(), std::vector<std::string>{"one"});
  alice->core.reset();
}

}  // namespace
}  // namespace sealwire::test

#include "tests/broker/store_suite.h"

#include <atomic>
#include <thread>

namespace sealwire::broker {
namespace {

template <class OpaqueType>
OpaqueType filled(std::uint8_t with) {
  OpaqueType value;
  value.bytes.fill(with);
  return value;
}

AgentIdentity identity(std::uint8_t n) {
  return {filled<AgentId>(n), filled<InstanceKey>(n), {n}, {{n, n, n}, filled<Signature>(n)}};
}

SharedBytes shared(std::string_view text) {
  return std::make_shared<const Bytes>(to_bytes(as_bytes(text)));
}

PutItem item(ItemNumber number, std::string_view text, std::uint64_t expires = 0) {
  return {number, ItemType::envelope, 1, {expires}, shared(text)};
}
PutEntry entry(AgentNumber owner, std::uint64_t sequence, ItemNumber number) {
  return {owner, sequence, sequence + 100, sequence * 10, number};
}

std::vector<std::string> texts(const std::vector<MailboxEntry>& entries) {
  std::vector<std::string> all;
  for (const MailboxEntry& one : entries)
    all.emplace_back(as_text(*one.bytes));
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

void StoreSuite::commit(std::vector<StoreOp> ops) {
  const auto done = store().commit(ops);
  ASSERT_TRUE(done) << done.error().detail;
}

std::vector<MailboxEntry> StoreSuite::mailbox(AgentNumber owner, std::uint64_t after) {
  auto read = store().read_mailbox(owner, after, 1000, 1 << 20);
  EXPECT_TRUE(read);
  return read ? *read : std::vector<MailboxEntry>{};
}

TEST_P(StoreSuite, A_new_store_is_empty_and_has_an_incarnation_that_lasts) {
  const auto state = store().load();
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->incarnation.is_zero());
  EXPECT_TRUE(state->agents.empty());
  EXPECT_TRUE(state->contacts.empty());
  EXPECT_TRUE(state->invites.empty());
  EXPECT_EQ(state->last_item, 0u);
  reopen();
  EXPECT_EQ(store().load()->incarnation, state->incarnation);
}

TEST_P(StoreSuite, Agents_come_back_as_they_were_put_with_state_and_prekey) {
  const AgentState state{{7, 3, 700, 300}, {4, 9, true}};
  const SignedStatement prekey{{9, 9}, filled<Signature>(9)};
  commit({PutAgent{1, identity(1)}, PutAgent{2, identity(2)}});
  commit({PutAgentState{2, state}, PutPrekey{2, prekey}});
  reopen();
  const auto loaded = store().load();
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->agents.size(), 2u);
  const auto& first = loaded->agents[0].number == 1 ? loaded->agents[0] : loaded->agents[1];
  EXPECT_EQ(first.state, AgentState{});
  EXPECT_FALSE(first.prekey);
  const auto second = store().read_agent(2);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->state, state);
  EXPECT_EQ((*second)->prekey, prekey);
  EXPECT_EQ((*second)->identity.agent, identity(2).agent);
  EXPECT_EQ((*second)->identity.instance, identity(2).instance);
  EXPECT_EQ((*second)->identity.created, identity(2).created);
  EXPECT_EQ((*second)->identity.inception, identity(2).inception);
  EXPECT_FALSE(*store().read_agent(3));
}

TEST_P(StoreSuite, A_contact_is_replaced_and_none_removes_it) {
  const auto other = filled<AgentId>(8);
  const auto another = filled<AgentId>(9);
  commit({PutAgent{1, identity(1)}, PutContact{{1, other, Contact::allowed}},
          PutContact{{1, another, Contact::blocked}}});
  commit({PutContact{{1, other, Contact::blocked}}, PutContact{{1, another, Contact::none}}});
  reopen();
  const std::vector<ContactRecord> expected{{1, other, Contact::blocked}};
  EXPECT_EQ(*store().read_contacts(1), expected);
  EXPECT_EQ(store().load()->contacts, expected);
  EXPECT_TRUE(store().read_contacts(2)->empty());
}

TEST_P(StoreSuite, Invites_are_put_and_dropped) {
  const InviteRecord one{filled<InviteKey>(1), 1, {1000}};
  const InviteRecord two{filled<InviteKey>(2), 1, {2000}};
  commit({PutAgent{1, identity(1)}, PutInvite{one}, PutInvite{two}});
  commit({DropInvite{one.key}});
  reopen();
  EXPECT_EQ(store().load()->invites, std::vector{two});
  EXPECT_FALSE(*store().read_invite(one.key));
  EXPECT_EQ(**store().read_invite(two.key), two);
}

TEST_P(StoreSuite, Key_packages_are_dropped_up_to_a_number_but_the_last_resort_stays) {
  commit({PutAgent{1, identity(1)}, PutKeyPackage{1, 0, {0}}, PutKeyPackage{1, 1, {1}},
          PutKeyPackage{1, 2, {2}}, PutKeyPackage{1, 3, {3}}});
  commit({DropKeyPackages{1, 3}, PutKeyPackage{1, 0, {7}}});
  reopen();
  EXPECT_EQ(**store().read_key_package(1, 0), Bytes{7});
  EXPECT_FALSE(*store().read_key_package(1, 1));
  EXPECT_FALSE(*store().read_key_package(1, 2));
  EXPECT_EQ(**store().read_key_package(1, 3), Bytes{3});
  EXPECT_FALSE(*store().read_key_package(2, 3));
}

TEST_P(StoreSuite, Conversations_and_chain_heads_are_replaced) {
  const auto id = filled<ConversationId>(5);
  const ConversationRecord record{id, 2, 7, 99, {1, 2}};
  const ChainHead head{
      2, 6, 41, filled<Digest>(4), {{1, 2, 3}, filled<Digest>(6), filled<Signature>(7)}};
  commit({PutConversation{{id, 1, 1, 1, {1, 2}}}, PutChainHead{id, 1, {}}});
  commit({PutConversation{record}, PutChainHead{id, 1, head}});
  reopen();
  EXPECT_EQ(**store().read_conversation(id), record);
  EXPECT_EQ(**store().read_chain_head(id, 1), head);
  EXPECT_FALSE(*store().read_chain_head(id, 2));
  EXPECT_FALSE(*store().read_conversation(filled<ConversationId>(6)));
}

TEST_P(StoreSuite, An_id_is_found_with_its_sender_only_until_it_is_forgotten) {
  const IdRecord early{1, filled<EnvelopeId>(1), filled<Digest>(1), 3, {1000}};
  const IdRecord late{1, filled<EnvelopeId>(2), filled<Digest>(2), 4, {2000}};
  commit({PutId{early}, PutId{late}});
  reopen();
  EXPECT_EQ(**store().find_id(1, early.id), early);
  EXPECT_FALSE(*store().find_id(2, early.id));
  commit({ForgetIds{{2000}, 10}});
  EXPECT_FALSE(*store().find_id(1, early.id));
  EXPECT_EQ(**store().find_id(1, late.id), late);
}

TEST_P(StoreSuite, Of_many_old_ids_the_oldest_are_forgotten_and_no_more_than_asked_for) {
  for (const std::uint8_t n : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}})
    commit({PutId{{n, filled<EnvelopeId>(n), {}, 0, {4000ull - 1000 * n}}}});
  commit({ForgetIds{{9000}, 2}});
  EXPECT_TRUE(*store().find_id(1, filled<EnvelopeId>(1)));
  EXPECT_FALSE(*store().find_id(2, filled<EnvelopeId>(2)));
  EXPECT_FALSE(*store().find_id(3, filled<EnvelopeId>(3)));
}

TEST_P(StoreSuite, The_highest_id_of_a_sender_is_the_greatest_by_bytes) {
  for (const std::uint8_t n : {std::uint8_t{3}, std::uint8_t{0xf0}, std::uint8_t{7}})
    commit({PutId{{1, filled<EnvelopeId>(n), {}, 0, {9000}}}});
  commit({PutId{{2, filled<EnvelopeId>(0xff), {}, 0, {9000}}}});
  EXPECT_EQ(**store().highest_id(1), filled<EnvelopeId>(0xf0));
  EXPECT_FALSE(*store().highest_id(3));
}

TEST_P(StoreSuite, A_mailbox_is_read_in_order_after_a_sequence_with_all_that_was_put) {
  commit({item(1, "a", 500), entry(1, 1, 1), item(2, "b"), entry(1, 2, 2), item(3, "c"),
          entry(1, 3, 3), item(4, "other"), entry(2, 1, 4)});
  reopen();
  EXPECT_EQ(texts(mailbox(1)), (Texts{"a", "b", "c"}));
  EXPECT_EQ(texts(mailbox(1, 2)), (Texts{"c"}));
  const MailboxEntry first = mailbox(1).front();
  EXPECT_EQ(first.owner, 1u);
  EXPECT_EQ(first.sequence, 1u);
  EXPECT_EQ(first.conversation_sequence, 101u);
  EXPECT_EQ(first.bytes_total, 10u);
  EXPECT_EQ(first.item, 1u);
  EXPECT_EQ(first.type, ItemType::envelope);
  EXPECT_EQ(first.sender, 1u);
  EXPECT_EQ(first.expires, UnixMillis{500});
  EXPECT_EQ((*store().read_entry(1, 2))->item, 2u);
  EXPECT_FALSE(*store().read_entry(1, 4));
  EXPECT_EQ(store().load()->last_item, 4u);
}

TEST_P(StoreSuite, A_mailbox_read_keeps_to_entries_and_bytes_but_gives_one_at_least) {
  commit({item(1, "aaaa"), entry(1, 1, 1), item(2, "bbbb"), entry(1, 2, 2), item(3, "cccc"),
          entry(1, 3, 3)});
  EXPECT_EQ(texts(*store().read_mailbox(1, 0, 2, 100)), (Texts{"aaaa", "bbbb"}));
  EXPECT_EQ(texts(*store().read_mailbox(1, 0, 9, 8)), (Texts{"aaaa", "bbbb"}));
  EXPECT_EQ(texts(*store().read_mailbox(1, 0, 9, 7)), (Texts{"aaaa"}));
  EXPECT_EQ(texts(*store().read_mailbox(1, 0, 9, 0)), (Texts{"aaaa"}));
}

TEST_P(StoreSuite, Dropped_entries_are_gone_and_their_items_with_the_last_of_them) {
  commit({item(1, "shared"), entry(1, 1, 1), entry(2, 1, 1), item(2, "b"), entry(1, 2, 2)});
  commit({DropEntries{1, 1}});
  EXPECT_EQ(texts(mailbox(1)), (Texts{"b"}));
  EXPECT_EQ(texts(mailbox(2)), (Texts{"shared"}));
  commit({DropEntries{2, 1}});
  reopen();
  EXPECT_TRUE(mailbox(2).empty());
  commit({Bury{1, shared("tombstone")}});  // the item has gone: no error
  EXPECT_EQ(store().load()->last_item, 2u);
}

TEST_P(StoreSuite, Item_numbers_are_remembered_when_their_items_are_gone) {
  commit({item(41, "a"), entry(1, 1, 41)});
  commit({DropEntries{1, 1}});
  reopen();
  EXPECT_EQ(store().load()->last_item, 41u);
}

TEST_P(StoreSuite, A_buried_item_is_a_tombstone_that_expires_no_more) {
  commit({item(1, "body", 1000), entry(1, 1, 1)});
  commit({Bury{1, shared("remains")}});
  reopen();
  const auto entries = mailbox(1);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].type, ItemType::tombstone);
  EXPECT_EQ(as_text(*entries[0].bytes), "remains");
  EXPECT_EQ(entries[0].sender, 1u);
  EXPECT_TRUE(store().read_expired({5000}, 10)->empty());
}

TEST_P(StoreSuite, Expired_are_waiting_envelopes_only_the_oldest_first) {
  PutItem notice = item(4, "notice");
  notice.type = ItemType::refused;
  notice.sender = 0;
  commit({item(1, "late", 3000), entry(1, 1, 1), item(2, "mid", 2000), entry(1, 2, 2),
          item(3, "early", 1000), entry(1, 3, 3), notice, entry(1, 4, 4), item(5, "never"),
          entry(1, 5, 5)});
  EXPECT_EQ(texts(*store().read_expired({2000}, 10)), (Texts{"early", "mid"}));
  EXPECT_EQ(texts(*store().read_expired({9000}, 1)), (Texts{"early"}));
  EXPECT_EQ(store().read_expired({2000}, 10)->front().sequence, 3u);
  EXPECT_EQ(store().read_expired({2000}, 10)->front().owner, 1u);
  commit({DropEntries{1, 3}});
  EXPECT_TRUE(store().read_expired({9000}, 10)->empty());
}

TEST_P(StoreSuite, Bytes_of_every_value_and_a_large_body_survive) {
  Bytes every;
  for (int i = 0; i < 256; ++i)
    every.push_back(static_cast<std::uint8_t>(i));
  const auto large = std::make_shared<const Bytes>(Bytes(1 << 20, 0xa5));
  commit({PutItem{1, ItemType::envelope, 1, {}, std::make_shared<const Bytes>(every)},
          entry(1, 1, 1), PutItem{2, ItemType::envelope, 1, {}, large}, entry(1, 2, 2)});
  reopen();
  EXPECT_EQ(*(*store().read_entry(1, 1))->bytes, every);
  EXPECT_EQ(*(*store().read_entry(1, 2))->bytes, *large);
}

TEST_P(StoreSuite, A_reader_on_another_thread_sees_whole_batches_only) {
  std::atomic<std::uint64_t> committed{0};
  std::thread committer([&] {
    for (std::uint64_t n = 1; n <= 200; n += 2) {
      const std::vector<StoreOp> ops{item(n, "x"), entry(1, n, n), item(n + 1, "y"),
                                     entry(1, n + 1, n + 1)};
      if (!store().commit(ops)) return;
      committed = n + 1;
    }
  });
  std::uint64_t last = 0;
  while (last < 200) {
    const std::uint64_t before = committed;
    const auto entries = store().read_mailbox(1, 0, 1000, 1 << 20);
    ASSERT_TRUE(entries);
    ASSERT_EQ(entries->size() % 2, 0u);
    ASSERT_GE(entries->size(), before);
    last = entries->size();
  }
  committer.join();
}

}  // namespace sealwire::broker

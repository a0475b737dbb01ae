// Groups as their members live in them.
#include "tests/protocol/mls/agent.h"

namespace sealwire::mls::test {
namespace {

TEST(Group, alice_founds_a_group_bob_joins_and_they_talk) {
  Pair pair;
  EXPECT_EQ(pair.a.epoch(), 1u);
  EXPECT_EQ(pair.b.epoch(), 1u);
  EXPECT_EQ(authenticator(pair.a), authenticator(pair.b));
  ASSERT_EQ(pair.b.members().size(), 2u);
  EXPECT_EQ(pair.b.members()[0].identity.identity, pair.alice.identity);

  const auto question = must(pair.a.seal(as_bytes("hello"), as_bytes("header"), pair.alice.random));
  EXPECT_EQ(question.generation, 0u);
  EXPECT_EQ(pair.a.own_generation(), 1u);
  const auto heard = must(pair.b.open(question.message));
  EXPECT_EQ(heard.plaintext, text("hello"));
  EXPECT_EQ(heard.authenticated_data, text("header"));
  EXPECT_EQ(heard.sender, pair.a.own_leaf());
  EXPECT_EQ(heard.sender_key, pair.alice.key.public_key<InstanceKey>());
  EXPECT_EQ(heard.epoch, 1u);

  const auto answer = must(pair.b.seal(as_bytes("hi"), {}, pair.bob.random));
  EXPECT_EQ(must(pair.a.open(answer.message)).plaintext, text("hi"));
}

TEST(Group, what_is_seen_of_a_message_without_secrets_is_its_address_and_no_more) {
  Pair pair;
  const auto sealed = must(pair.a.seal(as_bytes("secret"), as_bytes("header"), pair.alice.random));
  const auto info = must(peek(sealed.message));
  EXPECT_EQ(info.group_id, text("conversation"));
  EXPECT_EQ(info.epoch, 1u);
  EXPECT_EQ(info.content, MessageInfo::Content::application);
  EXPECT_TRUE(info.encrypted);
  EXPECT_FALSE(info.sender);
  EXPECT_EQ(info.authenticated_data, text("header"));
  const Bytes plaintext = text("secret");
  EXPECT_EQ(
      std::search(sealed.message.begin(), sealed.message.end(), plaintext.begin(), plaintext.end()),
      sealed.message.end());
}

TEST(Group, padding_hides_lengths_and_costs_at_most_an_eighth) {
  Pair pair;
  const auto a = must(pair.a.seal(Bytes(1000), {}, pair.alice.random)).message;
  const auto b = must(pair.a.seal(Bytes(1010), {}, pair.alice.random)).message;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t size = 0; size < 5000; ++size) {
    EXPECT_GE(padme(size), size);
    EXPECT_LE((padme(size) - size) * 100, size * 12);
  }
  EXPECT_EQ(must(pair.b.open(a)).plaintext.size(), 1000u);
}

TEST(Group, messages_open_in_any_order_and_each_only_once) {
  Pair pair;
  std::vector<Bytes> messages;
  for (int i = 0; i < 10; ++i)
    messages.push_back(
        must(pair.a.seal(as_bytes(std::to_string(i)), {}, pair.alice.random)).message);
  for (const int i : {7, 0, 9, 3, 1, 2, 8, 4, 6, 5}) {
    EXPECT_EQ(must(pair.b.open(messages[static_cast<std::size_t>(i)])).plaintext,
              text(std::to_string(i)));
    EXPECT_TRUE(
        refused(pair.b.open(messages[static_cast<std::size_t>(i)]), Errc::mls_generation_used));
  }
}

TEST(Group, both_commit_at_once_one_wins_and_the_other_follows) {
  Pair pair;
  const auto from_a = must(pair.a.commit({}, {}, pair.alice.random, kNow));
  const auto from_b = must(pair.b.commit({}, {}, pair.bob.random, kNow));
  EXPECT_EQ(from_a.epoch, 1u);
  // The broker took Bob's. Alice learns of it before she hears of her loss.
  const auto processed = must(pair.a.process(from_b.commit));
  EXPECT_EQ(processed.sender, pair.b.own_leaf());
  EXPECT_FALSE(pair.a.has_pending());
  must(pair.b.apply_pending());
  EXPECT_EQ(pair.a.epoch(), 2u);
  EXPECT_EQ(authenticator(pair.a), authenticator(pair.b));
  EXPECT_TRUE(refused(pair.b.process(from_a.commit), Errc::mls_epoch));
  // She tries again.
  const auto again = must(pair.a.commit({}, {}, pair.alice.random, kNow));
  must(pair.b.process(again.commit));
  must(pair.a.apply_pending());
  EXPECT_EQ(authenticator(pair.a), authenticator(pair.b));
}

TEST(Group, messages_sealed_while_a_commit_is_pending_survive_it) {
  Pair pair;
  const auto commit = must(pair.a.commit({}, {}, pair.alice.random, kNow));
  const auto mine = must(pair.a.seal(as_bytes("before"), {}, pair.alice.random));
  const auto theirs = must(pair.b.seal(as_bytes("crossing"), {}, pair.bob.random));
  const auto late = must(pair.b.seal(as_bytes("late"), {}, pair.bob.random));
  EXPECT_EQ(must(pair.a.open(theirs.message)).plaintext, text("crossing"));
  must(pair.a.apply_pending());
  EXPECT_TRUE(refused(pair.a.open(theirs.message), Errc::mls_generation_used))
      << "the pending epoch brought back a used key";
  EXPECT_EQ(must(pair.a.open(late.message)).plaintext, text("late"));
  must(pair.b.process(commit.commit));
  EXPECT_EQ(must(pair.b.open(mine.message)).plaintext, text("before"));
}

TEST(Group, the_own_commit_that_comes_back_applies_once_also_after_a_restart) {
  Pair pair;
  const auto commit = must(pair.a.commit({}, as_bytes("header"), pair.alice.random, kNow));
  const auto stored = pair.a.serialize();
  Group restarted =
      must(Group::deserialize(stored.span(), std::nullopt, pair.alice.key, strict_policy()));
  ASSERT_TRUE(restarted.has_pending());
  EXPECT_TRUE(std::ranges::equal(restarted.pending_commit(), commit.commit));
  const auto processed = must(restarted.process(commit.commit));
  EXPECT_TRUE(processed.own);
  EXPECT_EQ(processed.authenticated_data, text("header"));
  EXPECT_EQ(restarted.epoch(), 2u);
  EXPECT_TRUE(refused(restarted.process(commit.commit), Errc::mls_epoch));
  must(pair.b.process(commit.commit));
  EXPECT_EQ(authenticator(restarted), authenticator(pair.b));
}

TEST(Group, a_third_joins_is_removed_and_cannot_follow) {
  Pair pair;
  Agent carol(3);
  const auto bundle = carol.publish();
  const auto add = must(pair.b.commit({.adds = {bundle.key_package}}, {}, pair.bob.random, kNow));
  const auto seen = must(pair.a.process(add.commit));
  ASSERT_EQ(seen.added.size(), 1u);
  EXPECT_EQ(seen.added[0].identity.identity, carol.identity);
  must(pair.b.apply_pending());
  EXPECT_EQ(must(welcome_recipients(*add.welcome)), std::vector<Bytes>(1, bundle.ref));
  Group c = carol.join(*add.welcome, bundle);
  EXPECT_EQ(authenticator(c), authenticator(pair.a));
  EXPECT_EQ(authenticator(c), authenticator(pair.b));
  const auto hello = must(c.seal(as_bytes("hello"), {}, carol.random));
  EXPECT_EQ(must(pair.a.open(hello.message)).sender, c.own_leaf());

  const auto remove = must(
      pair.a.commit({.removes = {c.own_leaf()}, .force_path = false}, {}, pair.alice.random, kNow));
  must(pair.a.apply_pending());
  const auto processed = must(pair.b.process(remove.commit));
  ASSERT_EQ(processed.removed.size(), 1u);
  EXPECT_EQ(processed.removed[0].identity.identity, carol.identity);
  EXPECT_TRUE(must(c.process(remove.commit)).self_removed);
  EXPECT_FALSE(c.active());
  EXPECT_TRUE(refused(c.seal(as_bytes("still here"), {}, carol.random), Errc::mls_not_a_member));
  const auto after = must(pair.a.seal(as_bytes("gone"), {}, pair.alice.random));
  EXPECT_TRUE(refused(c.open(after.message), Errc::mls_not_a_member));
  EXPECT_EQ(must(pair.b.open(after.message)).plaintext, text("gone"));
  const auto stored = c.serialize();
  EXPECT_FALSE(
      must(Group::deserialize(stored.span(), std::nullopt, carol.key, strict_policy())).active());
}

TEST(Group, proposals_of_others_are_committed_by_reference) {
  Pair pair;
  Agent carol(3);
  const auto bundle = carol.publish();
  const auto add = must(pair.a.propose_add(bundle.key_package, {}, kNow));
  const auto update = must(pair.a.propose_update({}, pair.alice.random));
  for (const Bytes& proposal : {add, update})
    EXPECT_EQ(must(pair.b.process(proposal)).kind, Processed::Kind::proposal);
  must(pair.b.process(add));  // once more does no harm
  const auto commit = must(pair.b.commit({}, {}, pair.bob.random, kNow));
  const auto processed = must(pair.a.process(commit.commit));
  EXPECT_EQ(processed.added.size(), 1u);
  must(pair.b.apply_pending());
  Group c = carol.join(*commit.welcome, bundle);
  EXPECT_EQ(authenticator(pair.a), authenticator(pair.b));
  EXPECT_EQ(authenticator(pair.a), authenticator(c));
  // Alice's updated leaf key works: she can follow a path that is encrypted to it.
  const auto next = must(c.commit({}, {}, carol.random, kNow));
  must(c.apply_pending());
  must(pair.a.process(next.commit));
  EXPECT_EQ(authenticator(pair.a), authenticator(c));
}

TEST(Group, a_proposal_to_remove_its_committer_is_left_out) {
  Pair pair;
  const auto proposal = must(pair.a.propose_remove(pair.b.own_leaf(), {}));
  must(pair.b.process(proposal));
  const auto commit = must(pair.b.commit({}, {}, pair.bob.random, kNow));
  EXPECT_TRUE(must(pair.a.process(commit.commit)).removed.empty());
  must(pair.b.apply_pending());
  EXPECT_EQ(authenticator(pair.a), authenticator(pair.b));
}

TEST(Group, of_proposals_that_exclude_each_other_the_first_is_committed) {
  Pair pair;
  Agent carol(3);
  const auto one = carol.publish();
  const auto two = carol.publish();
  for (const auto* package : {&one, &two})
    must(pair.b.process(must(pair.a.propose_add(package->key_package, {}, kNow))));
  const auto commit = must(pair.b.commit({}, {}, pair.bob.random, kNow));
  EXPECT_EQ(must(pair.a.process(commit.commit)).added.size(), 1u);
  must(pair.b.apply_pending());
  EXPECT_EQ(authenticator(carol.join(*commit.welcome, one)), authenticator(pair.a));
}

TEST(Group, exported_secrets_agree_and_differ_by_label_context_and_epoch) {
  Pair pair;
  const auto of = [](const Group& group, std::string_view label, std::string_view context) {
    return to_bytes(must(group.export_secret(label, as_bytes(context), 48)).span());
  };
  const Bytes first = of(pair.a, "label", "context");
  EXPECT_EQ(first.size(), 48u);
  EXPECT_EQ(first, of(pair.b, "label", "context"));
  EXPECT_NE(first, of(pair.a, "other", "context"));
  EXPECT_NE(first, of(pair.a, "label", "other"));
  must(pair.b.process(must(pair.a.commit({}, {}, pair.alice.random, kNow)).commit));
  EXPECT_NE(first, of(pair.b, "label", "context"));
}

TEST(Group, psks_enter_the_key_schedule_where_both_know_them) {
  Agent alice(1);
  Agent bob(2);
  Policy knowing = strict_policy();
  knowing.psk_lookup = [](const PskName& wanted) -> std::optional<SecretBytes> {
    if (wanted.kind != PskName::Kind::external || wanted.id != text("pairing code"))
      return std::nullopt;
    return SecretBytes(as_bytes("482-113"));
  };
  Group a = alice.found("with a psk", knowing);
  const auto bundle = bob.publish();
  const auto commit =
      must(a.commit({.adds = {bundle.key_package}, .external_psks = {text("pairing code")}}, {},
                    alice.random, kNow));
  must(a.apply_pending());
  EXPECT_TRUE(refused(Group::join(*commit.welcome, bundle, bob.key, strict_policy()),
                      Errc::mls_psk_unknown));
  Policy wrong = strict_policy();
  wrong.psk_lookup = [](const PskName&) { return SecretBytes(as_bytes("482-114")); };
  EXPECT_TRUE(
      refused(Group::join(*commit.welcome, bundle, bob.key, wrong), Errc::mls_undecryptable));
  Group b = bob.join(*commit.welcome, bundle, knowing);
  EXPECT_EQ(authenticator(a), authenticator(b));

  // A PSK of an earlier epoch of this very group.
  must(b.process(must(a.commit({}, {}, alice.random, kNow)).commit));
  must(a.apply_pending());
  must(b.process(must(a.commit({.resumption_psks = {1}}, {}, alice.random, kNow)).commit));
  must(a.apply_pending());
  EXPECT_EQ(authenticator(a), authenticator(b));
  EXPECT_TRUE(
      refused(a.commit({.resumption_psks = {99}}, {}, alice.random, kNow), Errc::mls_psk_unknown));
}

TEST(Group, a_last_resort_key_package_serves_two_groups) {
  Agent alice(1);
  Agent bob(2);
  const auto bundle = bob.publish(true);
  EXPECT_TRUE(
      must(verify_key_package(bundle.key_package, strict_policy().validator, kNow)).last_resort);
  for (const char* id : {"first", "second"}) {
    Group a = alice.found(id);
    const auto commit = must(a.commit({.adds = {bundle.key_package}}, {}, alice.random, kNow));
    must(a.apply_pending());
    EXPECT_EQ(authenticator(bob.join(*commit.welcome, bundle)), authenticator(a));
  }
}

TEST(Group, a_member_that_lost_its_state_comes_back_by_external_commit_where_that_is_allowed) {
  Policy policy = strict_policy();
  policy.external_commits = ExternalCommits::resync_only;
  Agent alice(1);
  Agent bob(2);
  Group a = alice.found("conversation", policy);
  const auto bundle = bob.publish();
  const auto commit = must(a.commit({.adds = {bundle.key_package}}, {}, alice.random, kNow));
  must(a.apply_pending());
  Group b = bob.join(*commit.welcome, bundle);
  const auto psk = b.resumption_psk();
  const auto leaf = b.own_leaf();

  Policy remembering = strict_policy();
  remembering.psk_lookup = [&psk](const PskName& wanted) -> std::optional<SecretBytes> {
    if (wanted.kind != PskName::Kind::resumption || wanted.epoch != 1) return std::nullopt;
    return SecretBytes(psk.span());
  };
  const Bytes info = must(a.group_info());
  const auto rejoin = [&](std::optional<LeafIndex> removes, std::optional<std::uint64_t> epoch) {
    return must(Group::join_externally(info, bob.key, bob.identity, remembering, removes, epoch, {},
                                       bob.random, kNow));
  };
  EXPECT_TRUE(refused(a.process(rejoin(leaf, std::nullopt).commit), Errc::mls_proposal_invalid))
      << "without the resumption PSK";
  auto back = rejoin(leaf, 1);
  const auto processed = must(a.process(back.commit));
  EXPECT_FALSE(processed.sender);
  ASSERT_EQ(processed.removed.size(), 1u);
  ASSERT_EQ(processed.added.size(), 1u);
  EXPECT_EQ(processed.added[0].identity, processed.removed[0].identity);
  EXPECT_EQ(authenticator(a), authenticator(back.group));
  const auto hello = must(back.group.seal(as_bytes("back"), {}, bob.random));
  EXPECT_EQ(must(a.open(hello.message)).plaintext, text("back"));

  Pair closed;
  const Bytes closed_info = must(closed.a.group_info());
  auto refused_here =
      must(Group::join_externally(closed_info, closed.bob.key, closed.bob.identity, remembering,
                                  closed.b.own_leaf(), std::nullopt, {}, closed.bob.random, kNow));
  EXPECT_TRUE(refused(closed.a.process(refused_here.commit), Errc::mls_unsupported));
}

TEST(Group, a_stranger_cannot_use_an_external_commit_to_take_a_members_place) {
  Policy policy = strict_policy();
  policy.external_commits = ExternalCommits::resync_only;
  Agent alice(1);
  Agent bob(2);
  Agent mallory(3);
  Group a = alice.found("conversation", policy);
  const auto bundle = bob.publish();
  must(a.commit({.adds = {bundle.key_package}}, {}, alice.random, kNow));
  must(a.apply_pending());
  const auto psk = a.resumption_psk();
  Policy leaked = strict_policy();
  leaked.psk_lookup = [&psk](const PskName&) { return SecretBytes(psk.span()); };
  auto attack =
      must(Group::join_externally(must(a.group_info()), mallory.key, mallory.identity, leaked,
                                  LeafIndex{1}, a.epoch(), {}, mallory.random, kNow));
  EXPECT_TRUE(refused(a.process(attack.commit), Errc::mls_proposal_invalid));
  EXPECT_EQ(a.epoch(), 1u);
}

}  // namespace
}  // namespace sealwire::mls::test

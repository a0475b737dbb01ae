// Forgery, replay and broken rules, by outsiders and by members. After each refusal the group is as
// it was.
#include "tests/protocol/mls/insider.h"

namespace sealwire::mls::test {
namespace {

TEST(Attack, a_member_cannot_speak_in_anothers_name_nor_use_up_her_key) {
  Trio trio;
  Epoch inside = secrets_of(trio.m);
  const Bytes forged = application(inside, trio.a.own_leaf(), 0, trio.mallory.key,
                                   trio.mallory.random, "pay mallory");
  EXPECT_TRUE(refused(trio.b.open(forged), Errc::mls_signature));
  const auto genuine = must(trio.a.seal(as_bytes("pay bob"), {}, trio.alice.random));
  EXPECT_EQ(genuine.generation, 0u);
  EXPECT_EQ(must(trio.b.open(genuine.message)).plaintext, text("pay bob"));
}

TEST(Attack, a_member_cannot_push_anothers_ratchet_forward) {
  Trio trio;
  must(trio.b.open(must(trio.a.seal(as_bytes("0"), {}, trio.alice.random)).message));
  const Bytes before = to_bytes(trio.b.serialize().span());
  Epoch inside = secrets_of(trio.m);
  for (const std::uint32_t generation : {1u, 100u, 5000u}) {
    EXPECT_TRUE(refused(trio.b.open(application(inside, trio.a.own_leaf(), generation,
                                                trio.mallory.key, trio.mallory.random, "forged")),
                        Errc::mls_signature));
  }
  EXPECT_EQ(to_bytes(trio.b.serialize().span()), before);
}

TEST(Attack, every_changed_bit_of_an_application_message_is_refused_and_costs_nothing) {
  Pair pair;
  const auto sealed = must(pair.a.seal(as_bytes("x"), as_bytes("h"), pair.alice.random));
  for (std::size_t bit = 0; bit < sealed.message.size() * 8; ++bit) {
    Bytes changed = sealed.message;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(pair.b.open(changed)) << "bit " << bit;
  }
  EXPECT_EQ(must(pair.b.open(sealed.message)).plaintext, text("x"));
}

TEST(Attack, every_changed_bit_of_a_commit_is_refused_and_the_genuine_one_still_works) {
  Pair pair;
  const auto commit = must(pair.a.commit({}, {}, pair.alice.random, kNow));
  const Bytes before = to_bytes(pair.b.serialize().span());
  for (std::size_t bit = 0; bit < commit.commit.size() * 8; ++bit) {
    Bytes changed = commit.commit;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(pair.b.process(changed)) << "bit " << bit;
  }
  EXPECT_EQ(to_bytes(pair.b.serialize().span()), before);
  must(pair.b.process(commit.commit));
}

TEST(Attack, every_changed_bit_of_a_welcome_is_refused) {
  Agent alice(1);
  Agent bob(2);
  Group a = alice.found();
  const auto bundle = bob.publish();
  const auto commit = must(a.commit({.adds = {bundle.key_package}}, {}, alice.random, kNow));
  for (std::size_t bit = 0; bit < commit.welcome->size() * 8; bit += 5) {
    Bytes changed = *commit.welcome;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(Group::join(changed, bundle, bob.key, strict_policy())) << "bit " << bit;
  }
}

TEST(Attack, tags_are_compared_with_their_length) {
  Trio trio;
  const Epoch inside = secrets_of(trio.m);
  const auto commit = public_message(must(trio.m.commit({}, {}, trio.mallory.random, kNow)).commit);
  for (const std::size_t size : {0u, 1u, 16u, 31u}) {
    PublicMessage cut = commit;
    cut.membership_tag.resize(size);
    EXPECT_TRUE(refused(trio.b.process(wire({cut})), Errc::mls_membership_tag)) << size;
    cut = commit;
    cut.auth.confirmation_tag.resize(size);
    EXPECT_TRUE(refused(trio.b.process(retagged(cut, inside)), Errc::mls_confirmation_tag)) << size;
    cut = commit;
    cut.auth.signature.resize(size);
    EXPECT_TRUE(refused(trio.b.process(retagged(cut, inside)), Errc::mls_signature)) << size;
  }
  PublicMessage longer = commit;
  longer.membership_tag.push_back(0);
  EXPECT_TRUE(refused(trio.b.process(wire({longer})), Errc::mls_membership_tag));
}

TEST(Attack, a_commit_in_anothers_name_or_with_a_false_confirmation_leaves_all_as_it_was) {
  Trio trio;
  const Epoch inside = secrets_of(trio.m);
  const auto commit = public_message(must(trio.m.commit({}, {}, trio.mallory.random, kNow)).commit);
  const Bytes before = to_bytes(trio.b.serialize().span());
  PublicMessage forged = commit;
  forged.content.sender = Sender::member(trio.a.own_leaf());
  EXPECT_TRUE(
      refused(trio.b.process(resigned(forged, inside, trio.mallory.key)), Errc::mls_signature));
  forged = commit;
  forged.auth.confirmation_tag[0] ^= 1;
  EXPECT_TRUE(refused(trio.b.process(retagged(forged, inside)), Errc::mls_confirmation_tag));
  EXPECT_EQ(to_bytes(trio.b.serialize().span()), before);
}

TEST(Attack, someone_outside_cannot_make_a_commit_even_in_the_open) {
  Pair pair;
  PublicMessage commit =
      public_message(must(pair.a.commit({}, {}, pair.alice.random, kNow)).commit);
  commit.content.authenticated_data = text("another header");
  EXPECT_TRUE(refused(pair.b.process(wire({commit})), Errc::mls_membership_tag));
}

// Mallory makes an honest commit and then breaks one rule of section 12.2 in it.
struct RuleBreaker : Trio {
  Epoch inside = secrets_of(m);
  PublicMessage honest = public_message(must(m.commit({}, {}, mallory.random, kNow)).commit);

  Result<Processed> try_with(std::vector<Proposal> proposals, bool with_path = true) {
    PublicMessage message = honest;
    Commit& commit = std::get<Commit>(message.content.body);
    for (Proposal& proposal : proposals)
      commit.proposals.push_back({std::move(proposal)});
    if (!with_path) commit.path.reset();
    return b.process(resigned(std::move(message), inside, mallory.key));
  }
};

TEST(Attack, lists_of_proposals_that_the_rfc_forbids_are_refused) {
  RuleBreaker t;
  const LeafIndex alice = t.a.own_leaf();
  const LeafIndex mallory = t.m.own_leaf();
  const auto is = [](const Result<Processed>& result) {
    return refused(result, Errc::mls_proposal_invalid);
  };
  EXPECT_TRUE(is(t.try_with({{Remove{mallory}}}))) << "removes itself";
  EXPECT_TRUE(is(t.try_with({{Remove{alice}}, {Remove{alice}}}))) << "one leaf twice";
  EXPECT_TRUE(is(t.try_with({{Remove{LeafIndex{3}}}}))) << "a blank leaf";
  EXPECT_TRUE(is(t.try_with({{Remove{LeafIndex{4000000000}}}}))) << "a leaf outside the tree";
  EXPECT_TRUE(is(t.try_with({{Update{*t.inside.tree.leaf(mallory)}}})))
      << "updates itself by proposal";
  EXPECT_TRUE(is(t.try_with({{ExternalInit{Bytes(32)}}}))) << "external init by a member";
  EXPECT_TRUE(is(t.try_with({{GroupContextExtensions{}}, {GroupContextExtensions{}}})));
  EXPECT_TRUE(is(t.try_with({{PreSharedKey{{PskType::external, text("p"), {}, 0, Bytes(5)}}}})))
      << "a short nonce";
  EXPECT_TRUE(refused(t.try_with({{ReInit{}}}), Errc::mls_unsupported));
  const PreSharedKeyId psk{PskType::resumption, t.inside.context.group_id,
                           ResumptionUsage::application, t.inside.context.epoch, Bytes(32)};
  EXPECT_TRUE(is(t.try_with({{PreSharedKey{psk}}, {PreSharedKey{psk}}}))) << "a PSK twice";
  EXPECT_TRUE(is(t.try_with({}, false))) << "an empty commit without a path";
  EXPECT_TRUE(is(t.try_with({{Remove{alice}}}, false))) << "a Remove without a path";
  EXPECT_TRUE(is(t.try_with({{GroupContextExtensions{}}}, false))) << "extensions without a path";
  PublicMessage message = t.honest;
  std::get<Commit>(message.content.body).proposals.push_back({ProposalRef{}});
  EXPECT_TRUE(is(t.b.process(resigned(std::move(message), t.inside, t.mallory.key))))
      << "unknown reference";
  EXPECT_EQ(t.b.epoch(), 1u);
}

TEST(Attack, a_member_cannot_become_another_by_updating_its_leaf) {
  Trio trio;
  Agent fresh(7);
  Epoch inside = secrets_of(trio.m);
  const auto change = [&](const crypto::SigningKey& key, const Bytes& identity) {
    PublicMessage message =
        public_message(must(trio.m.commit({}, {}, trio.mallory.random, kNow)).commit);
    LeafNode& leaf = std::get<Commit>(message.content.body).path->leaf_node;
    leaf.signature_key = to_bytes(key.public_bytes());
    leaf.credential.identity = identity;
    sign_leaf(leaf, key, {inside.context.group_id, trio.m.own_leaf()});
    return trio.b.process(resigned(std::move(message), inside, trio.mallory.key));
  };
  EXPECT_TRUE(refused(change(fresh.key, fresh.identity), Errc::mls_tree_invalid)) << "someone new";
  EXPECT_TRUE(refused(change(trio.mallory.key, trio.alice.identity), Errc::mls_tree_invalid))
      << "alice";
}

TEST(Attack, a_path_with_wrong_parent_hash_reused_key_or_wrong_length_is_refused) {
  Trio trio;
  const Epoch inside = secrets_of(trio.m);
  const auto with = [&](auto change) {
    PublicMessage message =
        public_message(must(trio.m.commit({}, {}, trio.mallory.random, kNow)).commit);
    UpdatePath& path = *std::get<Commit>(message.content.body).path;
    change(path);
    sign_leaf(path.leaf_node, trio.mallory.key, {inside.context.group_id, trio.m.own_leaf()});
    return trio.b.process(resigned(std::move(message), inside, trio.mallory.key));
  };
  const auto is = [](const Result<Processed>& result) {
    return refused(result, Errc::mls_tree_invalid);
  };
  EXPECT_TRUE(is(with([](UpdatePath& p) { p.leaf_node.parent_hash[0] ^= 1; })));
  EXPECT_TRUE(is(with([](UpdatePath& p) { p.nodes.pop_back(); })));
  EXPECT_TRUE(is(with([](UpdatePath& p) { p.nodes.push_back(p.nodes.back()); })));
  EXPECT_TRUE(is(with([&](UpdatePath& p) {
    p.leaf_node.encryption_key = inside.tree.leaf(trio.m.own_leaf())->encryption_key;
  }))) << "its old key";
  EXPECT_TRUE(is(with([&](UpdatePath& p) {
    p.leaf_node.encryption_key = inside.tree.leaf(trio.a.own_leaf())->encryption_key;
  }))) << "alice's key";
  EXPECT_TRUE(is(with([](UpdatePath& p) { p.nodes.back().encrypted_path_secret.pop_back(); })));
  EXPECT_TRUE(is(with([](UpdatePath& p) { p.leaf_node.source = LeafNodeSource::update; })));
}

TEST(Attack, a_false_tree_or_group_info_does_not_get_a_joiner) {
  Trio trio;
  Agent victim(9);
  const auto bundle = victim.publish();
  const auto package =
      std::get<KeyPackage>(must(decode<MlsMessage>(bundle.key_package, "key package")).body);
  // Mallory makes up a whole epoch with the victim in it, and signs it.
  const auto join = [&](auto change, const crypto::SigningKey& signer) {
    Epoch current = secrets_of(trio.m);
    RatchetTree tree = current.tree;
    must(tree.add_leaf(package.leaf_node));
    GroupContext context = current.context;
    ++context.epoch;
    context.tree_hash = to_bytes(tree.tree_hash());
    const KdfSecret joiner = trio.mallory.random.secret<32>();
    const KdfSecret psk;
    Epoch next = make_epoch(context, std::move(tree), current.keys.clone(),
                            epoch_secrets(joiner, psk, encode(context)));
    GroupInfo info = make_group_info(next, trio.mallory.key);
    change(info);
    sign_group_info(info, signer);
    Welcome welcome;
    welcome.encrypted_group_info = encrypt_group_info(welcome_secret(joiner, psk), info);
    GroupSecrets secrets;
    secrets.joiner_secret = joiner.clone();
    welcome.secrets.push_back(must(encrypt_group_secrets(
        package, secrets, welcome.encrypted_group_info, trio.mallory.random)));
    return Group::join(wire({std::move(welcome)}), bundle, victim.key, strict_policy());
  };
  const auto replace_tree = [](GroupInfo& info, auto edit) {
    RatchetTree tree = must(carried_tree(info));
    edit(tree);
    info.extensions[0].data = encode(tree);
    info.group_context.tree_hash = to_bytes(tree.tree_hash());
  };
  EXPECT_TRUE(join([](GroupInfo&) {}, trio.mallory.key)) << "the control must pass";
  EXPECT_TRUE(refused(join([](GroupInfo&) {}, trio.bob.key), Errc::mls_signature));
  EXPECT_TRUE(
      refused(join([](GroupInfo& i) { i.group_context.tree_hash[0] ^= 1; }, trio.mallory.key),
              Errc::mls_tree_invalid));
  EXPECT_TRUE(refused(join([](GroupInfo& i) { i.confirmation_tag[0] ^= 1; }, trio.mallory.key),
                      Errc::mls_confirmation_tag));
  EXPECT_TRUE(refused(join([](GroupInfo& i) { i.confirmation_tag.clear(); }, trio.mallory.key),
                      Errc::mls_confirmation_tag));
  EXPECT_TRUE(refused(
      join([](GroupInfo& i) { i.extensions.erase(i.extensions.begin()); }, trio.mallory.key),
      Errc::mls_tree_invalid));
  EXPECT_TRUE(refused(join([](GroupInfo& i) { i.signer = LeafIndex{900}; }, trio.mallory.key),
                      Errc::mls_tree_invalid));
  // A parent node that no member below it has set; only its hash tells.
  EXPECT_TRUE(
      refused(join(
                  [&](GroupInfo& info) {
                    replace_tree(info, [&](RatchetTree& tree) {
                      const auto key = crypto::AgreementKey::generate(trio.mallory.random);
                      tree.set_parent(NodeIndex{5}, {to_bytes(key.public_key), {}, {LeafIndex{3}}});
                    });
                  },
                  trio.mallory.key),
              Errc::mls_tree_invalid));
  // Alice's leaf with another's name on it.
  EXPECT_TRUE(refused(join(
                          [&](GroupInfo& info) {
                            replace_tree(info, [&](RatchetTree& tree) {
                              LeafNode leaf = *tree.leaf(LeafIndex{0});
                              leaf.credential.identity = trio.bob.identity;
                              tree.set_leaf(LeafIndex{0}, leaf);
                            });
                          },
                          trio.mallory.key),
                      Errc::mls_signature));
}

TEST(Attack, a_key_package_with_any_fault_is_not_added) {
  Agent alice(1);
  Agent bob(2);
  Group a = alice.found();
  const auto good = bob.publish().key_package;
  const auto add = [&](ByteSpan package, UnixMillis now = kNow) {
    return a.commit({.adds = {to_bytes(package)}}, {}, alice.random, now);
  };
  const auto with = [&](auto change, bool sign_again) {
    auto package = std::get<KeyPackage>(must(decode<MlsMessage>(good, "key package")).body);
    change(package);
    if (sign_again) {
      sign_leaf(package.leaf_node, bob.key, {});
      Writer content;
      content.put(package.version, package.cipher_suite, package.init_key, package.leaf_node,
                  package.extensions);
      package.signature = sign_with_label(bob.key, "KeyPackageTBS", content.span());
    }
    return add(wire({package}));
  };
  const auto is = [](const auto& result) { return refused(result, Errc::mls_key_package_invalid); };
  EXPECT_TRUE(add(good));
  EXPECT_TRUE(is(add(good, kNow + 2 * kHourMs))) << "expired";
  EXPECT_TRUE(is(add(good, UnixMillis{kNow.value - kHourMs}))) << "not yet valid";
  EXPECT_TRUE(is(with([](KeyPackage& p) { p.init_key[0] ^= 1; }, false)));
  EXPECT_TRUE(is(with([](KeyPackage& p) { p.leaf_node.signature[0] ^= 1; }, false)));
  EXPECT_TRUE(is(with([](KeyPackage& p) { p.init_key = p.leaf_node.encryption_key; }, true)));
  EXPECT_TRUE(is(with([](KeyPackage& p) { p.init_key.pop_back(); }, true)));
  EXPECT_TRUE(
      is(with([&](KeyPackage& p) { p.leaf_node.credential.identity = alice.identity; }, true)));
  EXPECT_TRUE(is(with([](KeyPackage& p) { p.cipher_suite = CipherSuite{1}; }, true)));
  EXPECT_TRUE(is(with(
      [](KeyPackage& p) { p.leaf_node.capabilities.cipher_suites = {CipherSuite{1}}; }, true)));
  EXPECT_TRUE(is(with([](KeyPackage& p) { p.leaf_node.lifetime.not_after += 40 * 86400; }, true)));
  EXPECT_TRUE(
      is(with([](KeyPackage& p) { p.leaf_node.lifetime.not_after = ~std::uint64_t{0}; }, true)));
  EXPECT_TRUE(is(with(
      [](KeyPackage& p) {
        p.leaf_node.extensions = {{ExtensionType{0x4242}, {}}};
      },
      true)));
  EXPECT_TRUE(refused(add(alice.publish().key_package), Errc::mls_tree_invalid))
      << "a member already";
}

TEST(Attack, without_a_validator_there_is_no_group) {
  Agent alice(1);
  EXPECT_TRUE(
      refused(Group::create(as_bytes("g"), alice.key, alice.identity, {}, alice.random, kNow),
              Errc::mls_state));
  Pair pair;
  const auto state = pair.a.serialize();
  EXPECT_TRUE(
      refused(Group::deserialize(state.span(), std::nullopt, pair.alice.key, {}), Errc::mls_state));
  EXPECT_TRUE(refused(verify_key_package(alice.publish().key_package, {}, kNow), Errc::mls_state));
}

TEST(Attack, a_late_message_is_judged_by_the_members_of_its_own_epoch) {
  Trio trio;
  Agent dave(4);
  const auto late = must(trio.m.seal(as_bytes("late"), {}, trio.mallory.random));
  const auto bundle = dave.publish();
  const auto commit = must(trio.a.commit(
      {.adds = {bundle.key_package}, .removes = {trio.m.own_leaf()}}, {}, trio.alice.random, kNow));
  must(trio.b.process(commit.commit));
  ASSERT_EQ(trio.b.members()[2].leaf, trio.m.own_leaf()) << "dave sits where mallory sat";
  const auto opened = must(trio.b.open(late.message));
  EXPECT_EQ(opened.sender_key, trio.mallory.key.public_key<InstanceKey>());
}

TEST(Attack, a_message_for_another_group_or_of_another_kind_is_not_taken) {
  Pair pair;
  Agent carol(3);
  Group other = carol.found("other conversation");
  const auto foreign = must(other.seal(as_bytes("x"), {}, carol.random));
  EXPECT_TRUE(refused(pair.b.open(foreign.message), Errc::mls_state));
  EXPECT_TRUE(refused(pair.b.process(foreign.message), Errc::mls_state));
  const auto sealed = must(pair.a.seal(as_bytes("x"), {}, pair.alice.random));
  EXPECT_TRUE(refused(pair.b.process(sealed.message), Errc::mls_malformed));
  const auto commit = must(pair.a.commit({}, {}, pair.alice.random, kNow));
  EXPECT_TRUE(refused(pair.b.open(commit.commit), Errc::mls_malformed));
  EXPECT_TRUE(refused(pair.b.process(commit.group_info), Errc::mls_malformed));
  EXPECT_TRUE(refused(pair.b.open(carol.publish().key_package), Errc::mls_malformed));
}

TEST(Attack, padding_that_is_not_zero_is_refused) {
  Trio trio;
  const Epoch inside = secrets_of(trio.m);
  FramedContent content{
      inside.context.group_id, 1, Sender::member(trio.m.own_leaf()), {}, text("x")};
  const auto authenticated = sign_content(WireFormat::private_message, content,
                                          inside.encoded_context(), trio.mallory.key);
  SecretTree tree(inside.tree.leaf_count(), KdfSecret());
  MessageKey key;
  PrivateMessage message = protect_private(authenticated, key, inside.secrets.sender_data,
                                           &no_padding, trio.mallory.random);
  const SenderData sender = must(open_sender_data(message, inside.secrets.sender_data));
  Writer plaintext;
  plaintext.put(text("x"), authenticated.auth.signature);
  plaintext.pad_to(plaintext.size() + 8);
  plaintext.put(std::uint8_t{1});
  std::array<std::uint8_t, 12> nonce{};
  std::copy(sender.reuse_guard.begin(), sender.reuse_guard.end(), nonce.begin());
  Writer aad;
  aad.put(message.group_id, message.epoch, message.content_type, message.authenticated_data);
  const Secret<32> zero;
  message.ciphertext = crypto::aead_seal(std::span<const std::uint8_t, 32>(zero.data(), 32), nonce,
                                         aad.span(), plaintext.span());
  EXPECT_TRUE(refused(open_private(message, sender, key), Errc::mls_malformed));
}

}  // namespace
}  // namespace sealwire::mls::test

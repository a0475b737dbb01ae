// RFC 9420's vectors for tree arithmetic, tree operations, tree validation and TreeKEM.
#include "protocol/mls/key_schedule.h"
#include "protocol/mls/proposal.h"
#include "tests/protocol/mls/vectors.h"
#include "tests/support/seeded_random.h"

namespace sealwire::mls::test {
namespace {

const CredentialValidator kAnyone = [](const LeafIdentity&, const LeafIdentity*) { return true; };

TEST(MlsVectors, tree_arithmetic) {
  for_each_case("tree-math.json", [](const json& vector) {
    const auto leaves = vector.at("n_leaves").get<std::uint32_t>();
    const auto nodes = vector.at("n_nodes").get<std::uint32_t>();
    ASSERT_EQ(tree_math::node_count(leaves), nodes);
    EXPECT_EQ(value(tree_math::root(leaves)), vector.at("root").get<std::uint32_t>());
    for (std::uint32_t i = 0; i < nodes; ++i) {
      const NodeIndex node{i};
      const auto check = [&](const char* name, NodeIndex (*relative)(NodeIndex)) {
        const json& expected = vector.at(name).at(i);
        if (expected.is_null()) return;
        EXPECT_EQ(value(relative(node)), expected.get<std::uint32_t>()) << name;
      };
      check("left", [](NodeIndex n) { return tree_math::left(n); });
      check("right", [](NodeIndex n) { return tree_math::right(n); });
      check("parent", [](NodeIndex n) { return tree_math::parent(n); });
      check("sibling", [](NodeIndex n) { return tree_math::sibling(n); });
      EXPECT_EQ(tree_math::is_leaf(node), vector.at("left").at(i).is_null());
      EXPECT_EQ(node == tree_math::root(leaves), vector.at("parent").at(i).is_null());
    }
  });
}

TEST(MlsVectors, tree_operations) {
  for_each_case("suite1-only/tree-operations.json", [](const json& vector) {
    auto tree = decode<RatchetTree>(hex(vector.at("tree_before")), "tree").value();
    EXPECT_EQ(bytes(tree.tree_hash()), hex(vector.at("tree_hash_before")));
    const auto proposal = decode<Proposal>(hex(vector.at("proposal")), "proposal").value();
    if (const auto* add = std::get_if<Add>(&proposal.content)) {
      ASSERT_TRUE(tree.add_leaf(add->key_package.leaf_node));
    } else if (const auto* remove = std::get_if<Remove>(&proposal.content)) {
      tree.remove_leaf(remove->removed);
    } else {
      tree.update_leaf(LeafIndex{vector.at("proposal_sender").get<std::uint32_t>()},
                       std::get<Update>(proposal.content).leaf_node);
    }
    EXPECT_EQ(encode(tree), hex(vector.at("tree_after")));
    EXPECT_EQ(bytes(tree.tree_hash()), hex(vector.at("tree_hash_after")));
  });
}

TEST(MlsVectors, tree_validation) {
  for_each_case("tree-validation.json", [](const json& vector) {
    const Bytes encoded = hex(vector.at("tree"));
    const auto tree = decode<RatchetTree>(encoded, "tree").value();
    EXPECT_EQ(encode(tree), encoded);
    const Bytes group_id = hex(vector.at("group_id"));
    const auto nodes = static_cast<std::uint32_t>(vector.at("tree_hashes").size());
    for (std::uint32_t i = 0; i < nodes; ++i) {
      EXPECT_EQ(bytes(tree.tree_hash(NodeIndex{i})), hex(vector.at("tree_hashes").at(i)));
      std::vector<std::uint32_t> resolution;
      for (const NodeIndex node : tree.resolution(NodeIndex{i}))
        resolution.push_back(value(node));
      EXPECT_EQ(resolution, vector.at("resolutions").at(i).get<std::vector<std::uint32_t>>());
    }
    EXPECT_TRUE(tree.verify_structure());
    EXPECT_TRUE(tree.verify_parent_hashes());
    for (const LeafIndex leaf : tree.members()) {
      const LeafNode& node = *tree.leaf(leaf);
      EXPECT_TRUE(validate_leaf(node, node.source, {group_id, leaf}, kAnyone, nullptr));
    }
  });
}

struct PrivateLeaf {
  TreePrivate keys;
  crypto::SigningKey signing_key;
};

PrivateLeaf private_leaf(const json& entry, const RatchetTree& tree) {
  const LeafIndex index{entry.at("index").get<std::uint32_t>()};
  TreePrivate keys(index, secret(entry.at("encryption_priv")));
  EXPECT_TRUE(std::ranges::equal(keys.key(to_node(index))->public_key,
                                 tree.encryption_key(to_node(index))));
  for (const json& path : entry.at("path_secrets")) {
    const NodeIndex node{path.at("node").get<std::uint32_t>()};
    auto pair = node_key_pair(secret(path.at("path_secret")));
    EXPECT_TRUE(std::ranges::equal(pair.public_key, tree.encryption_key(node)));
    keys.set_key(node, std::move(pair));
  }
  return {std::move(keys), crypto::SigningKey::from_seed(secret(entry.at("signature_priv")))};
}

TEST(MlsVectors, treekem_paths_of_others_and_our_own) {
  for_each_case("treekem.json", [](const json& vector) {
    const auto before = decode<RatchetTree>(hex(vector.at("ratchet_tree")), "tree").value();
    std::vector<PrivateLeaf> members;
    for (const json& entry : vector.at("leaves_private"))
      members.push_back(private_leaf(entry, before));
    GroupContext context;
    context.group_id = hex(vector.at("group_id"));
    context.epoch = vector.at("epoch").get<std::uint64_t>();
    context.confirmed_transcript_hash = hex(vector.at("confirmed_transcript_hash"));

    for (const json& update : vector.at("update_paths")) {
      const LeafIndex sender{update.at("sender").get<std::uint32_t>()};
      SCOPED_TRACE("sender " + std::to_string(value(sender)));
      const auto path = decode<UpdatePath>(hex(update.at("update_path")), "path").value();
      EXPECT_TRUE(validate_leaf(path.leaf_node, LeafNodeSource::commit, {context.group_id, sender},
                                kAnyone, nullptr));
      RatchetTree tree = before;
      ASSERT_TRUE(merge_path(tree, sender, path));
      EXPECT_TRUE(tree.verify_parent_hashes());
      context.tree_hash = bytes(tree.tree_hash());
      EXPECT_EQ(context.tree_hash, hex(update.at("tree_hash_after")));
      for (const PrivateLeaf& member : members) {
        if (member.keys.self() == sender) continue;
        TreePrivate keys = member.keys.clone();
        const auto commit_secret = decrypt_path(tree, keys, sender, path, {}, encode(context));
        ASSERT_TRUE(commit_secret) << commit_secret.error().detail;
        EXPECT_EQ(bytes(*commit_secret), hex(update.at("commit_secret")));
        const auto expected =
            node_key_pair(secret(update.at("path_secrets").at(value(keys.self()))));
        const NodeIndex shared = tree_math::common_ancestor(keys.self(), sender);
        ASSERT_TRUE(keys.key(shared));
        EXPECT_EQ(keys.key(shared)->public_key, expected.public_key);
      }

      // Our own path from the same leaf.
      const auto own =
          std::ranges::find(members, sender, [](const auto& m) { return m.keys.self(); });
      ASSERT_NE(own, members.end());
      sealwire::test::SeededRandom random(3);
      RatchetTree own_tree = before;
      TreePrivate own_keys = own->keys.clone();
      const auto created = create_path(own_tree, own_keys, *before.leaf(sender), context.group_id,
                                       own->signing_key, random);
      EXPECT_TRUE(own_tree.verify_parent_hashes());
      context.tree_hash = bytes(own_tree.tree_hash());
      const auto encrypted = encrypt_path(own_tree, created, {}, encode(context), random);
      ASSERT_TRUE(encrypted);
      for (const PrivateLeaf& member : members) {
        if (member.keys.self() == sender) continue;
        RatchetTree received = before;
        ASSERT_TRUE(merge_path(received, sender, *encrypted));
        EXPECT_EQ(encode(received), encode(own_tree));
        TreePrivate keys = member.keys.clone();
        const auto commit_secret =
            decrypt_path(received, keys, sender, *encrypted, {}, encode(context));
        ASSERT_TRUE(commit_secret) << commit_secret.error().detail;
        EXPECT_EQ(bytes(*commit_secret), bytes(created.commit_secret));
      }
    }
  });
}

}  // namespace
}  // namespace sealwire::mls::test

// Tree hashes and parent hashes (RFC 9420 sections 7.8 and 7.9), and the checks that stand on them.
#include <set>

#include "protocol/mls/ratchet_tree.h"

namespace sealwire::mls {
namespace {

constexpr std::uint8_t kLeafInput = 1;
constexpr std::uint8_t kParentInput = 2;

bool contains(const std::vector<LeafIndex>& leaves, LeafIndex leaf) {
  return std::binary_search(leaves.begin(), leaves.end(), leaf);
}

}  // namespace

Hash RatchetTree::tree_hash() const {
  return tree_hash(root());
}
Hash RatchetTree::tree_hash(NodeIndex node) const {
  return hash_without(node, {});
}

// struct { NodeType node_type; select (TreeHashInput.node_type) {
//   case leaf:   LeafNodeHashInput { uint32 leaf_index; optional<LeafNode> leaf_node; };
//   case parent: ParentNodeHashInput { optional<ParentNode> parent_node; opaque left_hash<V>;
//                                      opaque right_hash<V>; }; }; } TreeHashInput;
// With `excluded`, as if those leaves had never been added: the original tree hash.
Hash RatchetTree::hash_without(NodeIndex node, const Leaves& excluded) const {
  Writer input;
  if (tree_math::is_leaf(node)) {
    const LeafIndex index = to_leaf(node);
    const LeafNode* content = contains(excluded, index) ? nullptr : leaf(index);
    input.put(kLeafInput, index, content != nullptr);
    if (content) input.put(*content);
    return crypto::sha256(input.span());
  }
  const ParentNode* content = parent(node);
  input.put(kParentInput, content != nullptr);
  if (content && excluded.empty()) {
    input.put(*content);
  } else if (content) {
    Leaves unmerged;
    std::ranges::set_difference(content->unmerged_leaves, excluded, std::back_inserter(unmerged));
    input.put(content->encryption_key, content->parent_hash, unmerged);
  }
  input.put(hash_without(tree_math::left(node), excluded),
            hash_without(tree_math::right(node), excluded));
  return crypto::sha256(input.span());
}

// struct { HPKEPublicKey encryption_key; opaque parent_hash<V>;
//          opaque original_sibling_tree_hash<V>; } ParentHashInput;
Hash RatchetTree::parent_hash(NodeIndex node, NodeIndex sibling) const {
  const ParentNode& content = *parent(node);
  Leaves excluded;
  for (const LeafIndex unmerged : content.unmerged_leaves) {
    if (tree_math::in_subtree(to_node(unmerged), sibling)) excluded.push_back(unmerged);
  }
  Writer input;
  input.put(content.encryption_key, content.parent_hash, hash_without(sibling, excluded));
  return crypto::sha256(input.span());
}

// A node D of the resolution of one child must carry the hash of this node, and the rest of that
// resolution must be exactly this node's unmerged leaves below that child.
bool RatchetTree::parent_hash_valid(NodeIndex node) const {
  const ParentNode& content = *parent(node);
  const std::pair<NodeIndex, NodeIndex> sides[] = {{tree_math::left(node), tree_math::right(node)},
                                                   {tree_math::right(node), tree_math::left(node)}};
  for (const auto& [child, sibling] : sides) {
    const auto candidates = resolution(child);
    if (candidates.empty()) continue;
    std::set<NodeIndex> unmerged;
    for (const LeafIndex leaf : content.unmerged_leaves) {
      if (tree_math::in_subtree(to_node(leaf), child)) unmerged.insert(to_node(leaf));
    }
    if (candidates.size() != unmerged.size() + 1) continue;
    const Hash expected = parent_hash(node, sibling);
    for (const NodeIndex candidate : candidates) {
      if (blank(candidate)) continue;
      const auto& descendant = nodes_[value(candidate)]->content;
      const Bytes& claimed =
          std::visit([](const auto& c) -> const Bytes& { return c.parent_hash; }, descendant);
      if (!std::ranges::equal(claimed, expected.span())) continue;
      const bool rest_unmerged = std::ranges::all_of(candidates, [&](NodeIndex other) {
        return other == candidate || unmerged.contains(other);
      });
      if (rest_unmerged && !unmerged.contains(candidate)) return true;
    }
  }
  return false;
}

Result<> RatchetTree::verify_parent_hashes() const {
  for (std::uint32_t i = 1; i < nodes_.size(); i += 2) {
    if (!blank(NodeIndex{i}) && !parent_hash_valid(NodeIndex{i}))
      return fail(Errc::mls_tree_invalid, "parent hash of node " + std::to_string(i));
  }
  return {};
}

Result<> RatchetTree::verify_structure() const {
  for (std::uint32_t i = 1; i < nodes_.size(); i += 2) {
    const NodeIndex index{i};
    const ParentNode* content = parent(index);
    if (!content) continue;
    const auto& unmerged = content->unmerged_leaves;
    if (!std::ranges::is_sorted(unmerged) || std::ranges::adjacent_find(unmerged) != unmerged.end())
      return fail(Errc::mls_tree_invalid, "unmerged leaves are not ascending");
    for (const LeafIndex member : unmerged) {
      if (!leaf(member) || !tree_math::in_subtree(to_node(member), index))
        return fail(Errc::mls_tree_invalid, "an unmerged leaf is blank or elsewhere");
      for (NodeIndex between = tree_math::parent(to_node(member)); between != index;
           between = tree_math::parent(between)) {
        const ParentNode* lower = parent(between);
        if (lower && !contains(lower->unmerged_leaves, member))
          return fail(Errc::mls_tree_invalid, "an unmerged leaf is merged below");
      }
    }
  }
  return verify_keys_unique();
}

Result<> RatchetTree::verify_keys_unique() const {
  std::set<Bytes> encryption;
  std::set<Bytes> signature;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]) continue;
    const ByteSpan key = encryption_key(NodeIndex{i});
    if (key.size() != 32 || !encryption.insert(to_bytes(key)).second)
      return fail(Errc::mls_tree_invalid, "an encryption key is malformed or occurs twice");
    const auto* member = std::get_if<LeafNode>(&nodes_[i]->content);
    if (member && !signature.insert(member->signature_key).second)
      return fail(Errc::mls_tree_invalid, "a signature key occurs twice");
  }
  return {};
}

}  // namespace sealwire::mls

// The public ratchet tree (RFC 9420 sections 4 and 7): who is in the group, and the keys between.
#pragma once

#include <variant>

#include "protocol/mls/leaf_node.h"
#include "protocol/mls/tree_math.h"

namespace sealwire::mls {

// struct { HPKEPublicKey encryption_key; opaque parent_hash<V>; uint32 unmerged_leaves<V>; }
// ParentNode;
struct ParentNode {
  Bytes encryption_key;
  Bytes parent_hash;
  std::vector<LeafIndex> unmerged_leaves;  // ascending
  SW_MLS_FIELDS(encryption_key, parent_hash, unmerged_leaves)
  friend bool operator==(const ParentNode&, const ParentNode&) = default;
};

// struct { NodeType node_type; select (Node.node_type) { case leaf: LeafNode leaf_node;
//          case parent: ParentNode parent_node; }; } Node;
struct Node {
  std::variant<LeafNode, ParentNode> content;
  void write(Writer& writer) const;
  bool read(Reader& reader);
};

/// One node of a filtered direct path (section 4.1.2) with the child that is not on the path.
struct PathStep {
  NodeIndex node{};
  NodeIndex copath{};
};

class RatchetTree {
 public:
  /// optional<Node> ratchet_tree<V> (section 12.4.3.3): no blank nodes at the end.
  void write(Writer& writer) const;
  bool read(Reader& reader);

  std::uint32_t leaf_count() const { return static_cast<std::uint32_t>(nodes_.size() + 1) / 2; }
  NodeIndex root() const { return tree_math::root(leaf_count()); }
  /// Null where the node is blank or outside the tree.
  const LeafNode* leaf(LeafIndex index) const;
  const ParentNode* parent(NodeIndex index) const;
  /// The key of a node that is not blank; empty otherwise.
  ByteSpan encryption_key(NodeIndex node) const;
  bool blank(NodeIndex node) const { return !nodes_[value(node)]; }
  std::vector<LeafIndex> members() const;
  std::optional<LeafIndex> find_signature_key(ByteSpan signature_key) const;

  std::vector<NodeIndex> resolution(NodeIndex node) const;
  std::vector<PathStep> filtered_direct_path(LeafIndex leaf) const;

  // --- changes (section 7.7 and 7.8)
  /// Takes the leftmost blank leaf or doubles the tree. Fails with `mls_limit`.
  Result<LeafIndex> add_leaf(LeafNode leaf);
  void update_leaf(LeafIndex index, LeafNode leaf);
  void remove_leaf(LeafIndex index);
  /// Replaces a leaf alone; set_path() or blank_path() goes with it.
  void set_leaf(LeafIndex index, LeafNode leaf);
  void set_parent(NodeIndex index, ParentNode node);
  void blank_path(LeafIndex index);

  // --- hashes
  Hash tree_hash() const;
  Hash tree_hash(NodeIndex node) const;
  /// Of a parent node as the member of its subtree saw it that set it: without its unmerged leaves
  /// below `sibling` (section 7.9).
  Hash parent_hash(NodeIndex node, NodeIndex sibling) const;
  /// Section 7.9.2: every parent node was set by a member below it.
  Result<> verify_parent_hashes() const;
  /// What of section 12.4.3.1 concerns the shape: unmerged leaves, and that no key occurs twice.
  Result<> verify_structure() const;
  Result<> verify_keys_unique() const;

 private:
  using Leaves = std::vector<LeafIndex>;
  Hash hash_without(NodeIndex node, const Leaves& excluded) const;
  bool parent_hash_valid(NodeIndex node) const;
  ParentNode* mutable_parent(NodeIndex index);
  void trim();

  std::vector<std::optional<Node>> nodes_;  // 2n - 1, n a power of two; or none
};

}  // namespace sealwire::mls

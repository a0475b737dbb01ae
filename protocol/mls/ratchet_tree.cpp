#include "protocol/mls/ratchet_tree.h"

namespace sealwire::mls {
namespace {

enum class NodeType : std::uint8_t { leaf = 1, parent = 2 };

}  // namespace

void Node::write(Writer& writer) const {
  if (const auto* leaf = std::get_if<LeafNode>(&content)) {
    writer.put(NodeType::leaf, *leaf);
  } else {
    writer.put(NodeType::parent, std::get<ParentNode>(content));
  }
}

bool Node::read(Reader& reader) {
  NodeType type{};
  if (!reader.get(type)) return false;
  if (type == NodeType::leaf) return reader.get(content.emplace<LeafNode>());
  return type == NodeType::parent && reader.get(content.emplace<ParentNode>());
}

void RatchetTree::write(Writer& writer) const {
  std::size_t used = nodes_.size();
  while (used > 0 && !nodes_[used - 1])
    --used;
  writer.vector([&] {
    for (std::size_t i = 0; i < used; ++i)
      writer.put(nodes_[i]);
  });
}

bool RatchetTree::read(Reader& reader) {
  if (!reader.get(nodes_) || nodes_.empty() || !nodes_.back()) return false;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i] && std::holds_alternative<LeafNode>(nodes_[i]->content) != (i % 2 == 0))
      return false;
  }
  const auto leaves = static_cast<std::uint32_t>(nodes_.size() / 2 + 1);
  if (leaves > limits::kTreeLeaves) return false;
  nodes_.resize(tree_math::node_count(std::bit_ceil(leaves)));
  for (std::uint32_t i = 1; i < nodes_.size(); i += 2) {
    const ParentNode* content = parent(NodeIndex{i});
    if (content && std::ranges::any_of(content->unmerged_leaves, [this](LeafIndex leaf_index) {
          return value(leaf_index) >= leaf_count();
        }))
      return false;
  }
  return true;
}

const LeafNode* RatchetTree::leaf(LeafIndex index) const {
  if (value(index) >= leaf_count()) return nullptr;
  const auto& node = nodes_[value(to_node(index))];
  return node ? &std::get<LeafNode>(node->content) : nullptr;
}

const ParentNode* RatchetTree::parent(NodeIndex index) const {
  const auto& node = nodes_[value(index)];
  return node ? std::get_if<ParentNode>(&node->content) : nullptr;
}

ParentNode* RatchetTree::mutable_parent(NodeIndex index) {
  auto& node = nodes_[value(index)];
  return node ? std::get_if<ParentNode>(&node->content) : nullptr;
}

ByteSpan RatchetTree::encryption_key(NodeIndex node) const {
  if (blank(node)) return {};
  return std::visit([](const auto& content) { return ByteSpan(content.encryption_key); },
                    nodes_[value(node)]->content);
}

std::vector<LeafIndex> RatchetTree::members() const {
  std::vector<LeafIndex> result;
  for (std::uint32_t i = 0; i < leaf_count(); ++i) {
    if (leaf(LeafIndex{i})) result.push_back(LeafIndex{i});
  }
  return result;
}

std::optional<LeafIndex> RatchetTree::find_signature_key(ByteSpan signature_key) const {
  for (const LeafIndex index : members()) {
    if (std::ranges::equal(leaf(index)->signature_key, signature_key)) return index;
  }
  return std::nullopt;
}

// RFC 9420 section 4.1.1: a node that is not blank is its own resolution, with its unmerged leaves.
std::vector<NodeIndex> RatchetTree::resolution(NodeIndex node) const {
  if (!blank(node)) {
    std::vector<NodeIndex> result{node};
    if (const ParentNode* content = parent(node)) {
      for (const LeafIndex unmerged : content->unmerged_leaves)
        result.push_back(to_node(unmerged));
    }
    return result;
  }
  if (tree_math::is_leaf(node)) return {};
  auto result = resolution(tree_math::left(node));
  const auto right = resolution(tree_math::right(node));
  result.insert(result.end(), right.begin(), right.end());
  return result;
}

std::vector<PathStep> RatchetTree::filtered_direct_path(LeafIndex leaf) const {
  std::vector<PathStep> steps;
  NodeIndex below = to_node(leaf);
  for (const NodeIndex node : tree_math::direct_path(leaf, leaf_count())) {
    const NodeIndex copath = tree_math::sibling(below);
    if (!resolution(copath).empty()) steps.push_back({node, copath});
    below = node;
  }
  return steps;
}

Result<LeafIndex> RatchetTree::add_leaf(LeafNode leaf_node) {
  std::uint32_t index = 0;
  while (index < leaf_count() && leaf(LeafIndex{index}))
    ++index;
  if (index == leaf_count() || nodes_.empty()) {
    const std::uint32_t leaves = nodes_.empty() ? 1 : 2 * leaf_count();
    if (leaves > limits::kTreeLeaves) return fail(Errc::mls_limit, "tree leaves");
    nodes_.resize(tree_math::node_count(leaves));
    if (leaves == 1) index = 0;
  }
  const LeafIndex added{index};
  for (const NodeIndex node : tree_math::direct_path(added, leaf_count())) {
    if (ParentNode* content = mutable_parent(node)) {
      auto& unmerged = content->unmerged_leaves;
      unmerged.insert(std::upper_bound(unmerged.begin(), unmerged.end(), added), added);
    }
  }
  set_leaf(added, std::move(leaf_node));
  return added;
}

void RatchetTree::update_leaf(LeafIndex index, LeafNode leaf) {
  set_leaf(index, std::move(leaf));
  blank_path(index);
}

void RatchetTree::remove_leaf(LeafIndex index) {
  nodes_[value(to_node(index))].reset();
  blank_path(index);
  trim();
}

void RatchetTree::set_leaf(LeafIndex index, LeafNode leaf) {
  nodes_[value(to_node(index))] = Node{std::move(leaf)};
}

void RatchetTree::set_parent(NodeIndex index, ParentNode node) {
  nodes_[value(index)] = Node{std::move(node)};
}

void RatchetTree::blank_path(LeafIndex index) {
  for (const NodeIndex node : tree_math::direct_path(index, leaf_count()))
    nodes_[value(node)].reset();
}

// RFC 9420 section 7.8: while the right half has no member, it goes.
void RatchetTree::trim() {
  while (leaf_count() > 1) {
    const std::uint32_t half = leaf_count() / 2;
    for (std::uint32_t i = half; i < 2 * half; ++i) {
      if (leaf(LeafIndex{i})) return;
    }
    nodes_.resize(tree_math::node_count(half));
  }
}

}  // namespace sealwire::mls

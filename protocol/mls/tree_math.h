// Array-based trees (RFC 9420 appendix C): where in the array the relatives of a node are. Trees
// are full: the number of leaves is a power of two.
#pragma once

#include <bit>
#include <vector>

#include "protocol/mls/identity.h"

namespace sealwire::mls {

/// Position in the array; leaves are the even ones.
enum class NodeIndex : std::uint32_t {};
constexpr std::uint32_t value(NodeIndex node) {
  return static_cast<std::uint32_t>(node);
}
constexpr NodeIndex to_node(LeafIndex leaf) {
  return NodeIndex{2 * value(leaf)};
}
constexpr LeafIndex to_leaf(NodeIndex node) {
  return LeafIndex{value(node) / 2};
}

namespace tree_math {

constexpr bool is_leaf(NodeIndex node) {
  return (value(node) & 1) == 0;
}
/// 0 for leaves.
constexpr std::uint32_t level(NodeIndex node) {
  return static_cast<std::uint32_t>(std::countr_one(value(node)));
}
constexpr std::uint32_t node_count(std::uint32_t leaves) {
  return leaves == 0 ? 0 : 2 * leaves - 1;
}
constexpr NodeIndex root(std::uint32_t leaves) {
  return NodeIndex{std::bit_ceil(leaves) - 1};
}
/// The children of a node that is no leaf.
constexpr NodeIndex left(NodeIndex node) {
  return NodeIndex{value(node) ^ (std::uint32_t{1} << (level(node) - 1))};
}
constexpr NodeIndex right(NodeIndex node) {
  return NodeIndex{value(node) ^ (std::uint32_t{3} << (level(node) - 1))};
}
/// The parent and the sibling of a node that is not the root.
constexpr NodeIndex parent(NodeIndex node) {
  const std::uint32_t bit = std::uint32_t{1} << level(node);
  return NodeIndex{(value(node) | bit) & ~(bit << 1)};
}
constexpr NodeIndex sibling(NodeIndex node) {
  const NodeIndex above = parent(node);
  return node < above ? right(above) : left(above);
}
/// Whether `node` is `ancestor` or below it.
constexpr bool in_subtree(NodeIndex node, NodeIndex ancestor) {
  const std::uint32_t span = (std::uint32_t{1} << level(ancestor)) - 1;
  return value(node) + span >= value(ancestor) && value(node) <= value(ancestor) + span;
}
/// From the parent of `leaf` to the root (section 4.1.2).
std::vector<NodeIndex> direct_path(LeafIndex leaf, std::uint32_t leaves);
/// The lowest node that is above (or is) both.
NodeIndex common_ancestor(LeafIndex a, LeafIndex b);

}  // namespace tree_math
}  // namespace sealwire::mls

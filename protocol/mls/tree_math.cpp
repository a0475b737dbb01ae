#include "protocol/mls/tree_math.h"

namespace sealwire::mls::tree_math {

std::vector<NodeIndex> direct_path(LeafIndex leaf, std::uint32_t leaves) {
  std::vector<NodeIndex> path;
  const NodeIndex top = root(leaves);
  for (NodeIndex node = to_node(leaf); node != top;) {
    node = parent(node);
    path.push_back(node);
  }
  return path;
}

NodeIndex common_ancestor(LeafIndex a, LeafIndex b) {
  NodeIndex node = to_node(a);
  while (!in_subtree(to_node(b), node))
    node = parent(node);
  return node;
}

}  // namespace sealwire::mls::tree_math

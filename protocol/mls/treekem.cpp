#include "protocol/mls/treekem.h"

namespace sealwire::mls {
namespace {

std::vector<NodeIndex> resolution_without(const RatchetTree& tree, NodeIndex node,
                                          const std::vector<LeafIndex>& added) {
  auto nodes = tree.resolution(node);
  std::erase_if(nodes, [&added](NodeIndex candidate) {
    return tree_math::is_leaf(candidate) && std::ranges::count(added, to_leaf(candidate)) > 0;
  });
  return nodes;
}

// Section 7.9: from the root down, each node carries the hash of the one above it. Returns what the
// leaf has to carry.
Bytes set_parent_hashes(RatchetTree& tree, const std::vector<PathStep>& steps,
                        const std::vector<ByteSpan>& keys) {
  Bytes above;
  for (std::size_t i = steps.size(); i-- > 0;) {
    tree.set_parent(steps[i].node, {to_bytes(keys[i]), above, {}});
    above = to_bytes(tree.parent_hash(steps[i].node, steps[i].copath));
  }
  return above;
}

}  // namespace

crypto::AgreementKey node_key_pair(const KdfSecret& path_secret) {
  return crypto::hpke::derive_key_pair(derive_secret(path_secret.span(), "node").span());
}

KdfSecret next_path_secret(const KdfSecret& path_secret) {
  return derive_secret(path_secret.span(), "path");
}

TreePrivate::TreePrivate(LeafIndex self, Secret<32> leaf_key) : self_(self) {
  set_leaf_key(std::move(leaf_key));
}

TreePrivate TreePrivate::clone() const {
  TreePrivate copy;
  copy.self_ = self_;
  for (const auto& [node, key] : keys_)
    copy.keys_[node] = {key.secret.clone(), key.public_key};
  return copy;
}

const crypto::AgreementKey* TreePrivate::key(NodeIndex node) const {
  const auto found = keys_.find(node);
  return found == keys_.end() ? nullptr : &found->second;
}

void TreePrivate::set_leaf_key(Secret<32> key) {
  set_key(to_node(self_), crypto::AgreementKey::from_secret(std::move(key)));
}

void TreePrivate::set_key(NodeIndex node, crypto::AgreementKey key) {
  keys_.insert_or_assign(node, std::move(key));
}

Result<KdfSecret> TreePrivate::implant(const RatchetTree& tree, LeafIndex sender, NodeIndex node,
                                       const KdfSecret& path_secret) {
  KdfSecret secret = path_secret.clone();
  for (const PathStep& step : tree.filtered_direct_path(sender)) {
    if (!tree_math::in_subtree(node, step.node)) continue;
    auto pair = node_key_pair(secret);
    if (!std::ranges::equal(pair.public_key, tree.encryption_key(step.node)))
      return fail(Errc::mls_tree_invalid, "a path secret does not give its node's key");
    set_key(step.node, std::move(pair));
    secret = next_path_secret(secret);
  }
  return secret;
}

void TreePrivate::prune(const RatchetTree& tree) {
  std::erase_if(keys_, [&tree](const auto& entry) {
    return value(entry.first) >= tree_math::node_count(tree.leaf_count()) ||
           !std::ranges::equal(tree.encryption_key(entry.first), entry.second.public_key);
  });
}

void TreePrivate::write(Writer& writer) const {
  writer.put(self_);
  writer.vector([&] {
    for (const auto& [node, key] : keys_)
      writer.put(node, key.secret);
  });
}

bool TreePrivate::read(Reader& reader) {
  ByteSpan entries;
  if (!reader.get(self_) || !reader.opaque(entries)) return false;
  Reader inner = reader.inside(entries);
  while (!inner.empty()) {
    NodeIndex node{};
    Secret<32> secret;
    if (!inner.get(node, secret)) return false;
    set_key(node, crypto::AgreementKey::from_secret(std::move(secret)));
  }
  return true;
}

CreatedPath create_path(RatchetTree& tree, TreePrivate& keys, LeafNode leaf, ByteSpan group_id,
                        const crypto::SigningKey& signing_key, Random& random) {
  const LeafIndex self = keys.self();
  CreatedPath path;
  tree.blank_path(self);
  path.steps = tree.filtered_direct_path(self);
  KdfSecret secret = random.secret<kHashBytes>();
  std::vector<crypto::AgreementKey> pairs;
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    pairs.push_back(node_key_pair(secret));
    path.path_secrets.push_back(secret.clone());
    secret = next_path_secret(secret);
  }
  path.commit_secret = std::move(secret);

  std::vector<ByteSpan> public_keys;
  public_keys.reserve(pairs.size());
  for (const auto& pair : pairs)
    public_keys.emplace_back(pair.public_key);
  auto leaf_key = crypto::AgreementKey::generate(random);
  leaf.encryption_key = to_bytes(leaf_key.public_key);
  leaf.source = LeafNodeSource::commit;
  leaf.lifetime = {};
  leaf.parent_hash = set_parent_hashes(tree, path.steps, public_keys);
  sign_leaf(leaf, signing_key, {group_id, self});
  path.leaf_node = leaf;
  tree.set_leaf(self, std::move(leaf));
  keys.set_key(to_node(self), std::move(leaf_key));
  for (std::size_t i = 0; i < pairs.size(); ++i)
    keys.set_key(path.steps[i].node, std::move(pairs[i]));
  keys.prune(tree);
  return path;
}

Result<UpdatePath> encrypt_path(const RatchetTree& tree, const CreatedPath& path,
                                const std::vector<LeafIndex>& added, ByteSpan group_context,
                                Random& random) {
  UpdatePath result;
  result.leaf_node = path.leaf_node;
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    UpdatePathNode& node = result.nodes.emplace_back();
    node.encryption_key = to_bytes(tree.encryption_key(path.steps[i].node));
    for (const NodeIndex recipient : resolution_without(tree, path.steps[i].copath, added)) {
      SW_TRY(auto ciphertext,
             encrypt_with_label(tree.encryption_key(recipient), "UpdatePathNode", group_context,
                                path.path_secrets[i].span(), random));
      node.encrypted_path_secret.push_back(std::move(ciphertext));
    }
  }
  return result;
}

Result<> merge_path(RatchetTree& tree, LeafIndex sender, const UpdatePath& path) {
  tree.blank_path(sender);
  const auto steps = tree.filtered_direct_path(sender);
  if (steps.size() != path.nodes.size())
    return fail(Errc::mls_tree_invalid, "update path is not as long as the filtered direct path");
  std::vector<ByteSpan> keys;
  for (const UpdatePathNode& node : path.nodes)
    keys.emplace_back(node.encryption_key);
  const Bytes expected = set_parent_hashes(tree, steps, keys);
  if (expected != path.leaf_node.parent_hash)
    return fail(Errc::mls_tree_invalid, "parent hash of the committer's leaf");
  tree.set_leaf(sender, path.leaf_node);
  return tree.verify_keys_unique();
}

Result<KdfSecret> decrypt_path(const RatchetTree& tree, TreePrivate& keys, LeafIndex sender,
                               const UpdatePath& path, const std::vector<LeafIndex>& added,
                               ByteSpan group_context) {
  const auto steps = tree.filtered_direct_path(sender);
  const NodeIndex self = to_node(keys.self());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!tree_math::in_subtree(self, steps[i].copath)) continue;
    const auto recipients = resolution_without(tree, steps[i].copath, added);
    if (recipients.size() != path.nodes[i].encrypted_path_secret.size())
      return fail(Errc::mls_tree_invalid, "not one ciphertext for each node of the resolution");
    for (std::size_t j = 0; j < recipients.size(); ++j) {
      const crypto::AgreementKey* key = keys.key(recipients[j]);
      if (!key) continue;
      SW_TRY(const auto opened, decrypt_with_label(*key, "UpdatePathNode", group_context,
                                                   path.nodes[i].encrypted_path_secret[j]));
      const auto secret = KdfSecret::from(opened.span());
      if (!secret) return fail(Errc::mls_undecryptable, "a path secret of wrong length");
      SW_TRY(auto commit_secret, keys.implant(tree, sender, steps[i].node, *secret));
      keys.prune(tree);
      return commit_secret;
    }
    return fail(Errc::mls_undecryptable, "no path secret for us");
  }
  return fail(Errc::mls_undecryptable, "the path does not reach us");
}

const KdfSecret* path_secret_for(const CreatedPath& path, LeafIndex leaf) {
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    if (tree_math::in_subtree(to_node(leaf), path.steps[i].node)) return &path.path_secrets[i];
  }
  return nullptr;
}

}  // namespace sealwire::mls

// TreeKEM (RFC 9420 sections 7.4 to 7.6): a member renews its path, the others learn the secrets of
// the nodes above them.
#pragma once

#include <map>

#include "protocol/mls/ratchet_tree.h"

namespace sealwire::mls {

// struct { HPKEPublicKey encryption_key; HPKECiphertext encrypted_path_secret<V>; } UpdatePathNode;
struct UpdatePathNode {
  Bytes encryption_key;
  std::vector<HpkeCiphertext> encrypted_path_secret;
  SW_MLS_FIELDS(encryption_key, encrypted_path_secret)
};

// struct { LeafNode leaf_node; UpdatePathNode nodes<V>; } UpdatePath;
struct UpdatePath {
  LeafNode leaf_node;
  std::vector<UpdatePathNode> nodes;
  SW_MLS_FIELDS(leaf_node, nodes)
};

/// The private keys that one member knows: its leaf's and those of parent nodes above it.
class TreePrivate {
 public:
  TreePrivate() = default;
  TreePrivate(LeafIndex self, Secret<32> leaf_key);
  TreePrivate clone() const;

  LeafIndex self() const { return self_; }
  const crypto::AgreementKey* key(NodeIndex node) const;
  void set_leaf_key(Secret<32> key);
  void set_key(NodeIndex node, crypto::AgreementKey key);
  /// Sets the keys of `path_secret` at `node` and upwards along our filtered direct path. Returns
  /// the commit secret. Fails with `mls_tree_invalid` where a key is not that of the tree.
  Result<KdfSecret> implant(const RatchetTree& tree, LeafIndex sender, NodeIndex node,
                            const KdfSecret& path_secret);
  /// Forgets the keys of nodes that are blank in `tree` or have another public key there.
  void prune(const RatchetTree& tree);

  void write(Writer& writer) const;
  bool read(Reader& reader);

 private:
  LeafIndex self_{};
  std::map<NodeIndex, crypto::AgreementKey> keys_;
};

/// "node" and "path" of section 7.4.
crypto::AgreementKey node_key_pair(const KdfSecret& path_secret);
KdfSecret next_path_secret(const KdfSecret& path_secret);

/// A path that a committer made: `tree` and `keys` were changed to those of the new epoch, and
/// encrypt_path() follows once the new tree hash is in the group context.
struct CreatedPath {
  LeafNode leaf_node;
  std::vector<PathStep> steps;
  std::vector<KdfSecret> path_secrets;  // of each step
  KdfSecret commit_secret;
};
/// `leaf` is the committer's own leaf before; it gets a new encryption key, a parent hash and a
/// signature.
CreatedPath create_path(RatchetTree& tree, TreePrivate& keys, LeafNode leaf, ByteSpan group_id,
                        const crypto::SigningKey& signing_key, Random& random);
/// Encrypts each path secret to the resolution beside it, leaving out the `added` leaves.
Result<UpdatePath> encrypt_path(const RatchetTree& tree, const CreatedPath& path,
                                const std::vector<LeafIndex>& added, ByteSpan group_context,
                                Random& random);

/// Puts another's path into `tree`; checks its length, its keys and its parent hashes. The leaf
/// itself was validated before.
Result<> merge_path(RatchetTree& tree, LeafIndex sender, const UpdatePath& path);
/// Finds and decrypts our path secret of a merged path; returns the commit secret.
Result<KdfSecret> decrypt_path(const RatchetTree& tree, TreePrivate& keys, LeafIndex sender,
                               const UpdatePath& path, const std::vector<LeafIndex>& added,
                               ByteSpan group_context);
/// The path secret at the lowest step that is also above `leaf`: what its Welcome carries.
const KdfSecret* path_secret_for(const CreatedPath& path, LeafIndex leaf);

}  // namespace sealwire::mls

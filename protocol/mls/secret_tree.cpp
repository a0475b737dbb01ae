#include "protocol/mls/secret_tree.h"

namespace sealwire::mls {
namespace {

constexpr std::uint32_t kLastGeneration = 0xffffffff;

// DeriveTreeSecret (section 9): the context is the generation as uint32.
void derive_tree_secret(const KdfSecret& secret, std::string_view label, std::uint32_t generation,
                        std::span<std::uint8_t> out) {
  const std::uint8_t context[] = {
      static_cast<std::uint8_t>(generation >> 24), static_cast<std::uint8_t>(generation >> 16),
      static_cast<std::uint8_t>(generation >> 8), static_cast<std::uint8_t>(generation)};
  expand_with_label(secret.span(), label, context, out);
}

MessageKey message_key(const KdfSecret& secret, std::uint32_t generation) {
  MessageKey key;
  key.generation = generation;
  derive_tree_secret(secret, "key", generation, key.key.mutable_span());
  derive_tree_secret(secret, "nonce", generation, key.nonce);
  return key;
}

KdfSecret next_secret(const KdfSecret& secret, std::uint32_t generation) {
  KdfSecret next;
  derive_tree_secret(secret, "secret", generation, next.mutable_span());
  return next;
}

}  // namespace

Result<MessageKey> Ratchet::next() {
  if (exhausted_) return fail(Errc::mls_limit, "all generations are used");
  MessageKey key = message_key(secret_, generation_);
  secret_ = next_secret(secret_, generation_);
  exhausted_ = generation_ == kLastGeneration;
  ++generation_;
  return key;
}

Result<> Ratchet::skip_to(std::uint32_t generation) {
  if (generation < generation_ || exhausted_)
    return fail(Errc::mls_generation_used, "a ratchet does not go back");
  if (generation - generation_ > limits::kRatchetForward) return fail(Errc::mls_generation_too_far);
  for (; generation_ < generation; ++generation_)
    secret_ = next_secret(secret_, generation_);
  return {};
}

Result<Ratchet::Found> Ratchet::find(std::uint32_t generation) const {
  Found found;
  if (generation < generation_ || exhausted_) {
    const auto kept = std::ranges::find(skipped_, generation, &MessageKey::generation);
    if (kept == skipped_.end()) return fail(Errc::mls_generation_used);
    found.key = {generation, kept->key.clone(), kept->nonce};
    return found;
  }
  const std::uint32_t distance = generation - generation_;
  if (distance > limits::kRatchetForward) return fail(Errc::mls_generation_too_far);
  KdfSecret secret = secret_.clone();
  for (std::uint32_t at = generation_; at < generation; ++at) {
    if (generation - at <= limits::kSkippedKeysPerSender)
      found.skipped.push_back(message_key(secret, at));
    secret = next_secret(secret, at);
  }
  found.key = message_key(secret, generation);
  found.secret_after = next_secret(secret, generation);
  return found;
}

void Ratchet::use(Found found) {
  if (!found.secret_after) {
    std::erase_if(skipped_,
                  [&](const MessageKey& k) { return k.generation == found.key.generation; });
    return;
  }
  for (MessageKey& key : found.skipped)
    skipped_.push_back(std::move(key));
  while (skipped_.size() > limits::kSkippedKeysPerSender)
    skipped_.pop_front();
  secret_ = std::move(*found.secret_after);
  exhausted_ = found.key.generation == kLastGeneration;
  generation_ = found.key.generation + 1;
}

void Ratchet::write(Writer& writer) const {
  writer.put(secret_, generation_, exhausted_);
  writer.vector([&] {
    for (const MessageKey& key : skipped_)
      writer.put(key);
  });
}

bool Ratchet::read(Reader& reader) {
  ByteSpan keys;
  if (!reader.get(secret_, generation_, exhausted_) || !reader.opaque(keys)) return false;
  Reader inner = reader.inside(keys);
  while (!inner.empty()) {
    if (!inner.get(skipped_.emplace_back())) return false;
  }
  return skipped_.size() <= limits::kSkippedKeysPerSender;
}

SecretTree::SecretTree(std::uint32_t leaves, KdfSecret encryption_secret) : leaves_(leaves) {
  nodes_.emplace(tree_math::root(leaves), std::move(encryption_secret));
}

void SecretTree::split_towards(LeafIndex leaf) {
  const NodeIndex target = to_node(leaf);
  NodeIndex node = tree_math::root(leaves_);
  while (!tree_math::is_leaf(node)) {
    const NodeIndex left = tree_math::left(node);
    const NodeIndex right = tree_math::right(node);
    if (const auto found = nodes_.find(node); found != nodes_.end()) {
      const ByteSpan secret = found->second.span();
      nodes_.emplace(left, expand_with_label(secret, "tree", as_bytes("left")));
      nodes_.emplace(right, expand_with_label(secret, "tree", as_bytes("right")));
      nodes_.erase(found);
    }
    node = target < node ? left : right;
  }
}

Ratchet& SecretTree::ratchet(LeafIndex leaf, RatchetType type) {
  const auto found = ratchets_.find({leaf, type});
  if (found != ratchets_.end()) return found->second;
  split_towards(leaf);
  const auto secret = nodes_.extract(to_node(leaf));
  const ByteSpan leaf_secret = secret.mapped().span();
  ratchets_.emplace(std::pair{leaf, RatchetType::handshake},
                    Ratchet(expand_with_label(leaf_secret, "handshake", {})));
  ratchets_.emplace(std::pair{leaf, RatchetType::application},
                    Ratchet(expand_with_label(leaf_secret, "application", {})));
  return ratchets_.at({leaf, type});
}

const Ratchet* SecretTree::existing(LeafIndex leaf, RatchetType type) const {
  const auto found = ratchets_.find({leaf, type});
  return found == ratchets_.end() ? nullptr : &found->second;
}

void SecretTree::write(Writer& writer) const {
  writer.put(leaves_);
  writer.vector([&] {
    for (const auto& [node, secret] : nodes_)
      writer.put(node, secret);
  });
  writer.vector([&] {
    for (const auto& [key, ratchet] : ratchets_)
      writer.put(key.first, key.second, ratchet);
  });
}

bool SecretTree::read(Reader& reader) {
  ByteSpan nodes;
  ByteSpan ratchets;
  if (!reader.get(leaves_) || leaves_ > limits::kTreeLeaves ||
      (leaves_ != 0 && !std::has_single_bit(leaves_)) || !reader.opaque(nodes) ||
      !reader.opaque(ratchets))
    return false;
  Reader node_reader = reader.inside(nodes);
  while (!node_reader.empty()) {
    NodeIndex node{};
    KdfSecret secret;
    if (!node_reader.get(node, secret)) return false;
    nodes_.insert_or_assign(node, std::move(secret));
  }
  Reader ratchet_reader = reader.inside(ratchets);
  while (!ratchet_reader.empty()) {
    LeafIndex leaf{};
    RatchetType type{};
    Ratchet ratchet;
    if (!ratchet_reader.get(leaf, type, ratchet)) return false;
    ratchets_.insert_or_assign({leaf, type}, std::move(ratchet));
  }
  return true;
}

}  // namespace sealwire::mls

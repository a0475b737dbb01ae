// The secret tree and the ratchets that grow from its leaves (RFC 9420 section 9): one key a
// message.
#pragma once

#include <deque>
#include <map>

#include "protocol/mls/suite.h"
#include "protocol/mls/tree_math.h"

namespace sealwire::mls {

enum class RatchetType : std::uint8_t { handshake = 1, application = 2 };

/// Key and nonce of one message; used once.
struct MessageKey {
  std::uint32_t generation{};
  Secret<32> key;
  std::array<std::uint8_t, 12> nonce{};
  SW_MLS_FIELDS(generation, key, nonce)
};

/// The keys of one sender, in order. A key that was jumped over is kept for when its message comes.
class Ratchet {
 public:
  Ratchet() = default;
  explicit Ratchet(KdfSecret secret) : secret_(std::move(secret)) {}

  /// The generation of the next key.
  std::uint32_t generation() const { return generation_; }
  /// Fails with `mls_limit` when all generations are used.
  Result<MessageKey> next();
  /// Leaves out the keys before `generation`, for good.
  Result<> skip_to(std::uint32_t generation);

  /// A key that was found, and how the ratchet is to look once its message proved genuine.
  struct Found {
    MessageKey key;
    std::optional<KdfSecret> secret_after;  // none: it was a skipped key
    std::vector<MessageKey> skipped;
  };
  /// Changes nothing. Fails with `mls_generation_used` or `mls_generation_too_far`.
  Result<Found> find(std::uint32_t generation) const;
  /// Erases the key that find() gave.
  void use(Found found);

  std::size_t skipped_count() const { return skipped_.size(); }
  void write(Writer& writer) const;
  bool read(Reader& reader);

 private:
  KdfSecret secret_;
  std::uint32_t generation_ = 0;
  bool exhausted_ = false;
  std::deque<MessageKey> skipped_;  // ascending
};

class SecretTree {
 public:
  SecretTree() = default;
  SecretTree(std::uint32_t leaves, KdfSecret encryption_secret);

  std::uint32_t leaves() const { return leaves_; }
  /// The ratchet of a leaf inside the tree; the secrets above it are split and erased on the way.
  Ratchet& ratchet(LeafIndex leaf, RatchetType type);
  /// Null where nothing was ever asked of it.
  const Ratchet* existing(LeafIndex leaf, RatchetType type) const;

  void write(Writer& writer) const;
  bool read(Reader& reader);

 private:
  void split_towards(LeafIndex leaf);

  std::uint32_t leaves_ = 0;
  std::map<NodeIndex, KdfSecret> nodes_;
  std::map<std::pair<LeafIndex, RatchetType>, Ratchet> ratchets_;
};

}  // namespace sealwire::mls

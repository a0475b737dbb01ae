// A group of MLS (RFC 9420) as one member sees it: create, join, commit, seal, open, persist.
// Sans-I/O: randomness and time are arguments, what must be remembered is handed out as bytes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/crypto/crypto.h"
#include "protocol/mls/identity.h"
#include "protocol/mls/key_package.h"
#include "protocol/mls/padding.h"

namespace sealwire::mls {

/// Which pre-shared key is meant (RFC 9420 section 8.4), without its nonce.
struct PskName {
  enum class Kind : std::uint8_t { external = 1, resumption = 2 };
  Kind kind = Kind::external;
  Bytes id;               ///< external: psk_id; resumption: group_id
  std::uint64_t epoch{};  ///< resumption only
};
/// Returns the key, or nothing where it is not known. Resumption keys of this very group are found
/// by the group itself.
using PskLookup = std::function<std::optional<SecretBytes>(const PskName&)>;

/// What of external commits (RFC 9420 section 12.4.3.2) a group accepts.
enum class ExternalCommits : std::uint8_t {
  refuse,
  resync_only,  ///< it removes the sender's own former leaf and carries a resumption PSK
  allow,
};

/// The application's part in validation; kept by the group, called only inside its methods.
struct Policy {
  CredentialValidator validator;  ///< required: without one, create/join/deserialize fail
  PskLookup psk_lookup;           ///< may be empty: no external PSK is known then
  ExternalCommits external_commits = ExternalCommits::refuse;
};

struct Member {
  LeafIndex leaf{};
  LeafIdentity identity;
};

/// What a commit is to do. Cached proposals of others in this epoch are always included, except
/// those which are no longer valid and those that would remove or update the committer.
struct CommitSpec {
  std::vector<Bytes> adds{};  ///< key packages, as MLSMessage
  std::vector<LeafIndex> removes{};
  std::vector<Bytes> external_psks{};            ///< psk_ids, found by the policy's lookup
  std::vector<std::uint64_t> resumption_psks{};  ///< epochs of this group, current or kept
  std::optional<std::vector<Extension>> group_context_extensions{};
  bool force_path = true;  ///< also where RFC 9420 section 12.4 would let it be left out
};

/// What the Delivery Service is asked to accept. Until it answers, the group keeps the next epoch
/// beside the current one.
struct PendingCommit {
  Bytes commit;                  ///< MLSMessage, PublicMessage
  std::optional<Bytes> welcome;  ///< MLSMessage; one for all added members
  Bytes group_info;              ///< MLSMessage; with ratchet_tree and external_pub extensions
  std::uint64_t epoch{};         ///< that the commit ends; the new one is this + 1
};

struct Opened {
  Bytes plaintext;
  Bytes authenticated_data;
  LeafIndex sender{};
  InstanceKey sender_key;  ///< of the sender's leaf in the message's own epoch
  std::uint32_t generation{};
  std::uint64_t epoch{};
};

struct Sealed {
  Bytes message;  ///< MLSMessage, PrivateMessage
  std::uint32_t generation{};
  std::uint64_t epoch{};
};

struct Processed {
  enum class Kind : std::uint8_t { proposal, commit };
  Kind kind = Kind::proposal;
  std::optional<LeafIndex> sender;  ///< none: someone who is not (yet) a member
  Bytes authenticated_data;
  bool own = false;           ///< the pending commit of ours, now applied
  bool self_removed = false;  ///< the group is closed to us: every later call fails
  std::vector<Member> added;
  std::vector<Member> removed;
};

/// What everyone may read of a message for a group.
struct MessageInfo {
  enum class Content : std::uint8_t { application = 1, proposal = 2, commit = 3 };
  Bytes group_id;
  std::uint64_t epoch{};
  Content content = Content::application;
  bool encrypted = false;
  std::optional<LeafIndex> sender;  ///< only in a PublicMessage of a member
  Bytes authenticated_data;
};
/// Reads a PublicMessage or PrivateMessage without any secret. Nothing of it is verified.
Result<MessageInfo> peek(ByteSpan message);

/// The references of the key packages that a Welcome is for (which bundle to join with).
Result<std::vector<Bytes>> welcome_recipients(ByteSpan welcome);

struct GroupState;  // group_state.h

/// One member's view of one group. Movable, not copyable; used by one thread at a time. Every
/// method either succeeds or leaves the state as it was. Errors are those of the stage "end-to-end
/// encryption" in error.h.
class Group {
 public:
  Group(Group&&) noexcept;
  Group& operator=(Group&&) noexcept;
  ~Group();

  /// A new group with one member: `identity` (the basic credential) under `signing_key`.
  static Result<Group> create(ByteSpan group_id, const crypto::SigningKey& signing_key,
                              ByteSpan identity, Policy policy, Random& random, UnixMillis now);
  /// Joins by a Welcome (MLSMessage) with the bundle it names. `ratchet_tree` only where the
  /// Welcome does not carry the tree itself.
  static Result<Group> join(ByteSpan welcome, const KeyPackageBundle& bundle,
                            const crypto::SigningKey& signing_key, Policy policy,
                            std::optional<ByteSpan> ratchet_tree = std::nullopt);

  /// A member's way back: an external commit from a GroupInfo (MLSMessage) of the current epoch.
  /// The caller sends `commit`, and on acceptance uses the group; on refusal drops it. `removes`
  /// is the former leaf of the same identity; `resumption` a PSK of an epoch both sides knew.
  struct ExternalJoin;
  static Result<ExternalJoin> join_externally(
      ByteSpan group_info, const crypto::SigningKey& signing_key, ByteSpan identity, Policy policy,
      std::optional<LeafIndex> removes, std::optional<std::uint64_t> resumption_epoch,
      ByteSpan authenticated_data, Random& random, UnixMillis now);

  // --- the state that all members agree on
  ByteSpan group_id() const;
  std::uint64_t epoch() const;
  LeafIndex own_leaf() const;
  std::vector<Member> members() const;
  const std::vector<Extension>& extensions() const;
  bool active() const;  ///< false once a commit removed us
  /// Equal for all members of an epoch that saw the same history (RFC 9420 section 8.7).
  Secret<32> epoch_authenticator() const;
  /// MLS-Exporter (RFC 9420 section 8.5).
  Result<SecretBytes> export_secret(std::string_view label, ByteSpan context,
                                    std::size_t size) const;
  /// For use as a PSK of another group.
  Secret<32> resumption_psk() const;
  /// GroupInfo (MLSMessage) of the current epoch, signed by us.
  Result<Bytes> group_info() const;

  // --- messages
  /// Seals for the current epoch; `pad` maps the size of the encrypted content to the size to
  /// which it is filled up with zeros.
  Result<Sealed> seal(ByteSpan plaintext, ByteSpan authenticated_data, Random& random,
                      PaddingFunction pad = &padme);
  /// Opens an application message of the current epoch or one of the kept past ones. The ratchet
  /// key is used up only when AEAD and signature were right.
  Result<Opened> open(ByteSpan message);
  /// The generation of the next message that we seal.
  std::uint32_t own_generation() const;
  /// Makes `generation` the next one, leaving out those before it (after a restart, when it is not
  /// known which of a reserved block were used). Never goes back.
  Result<> skip_own_generations(std::uint32_t generation);
  /// Forgets all but the newest `keep` past epochs.
  void forget_past_epochs(std::size_t keep);

  // --- proposals and commits. All come out as MLSMessage with a PublicMessage.
  Result<Bytes> propose_add(ByteSpan key_package, ByteSpan authenticated_data, UnixMillis now);
  Result<Bytes> propose_update(ByteSpan authenticated_data, Random& random);
  Result<Bytes> propose_remove(LeafIndex leaf, ByteSpan authenticated_data);
  /// Prepares the next epoch and replaces an earlier pending commit.
  Result<PendingCommit> commit(const CommitSpec& spec, ByteSpan authenticated_data, Random& random,
                               UnixMillis now);
  bool has_pending() const;
  /// The commit of ours that waits for the Delivery Service's answer; empty when none does.
  ByteSpan pending_commit() const;
  /// The Delivery Service took our commit: enter its epoch.
  Result<> apply_pending();
  void discard_pending();
  /// Takes a proposal or a commit of the current epoch. Another's commit discards the pending one;
  /// the very bytes of the pending one apply it.
  Result<Processed> process(ByteSpan message);

  // --- persistence. Secret: seal what you store.
  /// The whole state, the pending commit included, without the signing key and the policy.
  SecretBytes serialize() const;
  /// Only what seal() and open() change, for every epoch whose messages can be opened.
  SecretBytes serialize_ratchets() const;
  /// `ratchets`, where given, is of the same epoch as `state` and at least as new.
  static Result<Group> deserialize(ByteSpan state, std::optional<ByteSpan> ratchets,
                                   const crypto::SigningKey& signing_key, Policy policy);

 private:
  explicit Group(std::unique_ptr<GroupState> state);
  std::unique_ptr<GroupState> state_;
};

struct Group::ExternalJoin {
  Group group;
  Bytes commit;  ///< MLSMessage, PublicMessage
};

}  // namespace sealwire::mls

// What the broker keeps on disk: one interface, one test suite (tests/broker/store_suite.h). The
// router decides what is written; a store only writes it down, whole batch or nothing.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "protocol/envelope/header.h"
#include "protocol/identity/inception.h"
#include "protocol/schema/frame_generated.h"

namespace sealwire::broker {

using wire::Contact;

/// Small names given by the router, never used twice in one store; 0 is none.
using AgentNumber = std::uint64_t;
using ItemNumber = std::uint64_t;

/// Bytes shared by a batch, a live delivery and nobody else: the body is not copied on its way.
using SharedBytes = std::shared_ptr<const Bytes>;

struct MailboxState {
  std::uint64_t last = 0;         // sequence of the newest entry; entries are gap-free from 1
  std::uint64_t acked = 0;        // entries up to here are gone
  std::uint64_t bytes_last = 0;   // of all items ever put, the entry `last` included
  std::uint64_t bytes_acked = 0;  // of those up to `acked`
  std::uint64_t entries() const { return last - acked; }
  std::uint64_t bytes() const { return bytes_last - bytes_acked; }
  friend bool operator==(const MailboxState&, const MailboxState&) = default;
};

/// The pool is the packages numbered [first, next). Number 0 is the last resort.
struct KeyPackagePool {
  std::uint64_t first = 1;
  std::uint64_t next = 1;
  bool last_resort = false;
  std::uint64_t size() const { return next - first; }
  friend bool operator==(const KeyPackagePool&, const KeyPackagePool&) = default;
};

struct AgentState {
  MailboxState mailbox;
  KeyPackagePool pool;
  friend bool operator==(const AgentState&, const AgentState&) = default;
};

struct AgentRecord {
  AgentNumber number = 0;
  AgentIdentity identity;
  AgentState state;
  std::optional<SignedStatement> prekey;
};

struct ContactRecord {
  AgentNumber owner = 0;
  AgentId other;  // need not be known to the broker
  Contact contact = Contact::none;
  friend auto operator<=>(const ContactRecord&, const ContactRecord&) = default;
};

struct InviteRecord {
  InviteKey key;
  AgentNumber inviter = 0;
  UnixMillis expires;
  friend bool operator==(const InviteRecord&, const InviteRecord&) = default;
};

struct ConversationRecord {
  ConversationId id;
  std::uint32_t incarnation = 0;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;        // the last one given
  std::vector<AgentNumber> members;  // sorted
  friend bool operator==(const ConversationRecord&, const ConversationRecord&) = default;
};

/// What is left of an envelope when its body is gone; it still verifies.
struct Remains {
  Bytes header;
  Digest body_hash;
  Signature signature;
  friend bool operator==(const Remains&, const Remains&) = default;
};

/// The end of one sender's chain in a conversation, as its last accepted chained envelope shows it.
struct ChainHead {
  std::uint32_t incarnation = 0;
  std::uint64_t epoch = 0;
  std::uint64_t sender_seq = 0;
  Digest link;
  Remains last;
  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

/// Kept until `keep_until`, longer than the body: the same envelope again is recognised by it.
struct IdRecord {
  AgentNumber sender = 0;
  EnvelopeId id;
  Digest digest;
  std::uint64_t conversation_sequence = 0;
  UnixMillis keep_until;
  friend bool operator==(const IdRecord&, const IdRecord&) = default;
};

enum class ItemType : std::uint8_t { envelope = 1, tombstone = 2, refused = 3, redeemed = 4 };

/// A waiting mailbox entry together with its item.
struct MailboxEntry {
  AgentNumber owner = 0;
  std::uint64_t sequence = 0;
  std::uint64_t conversation_sequence = 0;
  std::uint64_t bytes_total = 0;  // as `PutEntry` gave it
  ItemNumber item = 0;
  ItemType type = ItemType::envelope;
  AgentNumber sender = 0;  // 0 for what the broker itself says
  UnixMillis expires;      // zero: does not expire
  SharedBytes bytes;       // as `PutItem` or `Bury` gave them
};

// --- what a batch may contain ------------------------------------------------------------------
// Ops are applied in order. A row that is there is replaced unless said otherwise.

struct PutAgent {
  AgentNumber number = 0;
  AgentIdentity identity;  // new; its state is AgentState{}
};
struct PutAgentState {
  AgentNumber number = 0;
  AgentState state;
};
struct PutPrekey {
  AgentNumber number = 0;
  SignedStatement prekey;
};
struct PutContact {
  ContactRecord contact;  // Contact::none removes it
};
struct PutInvite {
  InviteRecord invite;
};
struct DropInvite {
  InviteKey key;
};
struct PutKeyPackage {
  AgentNumber agent = 0;
  std::uint64_t number = 0;  // 0 replaces the last resort
  Bytes key_package;
};
struct DropKeyPackages {
  AgentNumber agent = 0;
  std::uint64_t before = 0;  // removes 1 … before - 1; never the last resort
};
struct PutConversation {
  ConversationRecord conversation;
};
struct PutChainHead {
  ConversationId conversation;
  AgentNumber sender = 0;
  ChainHead head;
};
struct PutId {
  IdRecord id;
};
/// An item, new and stored once. It lives as long as an entry refers to it; the batch that puts it
/// puts its entries too.
struct PutItem {
  ItemNumber number = 0;
  ItemType type = ItemType::envelope;
  AgentNumber sender = 0;
  UnixMillis expires;  // zero: does not expire
  SharedBytes bytes;
};
struct PutEntry {
  AgentNumber owner = 0;
  std::uint64_t sequence = 0;
  std::uint64_t conversation_sequence = 0;
  std::uint64_t bytes_total = 0;  // MailboxState::bytes_last after this entry
  ItemNumber item = 0;
};
struct DropEntries {
  AgentNumber owner = 0;
  std::uint64_t up_to = 0;  // this one too
};
/// The item's bytes become a tombstone's, its type `tombstone`, and it expires no more. An item
/// that has gone meanwhile is no error.
struct Bury {
  ItemNumber item = 0;
  SharedBytes tombstone;
};
/// Id records with keep_until < before go, the oldest first and at most `most` of them: a batch has
/// a bound, whatever a day has left behind.
struct ForgetIds {
  UnixMillis before;
  std::uint64_t most = 0;
};

/// Writes and changes nothing that anybody sees: whether there is room.
struct Probe {};

using StoreOp = std::variant<PutAgent, PutAgentState, PutPrekey, PutContact, PutInvite, DropInvite,
                             PutKeyPackage, DropKeyPackages, PutConversation, PutChainHead, PutId,
                             PutItem, PutEntry, DropEntries, Bury, ForgetIds, Probe>;

/// All small state, read once at start.
struct StoredState {
  BrokerIncarnation incarnation;  // made with the store; a restored backup gets a new one
  std::vector<AgentRecord> agents;
  std::vector<ContactRecord> contacts;
  std::vector<InviteRecord> invites;
  ItemNumber last_item = 0;  // the highest ever put
};

/// `commit` is called from one thread (the committer), every read from one other (the router); both
/// at the same time. Reads see committed batches only, and every batch whose commit has returned.
/// Errors: `store_full` when there is no room (trying again later may help), else `store_failed`.
class Store {
 public:
  virtual ~Store() = default;

  /// One transaction, on disk (fsync) before it returns. On an error nothing of it is visible.
  [[nodiscard]] virtual Result<> commit(std::span<const StoreOp> ops) = 0;

  [[nodiscard]] virtual Result<StoredState> load() = 0;
  /// One agent as committed; the router asks after a failed commit. Empty if it never was.
  [[nodiscard]] virtual Result<std::optional<AgentRecord>> read_agent(AgentNumber number) = 0;
  [[nodiscard]] virtual Result<std::vector<ContactRecord>> read_contacts(AgentNumber owner) = 0;
  [[nodiscard]] virtual Result<std::optional<InviteRecord>> read_invite(const InviteKey& key) = 0;
  [[nodiscard]] virtual Result<std::optional<ConversationRecord>> read_conversation(
      const ConversationId& id) = 0;
  [[nodiscard]] virtual Result<std::optional<ChainHead>> read_chain_head(const ConversationId& id,
                                                                         AgentNumber sender) = 0;
  [[nodiscard]] virtual Result<std::optional<IdRecord>> find_id(AgentNumber sender,
                                                                const EnvelopeId& id) = 0;
  /// The greatest id (bytewise; they are UUIDv7) kept of a sender: what is greater is new without a
  /// look-up. Empty if none is kept.
  [[nodiscard]] virtual Result<std::optional<EnvelopeId>> highest_id(AgentNumber sender) = 0;
  /// Entries after `after` in order: at most `entries_max`, and no more of them than have
  /// `bytes_max` bytes together, but at least one if there is one.
  [[nodiscard]] virtual Result<std::vector<MailboxEntry>> read_mailbox(AgentNumber owner,
                                                                       std::uint64_t after,
                                                                       std::size_t entries_max,
                                                                       std::size_t bytes_max) = 0;
  /// One waiting entry; empty if it was dropped.
  [[nodiscard]] virtual Result<std::optional<MailboxEntry>> read_entry(AgentNumber owner,
                                                                       std::uint64_t sequence) = 0;
  /// Number 0 is the last resort.
  [[nodiscard]] virtual Result<std::optional<Bytes>> read_key_package(AgentNumber agent,
                                                                      std::uint64_t number) = 0;
  /// Waiting items of type envelope that expire at or before `now`, oldest expiry first. Asked
  /// every few seconds.
  [[nodiscard]] virtual Result<std::vector<MailboxEntry>> read_expired(UnixMillis now,
                                                                       std::size_t items_max) = 0;
};

}  // namespace sealwire::broker

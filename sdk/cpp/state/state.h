// What an agent remembers: tables of sealed rows, written in transactions. The core decides what is
// in a row; a State only keeps it.
#pragma once

#include <functional>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/secret.h"

namespace sealwire::sdk {

/// The numbers are bound into what is sealed: they never change.
enum class Table : std::uint8_t {
  meta = 1,       // by name: resume cursor, pinned broker, pending redemption
  peers,          // by agent id
  conversations,  // by conversation id: who, chains; small, rewritten with every batch
  groups,         // by conversation id: MLS state of an epoch
  ratchets,       // by conversation id: what seal and open change of it
  openings,       // by conversation id: the incarnation being opened, not yet accepted
  outbox,         // by number: units to send
  inbox,          // by number: messages that the application has not acknowledged
  held,           // by number: envelopes that wait for their predecessor
  ids,            // sender ‖ id of letters: until they expire
  key_packages,   // by KeyPackageRef: private parts
  prekeys,        // by public key: secrets
  invites,        // by invite key: those we made
  nacks,          // by mailbox sequence: refusals that the broker may not have
  application,    // by name: the application's own
};

/// Up to 64 bytes, held inline.
class RowKey {
 public:
  RowKey(ByteSpan bytes);  // NOLINT(google-explicit-constructor)
  /// Numbered tables (outbox, inbox, held, nacks).
  RowKey(std::uint64_t number);  // NOLINT(google-explicit-constructor)
  ByteSpan span() const { return ByteSpan(bytes_).first(size_); }
  operator ByteSpan() const { return span(); }  // NOLINT(google-explicit-constructor)
  std::uint64_t number() const;

 private:
  std::array<std::uint8_t, 64> bytes_{};
  std::size_t size_ = 0;
};

bool is_numbered(Table table);

struct Op {
  Table table;
  RowKey key;
  std::optional<SecretBytes> value;  // none erases the row
};

/// Reads and writes inside one transaction.
class StateTransaction {
 public:
  virtual ~StateTransaction() = default;
  virtual Result<> apply(const Op& op) = 0;
  virtual Result<std::optional<SecretBytes>> fetch(Table table, const RowKey& key) = 0;
  /// Tables of the application's own, `app_…` only.
  virtual Result<> execute(
      std::string_view sql, std::span<const std::string> parameters,
      const std::function<void(const std::vector<std::optional<std::string>>&)>& row) = 0;
  /// Runs `body`; what it wrote is undone, and the transaction goes on, if it fails.
  virtual Result<> nested(const std::function<Result<>()>& body) = 0;
};

/// Any thread; one transaction at a time, others wait. Every write is on disk (fsync) when the call
/// returns. Errors: store_full, store_failed, state_corrupt, and state_locked once another process
/// has taken the state over.
class State {
 public:
  virtual ~State() = default;
  virtual Result<> commit(std::span<const Op> ops) = 0;
  /// Commits when `body` succeeds. The outermost caller sees its error otherwise.
  virtual Result<> transact(const std::function<Result<>(StateTransaction&)>& body) = 0;
  virtual Result<std::optional<SecretBytes>> read(Table table, const RowKey& key) = 0;
  /// Every row in the order of the keys. `row` must not call the State.
  virtual Result<> scan(Table table,
                        const std::function<Result<>(ByteSpan key, SecretBytes value)>& row) = 0;
};

}  // namespace sealwire::sdk

// What the core's parts have in common in one run: identity, time, and what the next flush will
// write and tell.
#pragma once

#include <atomic>

#include "protocol/crypto/crypto.h"
#include "protocol/identity/inception.h"
#include "sdk/cpp/core/event.h"
#include "sdk/cpp/state/state.h"

namespace sealwire::sdk {

struct Config {
  std::optional<BrokerKey> broker;
  bool trust_first_use = false;
  std::size_t window = 256;  // envelopes in flight
  std::size_t inbox_messages_max = 10'000;
  std::vector<std::string> endpoints;  // for the invites that we make
};

using Done = std::function<void(Result<>)>;

struct Shared {
  const crypto::SigningKey& key;
  AgentIdentity self;
  Config config;
  State& state;
  Random& random;
  UnixMillis now;
  std::atomic<std::uint64_t> next_unit = 1;  // numbers of outbox rows; any thread

  std::vector<Op> ops;        // committed by the next flush, before anything below is told
  std::vector<Event> events;  // told after it
  std::vector<std::function<void()>> completions;
  std::optional<Error> fatal;  // the agent must stop: going on would break a promise

  bool urgent = false;                   // `ops` must be on disk before anything is told
  std::optional<UnixMillis> lazy_since;  // something is to be written that can wait a little

  void write(Table table, RowKey row, SecretBytes value) {
    urgent = true;
    ops.push_back({table, row, std::move(value)});
  }
  void erase(Table table, RowKey row) {
    urgent = true;
    ops.push_back({table, row, std::nullopt});
  }
  /// For a row of which nothing worse comes than that something harmless happens again.
  void erase_lazily(Table table, RowKey row) {
    defer();
    ops.push_back({table, row, std::nullopt});
  }
  void defer() {
    if (!lazy_since) lazy_since = now;
  }
  void tell(Event event) { events.push_back(std::move(event)); }
  void notice(Notice::Kind kind, std::string detail, std::optional<Error> error = {},
              const AgentId* peer = nullptr, const MessageId* message = nullptr);
  void stop(Error error) {
    if (!fatal) fatal = std::move(error);
  }
  void after_flush(std::function<void()> completion) {
    completions.push_back(std::move(completion));
  }
};

}  // namespace sealwire::sdk

// Everything that the router thread owns, in one place, for the stages to work on.
#pragma once

#include "broker/conversation.h"
#include "broker/known_ids.h"
#include "broker/log_sink.h"
#include "broker/metrics.h"
#include "broker/session.h"

namespace sealwire::broker {

/// Outlives the router.
struct RouterParts {
  const crypto::SigningKey* key = nullptr;  // the broker's
  Store* store = nullptr;
  Random* random = nullptr;
  Metrics* metrics = nullptr;
  LogSink* log = nullptr;
};

struct Core {
  Core(RouterConfig config_, RouterParts parts, StoredState state)
      : config(std::move(config_)),
        key(*parts.key),
        store(*parts.store),
        random(*parts.random),
        metrics(*parts.metrics),
        log(*parts.log),
        incarnation(state.incarnation),
        next_item(state.last_item + 1),
        directory(std::move(state)),
        conversations(store, directory) {}
  Core(const Core&) = delete;

  RouterConfig config;
  const crypto::SigningKey& key;
  Store& store;
  Random& random;
  Metrics& metrics;
  LogSink& log;
  const BrokerIncarnation incarnation;

  ItemNumber next_item;
  Directory directory;
  Conversations conversations;
  Sessions sessions;
  KnownIds ids;
  Changes changes;                 // the open batch
  std::set<ItemNumber> burying;    // in the open batch or the committer's
  std::set<ConnectionId> backlog;  // sessions that may be delivered to from the store
  bool draining = false;

  UnixMillis now;   // of this step
  Outputs outputs;  // of this step

  Agent& agent_of(const Session& session) { return *directory.at(session.agent); }
};

/// Ends a session: Close is sent, the connection goes, the agent is free for another.
void end_session(Core& core, ConnectionId connection, Error why);

}  // namespace sealwire::broker

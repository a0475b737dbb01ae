#include "broker/router.h"

#include "broker/deliver.h"
#include "broker/expire.h"
#include "broker/frames_out.h"
#include "broker/stages.h"

namespace sealwire::broker {
namespace {

constexpr std::uint64_t kSweepMs = 5 * kSecondMs;
// More than an agent's rate allows, so that what is forgotten keeps up with what comes.
constexpr std::uint64_t kIdsForgottenPerSweep = 50'000;
constexpr std::uint64_t kClockStepMs = kSecondMs;

std::vector<Acceptance> acceptances_of(const std::vector<Consequence>& consequences) {
  std::map<ConnectionId, std::vector<Receipt>> receipts;
  for (const Consequence& consequence : consequences)
    if (const auto* receipted = std::get_if<Receipted>(&consequence))
      receipts[receipted->connection].push_back(receipted->receipt);
  std::vector<Acceptance> acceptances;
  acceptances.reserve(receipts.size());
  for (auto& [connection, list] : receipts)
    acceptances.push_back({connection, std::move(list)});
  return acceptances;
}

}  // namespace

Router::Router(RouterConfig config, RouterParts parts, StoredState state)
    : core_(std::move(config), parts, std::move(state)) {}

Result<std::unique_ptr<Router>> Router::create(RouterConfig config, RouterParts parts,
                                               UnixMillis now) {
  SW_TRY(StoredState state, parts.store->load());
  std::unique_ptr<Router> router(new Router(std::move(config), parts, std::move(state)));
  router->core_.now = router->swept_ = now;
  router->core_.metrics.agents = static_cast<std::int64_t>(router->core_.directory.size());
  return router;
}

// Calls may come a little out of order; a clock that was set back is believed, and everything is as
// old as it was.
void Router::set_now(UnixMillis now) {
  if (now + kClockStepMs < core_.now) {
    const std::uint64_t ms = core_.now.value - now.value;
    for (Session* session : core_.sessions.all()) {
      session->heard = session->heard - ms;
      session->pinged = session->pinged - ms;
    }
    swept_ = swept_ - ms;
    core_.now = now;
  }
  core_.now = std::max(core_.now, now);
}

void Router::on_events(std::span<Event> events, UnixMillis now) {
  set_now(now);
  const bool lost = !reload_touched();
  for (Event& event : events) {
    if (lost)
      refuse_event(event);
    else
      decide(core_, std::move(event));
  }
  finish_drain();
}

// State is unknown: whoever wants something of it is told to come again.
void Router::refuse_event(Event& event) {
  if (std::holds_alternative<DrainRequested>(event)) {
    core_.draining = true;
    return;
  }
  std::visit(
      [this](auto& what) {
        if constexpr (requires { what.connection; })
          end_session(core_, what.connection, {Errc::store_failed, "state is being read again"});
      },
      event);
}

bool Router::full() const {
  return core_.changes.ops.size() >= core_.config.batch_ops_max ||
         core_.changes.consequences.size() >= core_.config.batch_ops_max ||
         core_.changes.bytes >= core_.config.batch_bytes_max;
}

// --- the batch -----------------------------------------------------------------------------------

std::optional<Batch> Router::take_batch() {
  if (in_flight_ || core_.changes.empty()) return std::nullopt;
  InFlight in_flight;
  in_flight.id = ++last_batch_;
  core_.conversations.write(core_.changes);
  write_agents(core_.changes, in_flight);
  core_.ids.batch_taken();

  Changes changes = std::exchange(core_.changes, {});
  Batch batch{in_flight.id, std::move(changes.ops), acceptances_of(changes.consequences)};
  in_flight.consequences = std::move(changes.consequences);
  in_flight.agents = std::move(changes.agents);
  in_flight.conversations = std::move(changes.conversations);
  in_flight.invites = std::move(changes.invites);
  in_flight.burying = std::move(changes.burying);
  in_flight_ = std::move(in_flight);
  return batch;
}

// Heads of mailboxes and pools: once a batch, as they are at its end.
void Router::write_agents(Changes& changes, InFlight& in_flight) {
  for (const AgentNumber number : changes.agents) {
    Agent* agent = core_.directory.at(number);
    if (agent == nullptr) continue;
    agent->touched = false;
    if (agent->state == agent->written) continue;
    if (agent->state.mailbox.acked != agent->written.mailbox.acked)
      changes.add(DropEntries{number, agent->state.mailbox.acked});
    changes.add(PutAgentState{number, agent->state});
    agent->written = agent->state;
    in_flight.written.emplace_back(number, agent->state);
  }
}

void Router::on_committed(Committed committed, UnixMillis now) {
  set_now(now);
  if (!in_flight_ || in_flight_->id != committed.id) return;
  if (!committed.result) return on_failure(committed.result.error());

  healthy_ = true;
  InFlight done = std::move(*in_flight_);
  in_flight_.reset();
  core_.ids.batch_committed();
  for (const auto& [number, state] : done.written)
    if (Agent* agent = core_.directory.at(number)) agent->committed = state;
  for (const ItemNumber item : done.burying)
    core_.burying.erase(item);
  for (SendFrame& frame : committed.accepted)
    core_.outputs.push_back(std::move(frame));
  settle(core_, std::move(done.consequences));

  core_.metrics.sessions = static_cast<std::int64_t>(core_.sessions.size());
  core_.metrics.agents = static_cast<std::int64_t>(core_.directory.size());
  if (core_.changes.conversations.empty())
    core_.conversations.shrink(core_.config.conversations_cached_max);
  core_.metrics.conversations_cached = static_cast<std::int64_t>(core_.conversations.cached());
  finish_drain();
}

// Nothing since the last good commit has happened: it is refused and forgotten (DLV-012).
void Router::on_failure(const Error& why) {
  healthy_ = false;
  core_.log.write(LogLevel::error,
                  "commit failed: " + std::string(name(why.code)) + " " + why.detail);
  InFlight failed = std::move(*in_flight_);
  in_flight_.reset();
  Changes open = std::exchange(core_.changes, {});
  core_.ids.batch_failed();
  core_.burying.clear();
  stale_agents_.insert(failed.agents.begin(), failed.agents.end());
  stale_agents_.insert(open.agents.begin(), open.agents.end());
  stale_invites_.insert(failed.invites.begin(), failed.invites.end());
  stale_invites_.insert(open.invites.begin(), open.invites.end());
  stale_conversations_.insert(failed.conversations.begin(), failed.conversations.end());
  stale_conversations_.insert(open.conversations.begin(), open.conversations.end());
  refuse_all(core_, failed.consequences, why);
  refuse_all(core_, open.consequences, why);
  if (const auto reloaded = reload_touched(); !reloaded)
    core_.log.write(LogLevel::error, "reload: " + reloaded.error().detail);
}

Result<> Router::reload_touched() {
  core_.conversations.forget(stale_conversations_);
  stale_conversations_.clear();
  while (!stale_agents_.empty()) {
    const AgentNumber number = *stale_agents_.begin();
    SW_CHECK(core_.directory.reload(core_.store, number));
    if (Agent* agent = core_.directory.at(number)) agent->touched = false;
    stale_agents_.erase(number);
  }
  while (!stale_invites_.empty()) {
    const InviteKey key = *stale_invites_.begin();
    SW_CHECK(core_.directory.reload(core_.store, key));
    stale_invites_.erase(key);
  }
  return {};
}

// --- time ----------------------------------------------------------------------------------------

void Router::on_timer(UnixMillis now) {
  set_now(now);
  if (!reload_touched()) return;
  for (Session* session : core_.sessions.all()) {
    if (core_.now >= session->heard + core_.config.idle_ms) {
      ++core_.metrics.sessions_timed_out;
      end_session(core_, session->connection, {Errc::idle_timeout, "nothing heard"});
      continue;
    }
    if (session->ready && core_.now >= session->heard + core_.config.ping_interval_ms &&
        core_.now >= session->pinged + core_.config.ping_interval_ms) {
      session->pinged = core_.now;
      core_.outputs.push_back(SendFrame{session->connection, frames::ping(core_.now.value)});
    }
    if (session->ready) core_.backlog.insert(session->connection);
  }
  if (core_.now >= swept_ + kSweepMs) {
    if (!sweep(core_)) swept_ = core_.now;  // else the next tick goes on
    core_.changes.add(ForgetIds{core_.now, kIdsForgottenPerSweep});
    // Where nobody sends because the broker is not ready, this finds out that there is room again.
    if (!healthy_) core_.changes.add(Probe{});
  }
  pump(core_.now);
  finish_drain();
}

void Router::pump(UnixMillis now) {
  set_now(now);
  const auto behind = core_.backlog;
  for (const ConnectionId connection : behind) {
    core_.backlog.erase(connection);
    if (Session* session = core_.sessions.find(connection)) deliver_stored(core_, *session);
  }
}

void Router::finish_drain() {
  if (!core_.draining || drained_ || in_flight_ || !core_.changes.empty()) return;
  for (const Session* session : core_.sessions.all())
    end_session(core_, session->connection, {Errc::draining, "the broker stops"});
  drained_ = true;
}

}  // namespace sealwire::broker

#include "tests/simulation/system.h"

#include <sqlite3.h>

#include <iostream>

#include "broker/frames_out.h"
#include "protocol/frame/frame.h"
#include "tests/simulation/network.h"

namespace sealwire::test {

using namespace sealwire::broker;

namespace {

constexpr UnixMillis kStart{1'800'000'000'000};
constexpr std::uint64_t kPeaceMs = kHourMs;

/// One step's own dice: leaving a step out does not change what the others do.
class Dice {
 public:
  Dice(std::uint64_t seed, std::size_t step) : state_(seed * 0x9e3779b97f4a7c15ull ^ step) {}
  std::uint64_t operator()(std::uint64_t sides) {
    // SplitMix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (z ^ (z >> 31)) % sides;
  }
  bool one_in(std::uint64_t sides) { return (*this)(sides) == 0; }

 private:
  std::uint64_t state_;
};

class System {
 public:
  System(const Prepared& prepared, const Schedule& schedule);
  RunResult run();
  void introduce();
  Disk::Image stop(AgentMachine& agent);
  Disk::Image stop_broker();

 private:
  friend struct sealwire::test::Prepared;
  UnixMillis time_of(const AgentMachine& agent) const { return shifted(agent.clock_ms); }
  UnixMillis broker_time() const { return shifted(broker_.clock_ms); }
  UnixMillis shifted(std::int64_t by) const {
    return {static_cast<std::uint64_t>(static_cast<std::int64_t>(now_.value) + by)};
  }

  // what goes on anyway
  void agent_turn(AgentMachine& agent, Dice& dice);
  void dial(AgentMachine& agent);
  void broker_turn(Dice& dice);
  void receive(ConnectionId id, Connection& connection, const Bytes& frame);
  void feed(Event event);
  void dispatch(Dice& dice);
  void commit_step(Dice& dice);
  void send(AgentMachine& agent, Dice& dice);
  void send(AgentMachine& from, const AgentMachine& to, std::uint64_t lifetime_ms, bool transient,
            bool letter, bool must_come);
  void turn_of_all(Dice& dice);

  // faults
  void step(std::size_t n);
  void fault(Dice& dice);
  void crash_broker(Disk::Crash how, Dice& dice);
  void crash_agent(AgentMachine& agent, Disk::Crash how);
  void cut(AgentMachine& agent, Dice& dice);
  void spoil_frame(AgentMachine& agent, Dice& dice);
  void turn_clock(Dice& dice);
  void happened(const std::string& what) {
    ++result_.faults[what];
    if (schedule_.told)
      std::cout << "  step " << step_ << " at " << now_.value << ": " << what << '\n';
  }

  void check();
  bool at_rest() const;
  void make_peace();
  void go_on(Dice& dice);
  void trace(ByteSpan bytes) { crypto_generichash_update(&trace_, bytes.data(), bytes.size()); }
  UnixMillis later(Dice& dice) { return now_ + dice(dice.one_in(8) ? 400 : 30); }

  const Schedule& schedule_;
  UnixMillis now_ = kStart;
  std::size_t step_ = 0;
  Ledger ledger_;
  BrokerMachine broker_;
  std::vector<std::unique_ptr<AgentMachine>> agents_;
  std::vector<UnixMillis> away_until_;   // per agent: partitioned
  std::vector<UnixMillis> restarts_at_;  // per agent, when down
  UnixMillis broker_restarts_at_;
  std::map<ConnectionId, Connection> connections_;
  ConnectionId last_connection_ = 0;
  crypto_generichash_state trace_;
  RunResult result_;
};

System::System(const Prepared& prepared, const Schedule& schedule)
    : schedule_(schedule), broker_(prepared.folder / "broker", prepared.broker_key) {
  crypto_generichash_init(&trace_, nullptr, 0, 32);
  broker_.disk.reset(prepared.broker_disk, schedule.seed);
  broker_.disk.lie(schedule.tooth.lie);
  broker_.accepts_early = schedule.tooth.accepts_early;
  broker_.random = std::make_unique<SeededRandom>(schedule.seed);
  away_until_.resize(Prepared::kAgents);
  restarts_at_.resize(Prepared::kAgents);
  for (std::size_t i = 0; i < Prepared::kAgents; ++i) {
    agents_.push_back(std::make_unique<AgentMachine>(
        i, prepared.folder / ("agent" + std::to_string(i)), prepared.keys[i],
        prepared.broker_key.public_key<BrokerKey>()));
    AgentMachine& agent = *agents_.back();
    if (i < prepared.agent_disks.size())
      agent.disk.reset(prepared.agent_disks[i], schedule.seed + i);
    agent.random = std::make_unique<SeededRandom>(schedule.seed << 8 | (i + 1));
    agent.start(time_of(agent), ledger_);
  }
  broker_.start(broker_time(), ledger_);
}

// --- agents --------------------------------------------------------------------------------------

void System::dial(AgentMachine& agent) {
  const bool reachable = broker_.up() && now_ >= away_until_[agent.number];
  if (!reachable) {
    agent.core->on_close({Errc::connect_failed, "unreachable"}, time_of(agent));
    return;
  }
  // Every other agent is on a channel without a binding: its frames are sealed.
  const handshake::ChannelBinding binding =
      agent.number % 2 == 0 ? handshake::ChannelBinding{wire::Binding::tls_exporter, Bytes(32, 1)}
                            : handshake::ChannelBinding{wire::Binding::none, {}};
  agent.connection = ++last_connection_;
  Connection& connection = connections_[agent.connection];
  connection.agent = agent.number;
  connection.door =
      std::make_unique<Doorway>(agent.connection, broker_.key, handshake::ServerTerms{}, binding,
                                *broker_.random, broker_.config.verification);
  agent.core->on_open(binding, time_of(agent));
}

void System::agent_turn(AgentMachine& agent, Dice& dice) {
  if (!agent.up()) {
    if (now_ >= restarts_at_[agent.number]) agent.start(time_of(agent), ledger_);
    if (!agent.up()) return;
  }
  const UnixMillis now = time_of(agent);
  const auto found = connections_.find(agent.connection);
  if (found != connections_.end() && now_ >= away_until_[agent.number]) {
    while (auto parcel = found->second.down.take(now_)) {
      if (!parcel->frame) {
        agent.connection = 0;
        agent.core->on_close({Errc::closed, "the connection went"}, now);
        break;
      }
      trace(*parcel->frame);
      agent.core->on_bytes(*parcel->frame, now);
    }
  }
  agent.core->on_timer(now);
  sdk::Core::Output output = agent.core->flush(now);
  if (agent.disk.dead()) return crash_agent(agent, Disk::Crash::power);
  for (const sdk::Event& event : output.events) {
    if (const auto* received = std::get_if<sdk::Received>(&event))
      agent.inbox.push_back(*received);
    else
      ledger_.tell(agent.number, event);
    if (const auto* notice = std::get_if<Notice>(&event); notice != nullptr && schedule_.told)
      std::cout << "  agent " << agent.number << " notices: " << static_cast<int>(notice->kind)
                << ' ' << notice->detail << '\n';
    if (const auto* lost = std::get_if<sdk::Disconnected>(&event);
        lost != nullptr && schedule_.told)
      std::cout << "  agent " << agent.number << " is disconnected: " << lost->why.detail << '\n';
  }
  for (const auto& completion : output.completions)
    completion();
  if (output.fatal) {
    const bool disk =
        output.fatal->code == Errc::store_failed || output.fatal->code == Errc::store_full;
    if (!disk)
      ledger_.violate("agent " + std::to_string(agent.number) + " stopped: " +
                      std::string(name(output.fatal->code)) + " " + output.fatal->detail);
    return crash_agent(agent, Disk::Crash::process);
  }
  if (output.channel.dial) dial(agent);
  const auto connection = connections_.find(agent.connection);
  if (connection == connections_.end()) return;
  for (Bytes& frame : output.channel.frames)
    connection->second.up.send(later(dice), std::move(frame));
  if (output.channel.close) {
    connection->second.up.send(later(dice), std::nullopt);
    agent.connection = 0;
    agent.core->on_close({Errc::closed, "closed by us"}, now);
  }
}

void System::send(AgentMachine& from, const AgentMachine& to, std::uint64_t lifetime_ms,
                  bool transient, bool letter, bool must_come) {
  if (!from.up()) return;
  Ledger::Message message;
  message.from = from.number;
  message.to = to.number;
  message.transient = transient;
  message.brief = lifetime_ms < kDayMs && !must_come;
  message.must_come = must_come;
  sdk::SendRequest request;
  request.transient = transient;
  request.letter = letter;
  request.lifetime_ms = lifetime_ms;
  request.peer = verify_inception(to.key.inception)->agent;
  request.ticket = ledger_.add(message);
  request.content.media_type = "text/plain";
  request.content.data = to_bytes(as_bytes(std::to_string(request.ticket)));
  from.core->send(request, time_of(from));
}

void System::send(AgentMachine& agent, Dice& dice) {
  const std::size_t to = (agent.number + 1 + dice(agents_.size() - 1)) % agents_.size();
  const std::uint64_t kind = dice(10);
  const std::uint64_t lifetime_ms = dice.one_in(6) ? 500 + dice(20 * kSecondMs) : 7 * kDayMs;
  send(agent, *agents_[to], lifetime_ms, kind == 0, kind == 1, false);
}

// --- the broker ----------------------------------------------------------------------------------

void System::feed(Event event) {
  broker_.router->on_events(std::span(&event, 1), broker_time());
}

void System::receive(ConnectionId id, Connection& connection, const Bytes& frame) {
  trace(frame);
  auto ingressed = ingress(*connection.door, frame, broker_time());
  if (!ingressed) {
    connection.door->state = Doorway::State::closed;
    connection.down.send(now_, frames::close(wire_code(ingressed.error().code)));
    return feed(Failed{id, ingressed.error()});
  }
  if (ingressed->answer) connection.down.send(now_, std::move(*ingressed->answer));
  if (ingressed->event) feed(std::move(*ingressed->event));
}

void System::broker_turn(Dice& dice) {
  if (!broker_.up()) {
    if (now_ < broker_restarts_at_) return;
    if (dice.one_in(4)) broker_.disk.die_at(1 + dice(12));  // and again, while it recovers
    const bool started = broker_.start(broker_time(), ledger_);
    broker_.disk.fail_never();
    if (!started) return;
    for (const auto& agent : agents_)
      broker_.check_against(*agent, ledger_);
  }
  for (auto at = connections_.begin(); at != connections_.end();) {
    auto& [id, connection] = *at;
    bool ended = false;
    while (connection.door && now_ >= away_until_[connection.agent] && !broker_.router->full()) {
      auto parcel = connection.up.take(now_);
      if (!parcel) break;
      if (!parcel->frame) {
        feed(Left{id});
        connection.door.reset();
        ended = true;
      } else if (connection.door->state != Doorway::State::closed) {
        receive(id, connection, *parcel->frame);
      }
    }
    const bool gone = ended || (!connection.door && agents_[connection.agent]->connection != id);
    at = gone ? connections_.erase(at) : std::next(at);
  }
  if (broker_time() >= broker_.next_tick ||
      broker_time().value + 2 * kSecondMs < broker_.next_tick.value) {
    broker_.next_tick = broker_time() + kSecondMs;
    broker_.router->on_timer(broker_time());
  }
  if (broker_.router->busy()) broker_.router->pump(broker_time());
  dispatch(dice);
}

void System::commit_step(Dice& dice) {
  if (!broker_.up()) return;
  if (!broker_.commit_step(broker_time())) return crash_broker(Disk::Crash::power, dice);
  dispatch(dice);
}

void System::dispatch(Dice& dice) {
  for (Output& output : broker_.router->take_outputs()) {
    std::visit(
        [&](auto& what) {
          using What = std::decay_t<decltype(what)>;
          const auto found = connections_.find(what.connection);
          if (found == connections_.end() || !found->second.door) return;
          Doorway& door = *found->second.door;
          if constexpr (std::is_same_v<What, CloseConnection>) {
            Bytes close = frames::close(wire_code(what.why.code));
            found->second.down.send(later(dice), door.ready ? door.protection.seal(std::move(close))
                                                            : std::move(close));
            found->second.down.send(later(dice), std::nullopt);
            found->second.door.reset();
          } else {
            if constexpr (std::is_same_v<What, SendReady>) door.ready = true;
            found->second.down.send(later(dice), door.protection.seal(std::move(what.frame)));
          }
        },
        output);
  }
}

// --- faults --------------------------------------------------------------------------------------

void System::crash_broker(Disk::Crash how, Dice& dice) {
  result_.disk_steps += broker_.disk.steps();
  broker_.crash(how);
  broker_restarts_at_ = now_ + dice(3000);
  for (auto& [id, connection] : connections_) {
    connection.door.reset();
    connection.up.clear();
    connection.down.send(later(dice), std::nullopt);
  }
}

void System::crash_agent(AgentMachine& agent, Disk::Crash how) {
  const auto found = connections_.find(agent.connection);
  if (found != connections_.end()) {
    found->second.up.send(now_, std::nullopt);
    found->second.down.clear();
  }
  agent.crash(how);
  restarts_at_[agent.number] = now_ + 500;
}

void System::cut(AgentMachine& agent, Dice& dice) {
  const auto found = connections_.find(agent.connection);
  if (found == connections_.end() || !agent.up()) return;
  found->second.down.clear();
  if (dice.one_in(2))
    found->second.up.send(later(dice), std::nullopt);
  else
    found->second.up.clear();  // half open: the broker finds out by itself
  agent.connection = 0;
  agent.core->on_close({Errc::closed, "reset"}, time_of(agent));
}

void System::spoil_frame(AgentMachine& agent, Dice& dice) {
  const auto found = connections_.find(agent.connection);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  const bool up = connection.down.size() == 0 || (connection.up.size() != 0 && dice.one_in(2));
  Way& way = up ? connection.up : connection.down;
  if (way.size() == 0) return;
  const std::size_t at = dice(way.size());
  if (dice.one_in(2)) {
    if (way.drop(at)) happened("frame dropped");
  } else if (way.duplicate(at)) {
    happened("frame doubled");
  }
}

void System::turn_clock(Dice& dice) {
  const bool far = dice.one_in(3);
  const std::uint64_t range = far ? 2 * kDayMs : 4 * kMinuteMs;
  const auto by = static_cast<std::int64_t>(dice(range)) - static_cast<std::int64_t>(range / 2);
  if (far) ledger_.clocks_parted();
  const std::size_t which = dice(agents_.size() + 1);
  (which == agents_.size() ? broker_.clock_ms : agents_[which]->clock_ms) = by;
  happened(far ? "clock jumps far" : "clock jumps");
}

void System::fault(Dice& dice) {
  AgentMachine& agent = *agents_[dice(agents_.size())];
  switch (dice(11)) {
    case 0:
      if (!broker_.up()) return;
      happened("broker killed");
      return crash_broker(Disk::Crash::process, dice);
    case 1:
    case 2:
      if (!broker_.up()) return;
      happened("broker's power cut");
      // At some step of its next commit, and if it has none to do, now.
      broker_.disk.die_at(1 + dice(6));
      commit_step(dice);
      if (broker_.up()) commit_step(dice);
      if (broker_.up()) crash_broker(Disk::Crash::power, dice);
      return;
    case 3:
      if (!broker_.up()) return;
      happened("broker's disk fails once");
      broker_.disk.fail_at(1 + dice(6), dice.one_in(2) ? SQLITE_FULL : SQLITE_IOERR);
      return;
    case 4:
      if (!agent.up()) return;
      happened("agent killed");
      return crash_agent(agent, Disk::Crash::process);
    case 5:
      if (!agent.up()) return;
      happened("agent's power cut");
      agent.disk.die_at(1 + dice(6));
      agent_turn(agent, dice);
      if (agent.up()) agent.work(8, ledger_);
      if (agent.up()) crash_agent(agent, Disk::Crash::power);
      return;
    case 6:
      if (!agent.up()) return;
      happened("agent's disk fails once");
      agent.disk.fail_at(1 + dice(6), dice.one_in(2) ? SQLITE_FULL : SQLITE_IOERR);
      return;
    case 7:
      happened("connection reset");
      return cut(agent, dice);
    case 8:
      happened("partition");
      away_until_[agent.number] = now_ + dice(20 * kSecondMs);
      if (dice.one_in(2)) cut(agent, dice);
      return;
    case 9:
      return spoil_frame(agent, dice);
    default:
      if (dice.one_in(3)) return turn_clock(dice);
      // Long enough for sessions to end, or for leaves to be due for an update.
      happened("time passes");
      now_ = now_ + (dice.one_in(2) ? kDayMs + dice(kHourMs) : dice(90 * kSecondMs));
  }
}

// --- the run -------------------------------------------------------------------------------------

void System::step(std::size_t n) {
  step_ = n;
  Dice dice(schedule_.seed, n);
  now_ = now_ + dice(40);
  AgentMachine& agent = *agents_[dice(agents_.size())];
  const std::uint64_t what = dice(100);
  if (what < 32) {
    agent_turn(agent, dice);
  } else if (what < 58) {
    broker_turn(dice);
  } else if (what < 72) {
    commit_step(dice);
  } else if (what < 86) {
    for (std::uint64_t i = dice(4); i > 0; --i)
      send(agent, dice);
  } else if (what < 94) {
    agent.work(1 + dice(8), ledger_);
  } else {
    fault(dice);
  }
  if (broker_.up() && broker_.disk.dead()) crash_broker(Disk::Crash::power, dice);
  for (const auto& each : agents_)
    if (each->up() && each->disk.dead()) crash_agent(*each, Disk::Crash::power);
  check();
}

// After every step: no agent is ahead of what the broker has on disk.
void System::check() {
  if (step_ % 8 == 0 || result_.violation)
    for (const auto& agent : agents_)
      broker_.check_against(*agent, ledger_);
  if (ledger_.violation() && !result_.violation) {
    result_.violation = ledger_.violation();
    result_.violated_at = step_;
  }
}

bool System::at_rest() const {
  if (!broker_.up() || broker_.batch || broker_.router->busy()) return false;
  for (const auto& agent : agents_)
    if (!agent->idle()) return false;
  for (const auto& [id, connection] : connections_)
    if (!connection.up.empty() || !connection.down.empty()) return false;
  return true;
}

void System::turn_of_all(Dice& dice) {
  for (const auto& agent : agents_) {
    agent_turn(*agent, dice);
    agent->work(64, ledger_);
  }
  broker_turn(dice);
  commit_step(dice);
  commit_step(dice);
}

// Everything is mended, the clocks are right; what was promised now has to come true in time.
void System::make_peace() {
  broker_.clock_ms = 0;
  broker_.disk.fail_never();
  for (const auto& agent : agents_) {
    agent->clock_ms = 0;
    agent->disk.fail_never();
    away_until_[agent->number] = {};
  }
  const UnixMillis until = now_ + kPeaceMs;
  for (std::size_t round = 0; now_ < until; ++round) {
    Dice dice(schedule_.seed, schedule_.steps + round);
    now_ = now_ + (round < 400 ? 25 : 1000);
    turn_of_all(dice);
    if (ledger_.violation()) return;
    // Twice in a row: a timer may still have something to do.
    if (at_rest()) {
      now_ = now_ + 6 * kSecondMs;
      turn_of_all(dice);
      if (at_rest()) return go_on(dice);
    }
  }
  std::string busy;
  for (const auto& agent : agents_)
    if (!agent->idle()) busy += " " + agent->why_busy();
  ledger_.violate("it does not come to rest within an hour:" + busy);
}

// Whatever happened, service is as before: what everybody now sends everybody comes within seconds.
void System::go_on(Dice& dice) {
  for (const auto& from : agents_)
    for (const auto& to : agents_)
      if (from != to) send(*from, *to, kMinuteMs, false, false, true);
  for (int round = 0; round < 200; ++round) {
    now_ = now_ + 50;
    turn_of_all(dice);
  }
}

RunResult System::run() {
  for (std::size_t n = 0; n < schedule_.steps && !result_.violation; ++n)
    if (!schedule_.left_out.contains(n)) step(n);
  step_ = schedule_.steps;
  if (!ledger_.violation()) make_peace();
  if (!ledger_.violation()) {
    for (const auto& agent : agents_) {
      broker_.check_epochs(*agent, ledger_);
      ledger_.in_the_end(agent->number, agent->received(ledger_));
    }
    ledger_.settle();
  }
  if (!result_.violation && ledger_.violation()) {
    result_.violation = ledger_.violation();
    result_.violated_at = step_;
  }
  result_.messages = ledger_.counts();
  crypto_generichash_final(&trace_, result_.trace.bytes.data(), result_.trace.bytes.size());
  return result_;
}

void System::introduce() {
  Dice dice(0, 0);
  const auto settle = [&] {
    for (int i = 0; i < 200; ++i) {
      now_ = now_ + 50;
      turn_of_all(dice);
    }
  };
  settle();
  for (const auto& one : agents_)
    for (const auto& other : agents_)
      if (one != other)
        static_cast<void>(one->core->peers().set_contact(other->core->self().agent,
                                                         Peer::Contact::allowed, "", {}));
  settle();
}

Disk::Image System::stop(AgentMachine& agent) {
  agent.core.reset();
  agent.state.reset();
  return agent.disk.image();
}
Disk::Image System::stop_broker() {
  broker_.router.reset();
  broker_.store.reset();
  return broker_.disk.image();
}

}  // namespace

Prepared Prepared::make(const std::filesystem::path& folder) {
  crypto::initialise();
  SeededRandom random(0);
  Prepared prepared{folder, crypto::SigningKey::generate(random), {}, {}, {}};
  std::filesystem::create_directories(folder / "broker");
  for (std::size_t i = 0; i < kAgents; ++i) {
    prepared.keys.push_back(make_key_file(KeyRole::agent, kStart, random));
    std::filesystem::create_directories(folder / ("agent" + std::to_string(i)));
  }
  const Schedule schedule{0, 0, {}, {}, false};
  System system(prepared, schedule);
  system.introduce();
  for (const auto& agent : system.agents_)
    prepared.agent_disks.push_back(system.stop(*agent));
  prepared.broker_disk = system.stop_broker();
  return prepared;
}

RunResult run(const Prepared& prepared, const Schedule& schedule) {
  return System(prepared, schedule).run();
}

Schedule shrink(const Prepared& prepared, Schedule failing, std::size_t runs) {
  const auto fails = [&](const Schedule& schedule) {
    return runs > 0 && (--runs, run(prepared, schedule).violation.has_value());
  };
  const std::size_t last = run(prepared, failing).violated_at;
  if (last < failing.steps) {
    Schedule shorter = failing;
    shorter.steps = last + 1;
    if (fails(shorter)) failing = shorter;
  }
  for (bool progress = true; progress && runs > 0;) {
    progress = false;
    for (std::size_t width = failing.steps / 2; width > 0 && runs > 0; width /= 2)
      for (std::size_t from = 0; from < failing.steps; from += width) {
        Schedule fewer = failing;
        for (std::size_t n = from; n < std::min(from + width, failing.steps); ++n)
          fewer.left_out.insert(n);
        if (fewer.left_out.size() == failing.left_out.size() || !fails(fewer)) continue;
        failing = std::move(fewer);
        progress = true;
      }
  }
  return failing;
}

}  // namespace sealwire::test

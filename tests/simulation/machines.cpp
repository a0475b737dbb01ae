#include "tests/simulation/machines.h"

#include "protocol/identity/did_key.h"
#include "sdk/cpp/state/sqlite_state.h"

namespace sealwire::test {
namespace {

constexpr std::string_view kOrder = "order ";

sdk::RowKey number_key(std::uint64_t number) {
  return sdk::RowKey(as_bytes("message " + std::to_string(number)));
}
std::uint64_t number_of(ByteSpan bytes) {
  return std::strtoull(std::string(as_text(bytes)).c_str(), nullptr, 10);
}
SecretBytes row_of(std::uint64_t number) {
  return SecretBytes(as_bytes(std::to_string(number)));
}

}  // namespace

// --- agents --------------------------------------------------------------------------------------

AgentMachine::AgentMachine(std::size_t number_, const std::filesystem::path& folder,
                           const KeyFile& key_, BrokerKey broker)
    : number(number_), key(key_), disk(folder) {
  config_.broker = broker;
  config_.endpoints = {"memory://broker"};
  config_.window = 8;
}

bool AgentMachine::start(UnixMillis now, Ledger& ledger) {
  auto opened = sdk::open_sqlite_state(disk.folder() / "state.db", key.key, *random);
  if (opened) state = std::move(*opened);
  auto loaded = opened ? sdk::Core::load(config_, key, *state, *random, now)
                       : Result<std::unique_ptr<sdk::Core>>(fail(opened.error()));
  if (!loaded) {
    if (!disk.dead())
      ledger.violate("agent " + std::to_string(number) + " does not start again: " +
                     std::string(name(loaded.error().code)) + " " + loaded.error().detail);
    crash(Disk::Crash::power);
    return false;
  }
  core = std::move(*loaded);
  core->connect(now);
  return true;
}

void AgentMachine::crash(Disk::Crash how) {
  disk.restart(how);  // first: what the destructors would still write is too late
  core.reset();
  state.reset();
  inbox.clear();
  connection = 0;
}

Result<> AgentMachine::take(sdk::StateTransaction& transaction, const sdk::Received& message,
                            Ledger& ledger) {
  const std::uint64_t sent = number_of(message.content.data);
  const std::string who = "agent " + std::to_string(number);
  SW_TRY(const auto before, transaction.fetch(sdk::Table::application, number_key(sent)));
  if (before) ledger.violate(who + " got message " + std::to_string(sent) + " twice");
  SW_CHECK(transaction.apply({sdk::Table::application, number_key(sent), row_of(sent)}));
  if (!message.letter) {
    const sdk::RowKey order(as_bytes(std::string(kOrder) + hex(message.conversation)));
    SW_TRY(const auto last, transaction.fetch(sdk::Table::application, order));
    if (last && number_of(last->span()) >= sent)
      ledger.violate(who + " got message " + std::to_string(sent) + " after a later one");
    SW_CHECK(transaction.apply({sdk::Table::application, order, row_of(sent)}));
  }
  return transaction.apply({sdk::Table::inbox, sdk::RowKey(message.number), std::nullopt});
}

void AgentMachine::work(std::size_t most, Ledger& ledger) {
  if (!up()) return;
  while (!inbox.empty() && inbox.front().number == 0) {
    ledger.on_transient(number, inbox.front());
    inbox.pop_front();
  }
  std::size_t count = 0;
  while (count < std::min(most, inbox.size()) && inbox[count].number != 0)
    ++count;
  if (count == 0) return;
  const Result<> done = state->transact([&](sdk::StateTransaction& transaction) -> Result<> {
    for (std::size_t i = 0; i < count; ++i)
      SW_CHECK(take(transaction, inbox[i], ledger));
    return {};
  });
  if (!done) return;  // undone, or nobody knows: the rows tell
  for (std::size_t i = 0; i < count; ++i) {
    ledger.on_received(number, inbox.front());
    core->acknowledge(inbox.front().number, true);
    inbox.pop_front();
  }
}

std::set<std::uint64_t> AgentMachine::received(Ledger& ledger) const {
  std::set<std::uint64_t> all;
  const auto done =
      state->scan(sdk::Table::application, [&](ByteSpan key_bytes, SecretBytes value) -> Result<> {
        if (!as_text(key_bytes).starts_with(kOrder)) all.insert(number_of(value.span()));
        return {};
      });
  if (!done) ledger.violate("an agent's state cannot be read");
  return all;
}

bool AgentMachine::idle() const {
  return up() && core->session().ready() && core->outbox().empty() &&
         core->inbox().waiting() == 0 && inbox.empty();
}

std::string AgentMachine::why_busy() const {
  const std::string name = "agent " + std::to_string(number);
  if (!up() || !core->session().ready()) return name + " has no session;";
  return name + ": " + std::to_string(core->outbox().waiting()) + " waiting, " +
         std::to_string(core->outbox().in_flight()) + " in flight, " +
         std::to_string(core->inbox().waiting() + inbox.size()) + " not acknowledged;";
}

// --- the broker ----------------------------------------------------------------------------------

BrokerMachine::BrokerMachine(const std::filesystem::path& folder, const crypto::SigningKey& key_)
    : key(key_), disk(folder) {
  config.admission = broker::Admission::open;
  config.batch_ops_max = 64;
  config.deliver_bytes = 4096;
  config.conversations_cached_max = 2;
}

bool BrokerMachine::start(UnixMillis now, Ledger& ledger) {
  auto opened = broker::SqliteStore::open({disk.folder() / "broker.db", 0}, *random);
  if (opened) store = std::move(*opened);
  auto made = opened ? broker::Router::create(
                           config, {&key, store.get(), random.get(), &metrics, &log}, now)
                     : Result<std::unique_ptr<broker::Router>>(fail(opened.error()));
  if (!made) {
    if (!disk.dead())
      ledger.violate("the broker does not start again: " + std::string(name(made.error().code)) +
                     " " + made.error().detail);
    crash(Disk::Crash::power);
    return false;
  }
  router = std::move(*made);
  next_tick = now;
  if (incarnation && *incarnation != router->incarnation())
    ledger.violate("the broker lost its incarnation");
  incarnation = router->incarnation();
  return true;
}

void BrokerMachine::crash(Disk::Crash how) {
  disk.restart(how);
  router.reset();
  store.reset();
  batch.reset();
  early_.clear();
}

bool BrokerMachine::commit_step(UnixMillis now) {
  if (!batch) {
    batch = router->take_batch();
    return true;
  }
  broker::Batch taken = std::move(*batch);
  batch.reset();
  if (accepts_early) std::swap(taken.ops, early_);
  broker::Committed committed =
      broker::commit(*store, key, router->incarnation(), now, metrics, std::move(taken));
  if (disk.dead()) return false;
  router->on_committed(std::move(committed), now);
  return true;
}

void BrokerMachine::check_against(const AgentMachine& agent, Ledger& ledger) {
  if (!up() || !agent.up()) return;
  const auto state = store->load();
  if (!state) return ledger.violate("the broker's store cannot be read");
  const auto record = std::find_if(
      state->agents.begin(), state->agents.end(),
      [&](const auto& known) { return known.identity.agent == agent.core->self().agent; });
  const std::string who = "agent " + std::to_string(agent.number);
  if (record == state->agents.end()) return ledger.violate("the broker forgot " + who);
  for (const auto& [id, conversation] : agent.core->conversations().all()) {
    if (!conversation.established()) continue;
    const auto known = store->read_conversation(id);
    if (!known || !*known) return ledger.violate("the broker lost a conversation of " + who);
    if ((*known)->incarnation < conversation.incarnation ||
        ((*known)->incarnation == conversation.incarnation && (*known)->epoch < conversation.epoch))
      ledger.violate("the broker lost an epoch of " + who);
    const auto head = store->read_chain_head(id, record->number);
    const sdk::ChainPosition& accepted = conversation.accepted;
    if (accepted.next_seq == 0 || (*known)->incarnation != conversation.incarnation) continue;
    if (!head || !*head ||
        std::pair((*head)->epoch, (*head)->sender_seq + 1) <
            std::pair(accepted.epoch, std::uint64_t{accepted.next_seq}))
      ledger.violate("the broker's chain of " + who + " ends before what it had accepted");
  }
}

void BrokerMachine::check_epochs(const AgentMachine& agent, Ledger& ledger) {
  check_against(agent, ledger);
  for (const auto& [id, conversation] : agent.core->conversations().all()) {
    const auto known = store->read_conversation(id);
    if (!conversation.established() || !known || !*known) continue;
    if ((*known)->incarnation == conversation.incarnation && (*known)->epoch != conversation.epoch)
      ledger.violate("agent " + std::to_string(agent.number) + " is not in the broker's epoch");
  }
}

}  // namespace sealwire::test

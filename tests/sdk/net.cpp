#include "tests/sdk/net.h"

#include <gtest/gtest.h>

#include "protocol/identity/did_key.h"
#include "sdk/cpp/state/sqlite_state.h"

namespace sealwire::test {

using namespace sealwire::broker;

TemporaryDirectory::TemporaryDirectory() {
  // In memory where there is such a place: these tests are about order, and wait for no disk.
  std::error_code error;
  const std::filesystem::path memory = "/dev/shm";
  const bool in_memory = std::filesystem::is_directory(memory, error);
  std::string name =
      ((in_memory ? memory : std::filesystem::temp_directory_path()) / "sealwire-sdk-XXXXXX")
          .string();
  path = ::mkdtemp(name.data());
}
TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

namespace {

handshake::ChannelBinding binding_value(wire::Binding type) {
  return {type, type == wire::Binding::none ? Bytes{} : Bytes(32, 0x42)};
}

}  // namespace

// --- NetAgent ------------------------------------------------------------------------------------

NetAgent::NetAgent(Net& net_, std::string name_, sdk::Config config_)
    : net(net_),
      name(std::move(name_)),
      config(std::move(config_)),
      key(make_key_file(KeyRole::agent, net_.now, net_.random)),
      path(net_.directory.path / (name + ".db")) {
  config.broker = net.broker_key.public_key<BrokerKey>();
  config.endpoints = {"memory://broker"};
  open();
}

void NetAgent::open() {
  auto opened = sdk::open_sqlite_state(path, key.key, net.random);
  ASSERT_TRUE(opened) << opened.error().detail;
  state = std::move(*opened);
  auto loaded = sdk::Core::load(config, key, *state, net.random, net.now);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  core = std::move(*loaded);
  core->connect(net.now);
}

sdk::Ticket NetAgent::send(const NetAgent& to, std::string_view text, sdk::SendRequest options) {
  options.peer = to.id();
  if (options.content.media_type.empty()) options.content.media_type = "text/plain";
  options.content.data = to_bytes(as_bytes(text));
  if (options.lifetime_ms == 0) options.lifetime_ms = kDayMs;
  options.ticket = ++last_ticket_;
  outcomes[options.ticket];
  core->send(options, net.now);
  return last_ticket_;
}

void NetAgent::add(const NetAgent& other, std::string nickname) {
  const auto done =
      core->peers().set_contact(other.id(), Peer::Contact::allowed, std::move(nickname), {});
  ASSERT_TRUE(done) << done.error().detail;
}
void NetAgent::block(const NetAgent& other) {
  ASSERT_TRUE(core->peers().set_contact(other.id(), Peer::Contact::blocked, "", {}));
}

std::vector<std::string> NetAgent::texts() const {
  std::vector<std::string> all;
  for (const sdk::Received& message : received)
    all.emplace_back(as_text(message.content.data));
  return all;
}

void NetAgent::acknowledge_all() {
  for (const sdk::Received& message : received)
    core->acknowledge(message.number, false);
  received.clear();
}

std::size_t NetAgent::count(Notice::Kind kind) const {
  return static_cast<std::size_t>(
      std::count_if(notices.begin(), notices.end(),
                    [kind](const Notice& notice) { return notice.kind == kind; }));
}

std::vector<const sdk::Conversation*> NetAgent::conversations(const NetAgent& other) const {
  std::vector<const sdk::Conversation*> found;
  for (const auto& [id, conversation] : core->conversations().all())
    if (conversation.peer == other.id() && conversation.established())
      found.push_back(&conversation);
  return found;
}

void NetAgent::restart() {
  cut();
  core.reset();
  state.reset();
  connected = false;
  fatal.reset();
  received.clear();
  outcomes.clear();
  open();
}

std::filesystem::path NetAgent::save_state() const {
  const std::filesystem::path copy = path.string() + ".saved" + std::to_string(saves_);
  // The log beside the database belongs to it.
  for (const char* suffix : {"", "-wal"})
    if (std::filesystem::exists(path.string() + suffix))
      std::filesystem::copy_file(path.string() + suffix, copy.string() + suffix,
                                 std::filesystem::copy_options::overwrite_existing);
  return copy;
}

void NetAgent::restart_from(const std::filesystem::path& saved) {
  cut();
  core.reset();
  state.reset();
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(path.string() + suffix);
  for (const char* suffix : {"", "-wal"})
    if (std::filesystem::exists(saved.string() + suffix))
      std::filesystem::copy_file(saved.string() + suffix, path.string() + suffix);
  connected = false;
  fatal.reset();
  received.clear();
  outcomes.clear();
  open();
}

void NetAgent::cut() {
  if (!door_) return;
  const ConnectionId connection = door_->connection;
  door_.reset();
  incoming_.clear();
  closing_.reset();
  net.connections_.erase(connection);
  if (core) core->on_close({Errc::closed, "cut"}, net.now);
  net.feed(Left{connection});
}

void NetAgent::take(sdk::Event event) {
  if (auto* message = std::get_if<sdk::Received>(&event)) {
    received.push_back(std::move(*message));
  } else if (const auto* stored = std::get_if<sdk::SendStored>(&event)) {
    outcomes[stored->ticket].stored = true;
  } else if (const auto* sealed = std::get_if<sdk::SendSealed>(&event)) {
    outcomes[sealed->ticket].id = sealed->id;
  } else if (const auto* accepted = std::get_if<sdk::SendAccepted>(&event)) {
    outcomes[accepted->ticket].done = accepted->sequence;
  } else if (const auto* refused = std::get_if<sdk::SendRefused>(&event)) {
    outcomes[refused->ticket].done = fail(refused->error);
  } else if (std::holds_alternative<sdk::Connected>(event)) {
    connected = true;
  } else if (const auto* lost = std::get_if<sdk::Disconnected>(&event)) {
    connected = false;
    disconnected = lost->why;
  } else if (auto* notice = std::get_if<Notice>(&event)) {
    notices.push_back(std::move(*notice));
  } else if (const auto* later = std::get_if<sdk::RefusedLater>(&event)) {
    Notice refused_later;
    refused_later.kind = Notice::Kind::refused;
    refused_later.message_id = hex(message_id(later->envelope, 0));
    refused_later.error = later->error;
    notices.push_back(std::move(refused_later));
  }
}

// One turn of the driver's loop. True if anything happened.
bool NetAgent::step() {
  bool busy = false;
  while (!incoming_.empty()) {
    const Bytes frame = std::move(incoming_.front());
    incoming_.pop_front();
    core->on_bytes(frame, net.now);
    busy = true;
  }
  if (closing_) {
    const Error why = *std::exchange(closing_, std::nullopt);
    door_.reset();
    core->on_close(why, net.now);
    busy = true;
  }
  core->on_timer(net.now);
  sdk::Core::Output output = core->flush(net.now);
  for (sdk::Event& event : output.events)
    take(std::move(event));
  for (const auto& completion : output.completions)
    completion();
  busy = busy || !output.events.empty() || !output.completions.empty();
  if (output.fatal) fatal = output.fatal;
  if (output.channel.dial) {
    busy = true;
    if (!reachable) {
      core->on_close({Errc::connect_failed, "unreachable"}, net.now);
    } else {
      door_ = std::make_unique<Doorway>(++net.last_connection_, net.broker_key,
                                        handshake::ServerTerms{}, binding_value(net.binding),
                                        net.random, net.config.verification);
      net.connections_[net.last_connection_] = this;
      core->on_open(binding_value(net.binding), net.now);
    }
  }
  for (Bytes& frame : output.channel.frames) {
    busy = true;
    net.to_broker(*this, std::move(frame));
  }
  if (output.channel.close && door_) {
    busy = true;
    const ConnectionId connection = door_->connection;
    door_.reset();
    incoming_.clear();
    net.connections_.erase(connection);
    net.feed(Left{connection});
    core->on_close({Errc::closed, "closed by us"}, net.now);
  }
  return busy;
}

// --- Net -----------------------------------------------------------------------------------------

Net::Net(std::uint64_t seed, wire::Binding binding_)
    : broker_key([seed] {
        crypto::initialise();
        SeededRandom own(~seed);
        return crypto::SigningKey::generate(own);
      }()),
      random(seed),
      binding(binding_),
      store(random.make<BrokerIncarnation>()) {
  config.admission = Admission::open;
  restart_broker();
}

NetAgent& Net::add(std::string name, sdk::Config with) {
  agents.push_back(std::make_unique<NetAgent>(*this, std::move(name), std::move(with)));
  return *agents.back();
}

std::pair<NetAgent*, NetAgent*> Net::pair() {
  NetAgent& alice = add("alice");
  NetAgent& bob = add("bob");
  run();
  alice.add(bob, "bob");
  bob.add(alice, "alice");
  run();
  return {&alice, &bob};
}

void Net::restart_broker() {
  for (const auto& agent : agents)
    if (agent->door_) hang_up(*agent, {Errc::closed, "the broker went"});
  connections_.clear();
  auto made = Router::create(config, {&broker_key, &store, &random, &metrics, &log}, now);
  ASSERT_TRUE(made);
  router = std::move(*made);
}

void Net::run() {
  for (int turns = 0; turns < 10'000; ++turns) {
    bool busy = false;
    for (const auto& agent : agents)
      if (agent->core) busy = agent->step() || busy;
    settle();
    for (const auto& agent : agents)
      busy = busy || !agent->incoming_.empty() || agent->closing_;
    if (!busy) return;
  }
  FAIL() << "it never comes to rest";
}

void Net::pass(std::uint64_t ms) {
  while (ms > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(ms, ms > 30 * kSecondMs ? 5000 : 1000);
    now = now + part;
    ms -= part;
    router->on_timer(now);
    settle();
    run();
  }
}

void Net::to_broker(NetAgent& agent, Bytes frame) {
  if (!agent.door_) return;
  if (on_the_way_to_broker) {
    auto changed = on_the_way_to_broker(agent, std::move(frame));
    if (!changed) return;
    frame = std::move(*changed);
  }
  auto ingressed = ingress(*agent.door_, frame, now);
  if (!ingressed) {
    agent.door_->state = Doorway::State::closed;
    feed(Failed{agent.door_->connection, ingressed.error()});
    hang_up(agent, ingressed.error());
    return;
  }
  if (ingressed->answer) agent.incoming_.push_back(std::move(*ingressed->answer));
  if (ingressed->event) feed(std::move(*ingressed->event));
}

void Net::feed(Event event) {
  router->on_events(std::span(&event, 1), now);
  settle();
}

void Net::settle() {
  dispatch();
  while (true) {
    if (router->busy()) router->pump(now);
    auto batch = router->take_batch();
    dispatch();
    if (!batch) return;
    router->on_committed(
        commit(store, broker_key, router->incarnation(), now, metrics, std::move(*batch)), now);
    dispatch();
  }
}

void Net::hang_up(NetAgent& agent, const Error& why) {
  if (agent.door_) connections_.erase(agent.door_->connection);
  agent.closing_ = why;
}

void Net::dispatch() {
  for (Output& output : router->take_outputs()) {
    std::visit(
        [this](auto& what) {
          using What = std::decay_t<decltype(what)>;
          const auto found = connections_.find(what.connection);
          if (found == connections_.end()) return;
          NetAgent& agent = *found->second;
          Doorway& door = *agent.door_;
          if constexpr (std::is_same_v<What, CloseConnection>) {
            flatbuffers::FlatBufferBuilder b;
            Bytes close = finish_frame(b, wire::CreateClose(b, wire_code(what.why.code)));
            agent.incoming_.push_back(door.ready ? door.protection.seal(std::move(close))
                                                 : std::move(close));
            hang_up(agent, what.why);
          } else {
            if constexpr (std::is_same_v<What, SendReady>) door.ready = true;
            std::optional<Bytes> frame = std::move(what.frame);
            if (on_the_way_to_agent) frame = on_the_way_to_agent(agent, std::move(*frame));
            if (frame) agent.incoming_.push_back(door.protection.seal(std::move(*frame)));
          }
        },
        output);
  }
}

}  // namespace sealwire::test

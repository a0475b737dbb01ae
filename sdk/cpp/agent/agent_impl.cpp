// AgentImpl: opening, what the core tells, and the calls that are neither sending nor handling.
#include "sdk/cpp/agent/agent_impl.h"

#include "adapters/channels/registry.h"
#include "adapters/files/private_file.h"
#include "protocol/identity/did_key.h"
#include "sdk/cpp/state/sqlite_state.h"

namespace sealwire {
namespace {

Peer to_peer(const sdk::PeerRow& row) {
  Peer peer;
  peer.agent = agent_text(row.agent);
  peer.nickname = row.nickname;
  if (row.inception) peer.instance = did_key(row.instance);
  peer.contact = row.contact;
  peer.verified = row.inception.has_value();
  peer.confirmed = row.confirmed;
  return peer;
}

Result<sdk::Config> make_config(const Options& options) {
  sdk::Config config;
  if (!options.broker_key.empty()) {
    const auto bytes = parse_hex(options.broker_key);
    config.broker = bytes ? BrokerKey::from(*bytes) : std::nullopt;
    if (!config.broker) return fail(Errc::config_invalid, "broker_key: 64 lower-case hex digits");
  }
  config.trust_first_use = options.trust_first_use;
  if (options.window == 0 || options.inbox_messages_max == 0)
    return fail(Errc::config_invalid, "window and inbox_messages_max are at least 1");
  config.window = options.window;
  config.inbox_messages_max = options.inbox_messages_max;
  for (const EndpointOptions& endpoint : options.endpoints)
    config.endpoints.push_back(endpoint.uri);
  return config;
}

Result<std::vector<channel::Endpoint>> make_endpoints(const Options& options) {
  std::vector<channel::Endpoint> endpoints;
  for (const EndpointOptions& from : options.endpoints) {
    if (channel::find_channel(from.uri) == nullptr)
      return fail(Errc::address_invalid, "no channel speaks " + from.uri);
    channel::Endpoint endpoint;
    endpoint.uri = from.uri;
    endpoint.options = from.options;
    endpoint.allow_insecure = from.allow_insecure;
    endpoints.push_back(std::move(endpoint));
  }
  if (endpoints.empty() && !options.offline)
    return fail(Errc::config_invalid, "no endpoint: where is the broker?");
  return endpoints;
}

// Trying again does not help against these until somebody does something.
bool is_refusal(Errc code) {
  return code == Errc::not_admitted || code == Errc::broker_key_mismatch ||
         code == Errc::handshake_signature || code == Errc::version_unsupported ||
         code == Errc::suite_unsupported || code == Errc::binding_mismatch ||
         code == Errc::transport_insecure || code == Errc::address_invalid ||
         code == Errc::config_invalid;
}

}  // namespace

Result<std::shared_ptr<AgentImpl>> AgentImpl::open(Options options) {
  crypto::initialise();
  SW_TRY(sdk::Config config, make_config(options));
  SW_TRY(auto endpoints, make_endpoints(options));
  std::shared_ptr<AgentImpl> impl(new AgentImpl);
  SW_TRY(const SecretBytes key_text, files::read_private_file(options.key_file));
  auto opened = decode_key_file(as_text(key_text.span()), options.passphrase);
  sodium_memzero(options.passphrase.data(), options.passphrase.size());
  SW_TRY(impl->key_, std::move(opened));
  if (impl->key_->role != KeyRole::agent)
    return fail(Errc::key_file_malformed, options.key_file + " is not an agent's");
  SW_TRY(impl->state_, sdk::open_sqlite_state(options.state_file, impl->key_->key, impl->random_));
  SW_TRY(auto core, sdk::Core::load(std::move(config), *impl->key_, *impl->state_, impl->random_,
                                    wall_clock()));
  impl->id_ = agent_text(core->self().agent);
  impl->instance_ = did_key(core->self().instance);
  if (!options.invite.empty()) {
    SW_TRY(const Invite invite, parse_invite(options.invite));
    const sdk::PeerRow* inviter = core->peers().find(invite.inviter.agent);
    // A start script that names its invite for ever goes on working once it is redeemed.
    if (inviter == nullptr || inviter->contact == Peer::Contact::none)
      SW_CHECK(core->peers().redeem(options.invite, "", {}));
  }
  impl->on_flush(*core);  // nicknames are known from the first call on
  Driver::Listener& listener = *impl;
  impl->driver_ =
      std::make_unique<Driver>(std::move(core), std::move(endpoints), options.offline, listener);
  impl->driver_->start();
  if (options.offline)
    impl->last_error_ = Error{Errc::closed, "the agent was opened to stay offline"};
  return impl;
}

AgentImpl::~AgentImpl() {
  stop();
}

// --- what the core tells (driver's thread) -------------------------------------------------------

void AgentImpl::on_flush(sdk::Core& core) {
  if (core.peers().version() != peers_version_) {
    auto peers = std::make_shared<Peers>();
    for (const auto& [id, row] : core.peers().all()) {
      peers->by_id.emplace(id, to_peer(row));
      if (!row.nickname.empty()) peers->by_nickname.emplace(row.nickname, id);
    }
    peers_version_ = core.peers().version();
    const std::scoped_lock held(peers_mutex_);
    peers_ = std::move(peers);
  }
  const std::scoped_lock held(session_mutex_);
  if (std::exchange(quiet_, core.outbox().empty()) != quiet_) session_changed_.notify_all();
}

void AgentImpl::on_event(sdk::Event event) {
  if (auto* received = std::get_if<sdk::Received>(&event)) {
    receive_one(std::move(*received));
  } else if (const auto* stored = std::get_if<sdk::SendStored>(&event)) {
    if (const auto sending = find(stored->ticket)) sending->stored.set({});
  } else if (const auto* sealed = std::get_if<sdk::SendSealed>(&event)) {
    const std::scoped_lock held(sends_mutex_);
    const auto request = requests_.find(sealed->ticket);
    if (request != requests_.end()) requests_by_id_[sealed->id] = request->second;
  } else if (const auto* accepted = std::get_if<sdk::SendAccepted>(&event)) {
    release(accepted->ticket, [&](SendingState& sending) {
      sending.stored.set({});
      sending.outcome.set(Accepted{hex(accepted->id), accepted->sequence});
    });
  } else if (const auto* refused = std::get_if<sdk::SendRefused>(&event)) {
    release(refused->ticket, [&](SendingState& sending) { sending.refuse(refused->error); });
  } else if (const auto* later = std::get_if<sdk::RefusedLater>(&event)) {
    {
      const std::scoped_lock held(sends_mutex_);
      for (const auto& [id, request] : requests_by_id_)
        if (is_of(id, later->envelope)) request->set(fail(later->error));
    }
    Notice notice;
    notice.kind = Notice::Kind::refused;
    notice.message_id = hex(message_id(later->envelope, 0));
    notice.error = later->error;
    tell(std::move(notice));
  } else if (std::holds_alternative<sdk::Connected>(event)) {
    {
      const std::scoped_lock held(session_mutex_);
      connected_ = true;
      last_error_.reset();
      session_changed_.notify_all();
    }
    tell({});
  } else if (const auto* lost = std::get_if<sdk::Disconnected>(&event)) {
    {
      const std::scoped_lock held(session_mutex_);
      connected_ = false;
      last_error_ = lost->why;
      session_changed_.notify_all();
    }
    Notice notice;
    notice.kind = Notice::Kind::disconnected;
    notice.error = lost->why;
    notice.detail = lost->why.detail;
    tell(std::move(notice));
  } else if (auto* notice = std::get_if<Notice>(&event)) {
    tell(std::move(*notice));
  }
}

void AgentImpl::on_stopped(const Error& why) {
  std::unordered_map<sdk::Ticket, std::shared_ptr<SendingState>> sends;
  std::unordered_map<MessageId, std::shared_ptr<RequestState>> requests;
  {
    const std::scoped_lock held(sends_mutex_);
    sends.swap(sends_);
    requests.swap(requests_by_id_);
    requests_.clear();
  }
  for (const auto& [ticket, sending] : sends)
    sending->refuse(
        {Errc::closed, "the agent has stopped; what was stored is sent at its next start"});
  for (const auto& [id, request] : requests)
    request->set(fail(why));
  if (why.code != Errc::closed) {
    Notice notice;
    notice.kind = Notice::Kind::stopped;
    notice.error = why;
    notice.detail = why.detail;
    tell(std::move(notice));
  }
  {
    const std::scoped_lock held(session_mutex_);
    connected_ = false;
    stopped_ = why;
    session_changed_.notify_all();
  }
  const std::scoped_lock held(inbox_mutex_);
  ended_ = true;
  inbox_changed_.notify_all();
}

// --- commands ------------------------------------------------------------------------------------

template <class T>
Result<T> AgentImpl::ask(std::function<T(sdk::Core&)> command) {
  auto answer = std::make_shared<Once<T>>();
  if (!driver_->post([answer, command](sdk::Core& core) { answer->set(command(core)); }))
    return fail(Errc::closed, "the agent has stopped");
  while (true) {
    if (auto value = answer->wait(std::chrono::seconds(1))) return std::move(*value);
    const std::scoped_lock held(session_mutex_);
    if (stopped_) return fail(Errc::closed, "the agent has stopped");
  }
}

Result<AgentId> AgentImpl::resolve(std::string_view name) const {
  std::shared_ptr<const Peers> peers;
  {
    const std::scoped_lock held(peers_mutex_);
    peers = peers_;
  }
  if (const auto named = peers->by_nickname.find(name); named != peers->by_nickname.end())
    return named->second;
  if (name.starts_with("agent:")) {
    SW_TRY(const AgentId agent, parse_agent_id(name));
    if (peers->by_id.contains(agent)) return agent;
  }
  return fail(Errc::peer_unknown, "no peer is called " + std::string(name) + ": add it first");
}

std::vector<Peer> AgentImpl::peers() const {
  const std::scoped_lock held(peers_mutex_);
  std::vector<Peer> all;
  for (const auto& [id, peer] : peers_->by_id)
    all.push_back(peer);
  return all;
}

Result<Peer> AgentImpl::peer(std::string_view name) const {
  SW_TRY(const AgentId agent, resolve(name));
  const std::scoped_lock held(peers_mutex_);
  return peers_->by_id.at(agent);
}

Result<Peer> AgentImpl::set_contact(std::string_view name, Peer::Contact contact,
                                    std::string_view nickname, Millis timeout) {
  Result<AgentId> agent = resolve(name);
  if (!agent && (contact == Peer::Contact::allowed || name.starts_with("agent:")))
    agent = parse_agent_id(name);
  if (!agent) return fail(agent.error());
  auto done = std::make_shared<Once<Result<>>>();
  SW_TRY(const Result<> started, ask<Result<>>([&, done](sdk::Core& core) {
           return core.peers().set_contact(*agent, contact, std::string(nickname),
                                           [done](const Result<>& outcome) { done->set(outcome); });
         }));
  SW_CHECK(started);
  // The next command comes after the flush that wrote it.
  SW_CHECK(ask<int>([](sdk::Core&) { return 0; }).map([](int) {}));
  if (timeout.count() > 0) {
    const auto outcome = done->wait(timeout);
    if (!outcome) return fail(Errc::timeout, "remembered; the broker is told when it is reached");
    SW_CHECK(*outcome);
  }
  return peer(agent_text(*agent));
}

Result<> AgentImpl::set_nickname(std::string_view name, std::string_view nickname) {
  SW_TRY(const AgentId agent, resolve(name));
  SW_TRY(const Result<> done, ask<Result<>>([&](sdk::Core& core) {
           return core.peers().set_nickname(agent, std::string(nickname));
         }));
  SW_CHECK(done);
  return ask<int>([](sdk::Core&) { return 0; }).map([](int) {});
}

Result<std::string> AgentImpl::create_invite(Millis lifetime, Millis timeout) {
  if (lifetime.count() <= 0) return fail(Errc::config_invalid, "an invite lives for some time");
  SW_CHECK(wait_connected(timeout));
  auto made = std::make_shared<Once<Result<std::string>>>();
  SW_CHECK(ask<int>([&](sdk::Core& core) {
             core.peers().create_invite(
                 static_cast<std::uint64_t>(lifetime.count()),
                 [made](Result<std::string> text) { made->set(std::move(text)); });
             return 0;
           }).map([](int) {}));
  auto text = made->wait(timeout);
  if (!text) return fail(Errc::timeout, "the broker does not answer");
  return std::move(*text);
}

Result<Peer> AgentImpl::redeem(std::string_view invite, std::string_view nickname, Millis timeout) {
  SW_TRY(const Invite parsed, parse_invite(invite));
  auto done = std::make_shared<Once<Result<>>>();
  SW_TRY(const Result<> started, ask<Result<>>([&, done](sdk::Core& core) {
           return core.peers().redeem(invite, std::string(nickname),
                                      [done](const Result<>& outcome) { done->set(outcome); });
         }));
  SW_CHECK(started);
  const auto outcome = done->wait(timeout);
  if (!outcome) return fail(Errc::timeout, "the broker was not reached; it goes on trying");
  SW_CHECK(*outcome);
  return peer(agent_text(parsed.inviter.agent));
}

std::vector<Conversation> AgentImpl::conversations() {
  auto all = ask<std::vector<Conversation>>([](sdk::Core& core) {
    std::vector<Conversation> rows;
    std::map<AgentId, ConversationId> in_use;  // ids are in order: the first is the smallest
    for (const auto& [id, from] : core.conversations().all())
      if (from.established()) in_use.emplace(from.peer, id);
    for (const auto& [id, from] : core.conversations().all()) {
      Conversation row;
      row.id = hex(id);
      row.peer = agent_text(from.peer);
      if (const auto* peer = core.peers().find(from.peer)) row.nickname = peer->nickname;
      row.incarnation = from.incarnation;
      row.epoch = from.epoch;
      row.established = from.established();
      const auto used = in_use.find(from.peer);
      row.in_use = used != in_use.end() && used->second == id;
      row.sent_seq = from.sealed.next_seq;
      row.received_seq = from.received.next_seq;
      rows.push_back(std::move(row));
    }
    return rows;
  });
  return all ? std::move(*all) : std::vector<Conversation>();
}

Status AgentImpl::status() {
  Status status;
  status.agent = id_;
  status.instance = instance_;
  status.endpoint = driver_->endpoint();
  const auto asked = ask<int>([&status](sdk::Core& core) {
    if (core.session().ready()) {
      status.broker_key = hex(core.session().info().broker);
      status.session = hex(core.session().info().session);
    }
    status.outbox_waiting = core.outbox().waiting();
    status.outbox_in_flight = core.outbox().in_flight();
    status.inbox_waiting = core.inbox().waiting();
    status.key_packages = core.keys().at_broker();
    return 0;
  });
  const std::scoped_lock held(session_mutex_);
  status.connected = asked.has_value() && connected_;
  status.last_error = stopped_ ? stopped_ : last_error_;
  return status;
}

Result<> AgentImpl::wait_connected(Millis timeout) {
  std::unique_lock held(session_mutex_);
  const bool settled = session_changed_.wait_for(held, timeout, [this] {
    return connected_ || stopped_ || (last_error_ && is_refusal(last_error_->code));
  });
  if (connected_) return {};
  if (stopped_) return fail(*stopped_);
  if (last_error_) return fail(*last_error_);
  return settled ? Result<>() : fail(Errc::timeout, "no connection yet");
}

std::optional<Error> AgentImpl::wait_stopped(Millis timeout) {
  std::unique_lock held(session_mutex_);
  session_changed_.wait_for(held, timeout, [this] { return stopped_.has_value(); });
  return stopped_;
}

Result<> AgentImpl::drain(Millis deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  bool in_time = true;
  {
    std::unique_lock held(inbox_mutex_);
    draining_ = true;
    inbox_changed_.notify_all();
    in_time = inbox_changed_.wait_until(held, until, [this] { return !handling_ || abandoned_; });
    in_time = in_time && !abandoned_;
  }
  // What handlers have just sent has to reach the core first; commands are done in order.
  const auto reached = ask<int>([](sdk::Core&) { return 0; });
  if (reached && in_time) {
    const auto flushed = ask<int>([](sdk::Core&) { return 0; });
    std::unique_lock held(session_mutex_);
    in_time = flushed && session_changed_.wait_until(held, until, [this] {
      return quiet_ || stopped_ || abandoned_;
    }) && quiet_;
  }
  stop();
  if (!in_time)
    return fail(Errc::timeout, "not everything was accepted; the rest is sent next time");
  return {};
}

void AgentImpl::abandon_drain() {
  const std::scoped_lock held(inbox_mutex_, session_mutex_);
  abandoned_ = true;
  inbox_changed_.notify_all();
  session_changed_.notify_all();
}

void AgentImpl::stop() {
  if (driver_) driver_->stop();
  {
    const std::scoped_lock held(inbox_mutex_);
    ended_ = true;
    inbox_changed_.notify_all();
  }
  if (handlers_.joinable() && handlers_.get_id() != std::this_thread::get_id()) handlers_.join();
}

}  // namespace sealwire

// The public face: every call goes to AgentImpl.
#include "sealwire/agent.h"

#include "sdk/cpp/agent/agent_impl.h"
#include "sdk/cpp/agent/signals.h"

namespace sealwire {
namespace {
constexpr Millis kDrain = std::chrono::seconds(10);
}

std::string_view name(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::connected:
      return "connected";
    case Notice::Kind::disconnected:
      return "disconnected";
    case Notice::Kind::stopped:
      return "stopped";
    case Notice::Kind::refused:
      return "refused";
    case Notice::Kind::undecryptable:
      return "undecryptable";
    case Notice::Kind::lost:
      return "lost";
    case Notice::Kind::chain_broken:
      return "chain_broken";
    case Notice::Kind::conversation_opened:
      return "conversation_opened";
    case Notice::Kind::peer_added:
      return "peer_added";
    case Notice::Kind::request_expired:
      return "request_expired";
    case Notice::Kind::handler_failed:
      return "handler_failed";
  }
  return "unknown";
}

Result<Agent> Agent::open(Result<Options> options) {
  if (!options) return fail(options.error());
  SW_TRY(auto impl, AgentImpl::open(std::move(*options)));
  return Agent(std::move(impl));
}

Agent::Agent(std::shared_ptr<AgentImpl> impl) : impl_(std::move(impl)) {}
Agent::Agent(Agent&&) noexcept = default;
Agent& Agent::operator=(Agent&& other) noexcept {
  if (this != &other) {
    if (impl_) impl_->stop();
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Agent::~Agent() {
  if (impl_) impl_->stop();
}

const std::string& Agent::id() const {
  return impl_->id();
}
const std::string& Agent::instance() const {
  return impl_->instance();
}
Result<> Agent::wait_connected(Millis timeout) {
  return impl_->wait_connected(timeout);
}

Result<Sending> Agent::send(std::string_view peer, Payload payload, const SendOptions& options) {
  return impl_->send(peer, std::move(payload), options);
}
Result<Message> Agent::request(std::string_view peer, Payload payload, Millis deadline) {
  return impl_->request(peer, std::move(payload), deadline);
}
Result<Sending> Agent::reply(const Message& message, Payload answer) {
  return impl_->reply(message, std::move(answer), PayloadKind::reply);
}
Result<> Agent::transact(const std::function<Result<>(Transaction&)>& body) {
  return impl_->transact(body);
}

void Agent::on_message(std::function<void(const Message&)> handler) {
  impl_->on_message(std::move(handler));
}
void Agent::handle(std::function<Result<>(Transaction&, const Message&)> handler) {
  impl_->handle(std::move(handler));
}
Result<Message> Agent::receive(Millis timeout) {
  return impl_->receive(timeout);
}
Result<> Agent::acknowledge(const Message& message) {
  return impl_->acknowledge(message);
}
void Agent::on_notice(std::function<void(const Notice&)> handler) {
  impl_->on_notice(std::move(handler));
}

std::vector<Peer> Agent::peers() const {
  return impl_->peers();
}
Result<Peer> Agent::peer(std::string_view name) const {
  return impl_->peer(name);
}
Result<Peer> Agent::add_peer(std::string_view agent_id, std::string_view nickname, Millis timeout) {
  return impl_->set_contact(agent_id, Peer::Contact::allowed, nickname, timeout);
}
Result<> Agent::set_nickname(std::string_view peer, std::string_view nickname) {
  return impl_->set_nickname(peer, nickname);
}
Result<Peer> Agent::block(std::string_view peer, Millis timeout) {
  return impl_->set_contact(peer, Peer::Contact::blocked, "", timeout);
}
Result<std::string> Agent::create_invite(Millis lifetime, Millis timeout) {
  return impl_->create_invite(lifetime, timeout);
}
Result<Peer> Agent::redeem(std::string_view invite, std::string_view nickname, Millis timeout) {
  return impl_->redeem(invite, nickname, timeout);
}
std::vector<Conversation> Agent::conversations() const {
  return impl_->conversations();
}
Status Agent::status() const {
  return impl_->status();
}

Result<> Agent::run() {
  SW_TRY(SignalWatch signals, SignalWatch::start());
  while (true) {
    // The agent may end by itself: looked at between waits, since a signal is not a condition.
    if (signals.wait(Millis(200))) break;
    if (const auto why = impl_->wait_stopped(Millis(0)))
      return why->code == Errc::closed ? Result<>() : fail(*why);
  }
  std::atomic<bool> done = false;
  std::thread second([&] {
    while (!done)
      if (signals.wait(Millis(100)) && !done) return impl_->abandon_drain();
  });
  Result<> drained = impl_->drain(kDrain);
  done = true;
  second.join();
  return drained;
}

Result<> Agent::drain(Millis deadline) {
  return impl_->drain(deadline);
}
void Agent::stop() {
  impl_->stop();
}

}  // namespace sealwire

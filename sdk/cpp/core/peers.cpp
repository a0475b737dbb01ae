#include "sdk/cpp/core/peers.h"

#include "protocol/identity/did_key.h"

namespace sealwire::sdk {
namespace {

const RowKey kRedemptionRow(as_bytes("redemption"));

constexpr std::uint64_t kRetryMs = kSecondMs;

bool is_passing(Errc code) {
  return code == Errc::overloaded || code == Errc::rate_limited || code == Errc::timeout;
}

Error no_peer(std::string_view name) {
  return {Errc::peer_unknown, "no peer is called " + std::string(name) + ": add it first"};
}

}  // namespace

Result<> Peers::load() {
  SW_CHECK(shared_.state.scan(Table::peers, [this](ByteSpan, SecretBytes value) -> Result<> {
    SW_TRY(PeerRow row, decode_peer(value.span()));
    if (row.inception) by_instance_[row.instance] = row.agent;
    peers_[row.agent] = std::move(row);
    return {};
  }));
  Result<> invites =
      shared_.state.scan(Table::invites, [this](ByteSpan key, SecretBytes value) -> Result<> {
        Reader in(value.span());
        const UnixMillis expires{in.u64()};
        SW_CHECK(in.done("the invites"));
        if (const auto invite = InviteKey::from(key)) invites_[*invite] = expires;
        return {};
      });
  if (!invites) return invites;
  SW_TRY(const auto pending, shared_.state.read(Table::meta, kRedemptionRow));
  if (pending) {
    Reader in(pending->span());
    std::string text = in.text();
    SW_CHECK(in.done("the pending redemption"));
    SW_TRY(Invite invite, parse_invite(text));
    redeeming_ = Redeeming{std::move(text), std::move(invite), false, false, {}};
  }
  return {};
}

const PeerRow* Peers::find(const AgentId& agent) const {
  const auto found = peers_.find(agent);
  return found == peers_.end() ? nullptr : &found->second;
}

const PeerRow* Peers::find_instance(const InstanceKey& instance) const {
  const auto found = by_instance_.find(instance);
  return found == by_instance_.end() ? nullptr : find(found->second);
}

Result<AgentId> Peers::resolve(std::string_view name) const {
  if (name.starts_with("agent:")) {
    SW_TRY(const AgentId agent, parse_agent_id(name));
    if (find(agent) == nullptr) return fail(no_peer(name));
    return agent;
  }
  if (!name.empty())
    for (const auto& [agent, row] : peers_)
      if (row.nickname == name) return agent;
  return fail(no_peer(name));
}

void Peers::save(const PeerRow& row) {
  ++version_;
  shared_.write(Table::peers, RowKey(row.agent.span()), encode(row));
}

Result<> Peers::learn(const AgentIdentity& identity) {
  PeerRow& row = peers_[identity.agent];
  row.agent = identity.agent;
  if (row.inception) {
    // An agent id certifies one inception only: another key under it cannot verify.
    return row.instance == identity.instance
               ? Result<>()
               : fail(Errc::peer_key_changed, agent_text(identity.agent));
  }
  row.inception = identity.inception;
  row.instance = identity.instance;
  by_instance_[identity.instance] = identity.agent;
  save(row);
  return {};
}

Result<> Peers::set_nickname(const AgentId& agent, std::string nickname) {
  for (const auto& [other, row] : peers_)
    if (!nickname.empty() && row.nickname == nickname && other != agent)
      return fail(Errc::config_invalid, nickname + " is " + agent_text(other) + " already");
  if (nickname.starts_with("agent:"))
    return fail(Errc::config_invalid, "a nickname does not begin with agent:");
  PeerRow& row = peers_[agent];
  row.agent = agent;
  row.nickname = std::move(nickname);
  save(row);
  return {};
}

Result<> Peers::set_contact(const AgentId& agent, Peer::Contact contact, std::string nickname,
                            Done done) {
  if (agent == shared_.self.agent) return fail(Errc::config_invalid, "this is the agent itself");
  if (!nickname.empty()) SW_CHECK(set_nickname(agent, std::move(nickname)));
  PeerRow& row = peers_[agent];
  row.agent = agent;
  if (row.contact != contact) row.confirmed = false;
  row.contact = contact;
  save(row);
  if (row.confirmed) {
    if (done) shared_.after_flush([done] { done({}); });
    return {};
  }
  if (done) waiting_contacts_[agent].push_back(std::move(done));
  if (session_.ready()) {
    tell_contact(agent);
    if (contact == Peer::Contact::allowed) look_up(agent);
  }
  return {};
}

void Peers::complete(const AgentId& agent, const Result<>& outcome) {
  const auto waiting = waiting_contacts_.find(agent);
  if (waiting == waiting_contacts_.end()) return;
  for (Done& done : waiting->second)
    shared_.after_flush([done = std::move(done), outcome] { done(outcome); });
  waiting_contacts_.erase(waiting);
}

void Peers::tell_contact(const AgentId& agent) {
  const Peer::Contact contact = peers_[agent].contact;
  flatbuffers::FlatBufferBuilder b;
  const auto agent_at = put(b, agent.bytes);
  calls_.make(b, wire::CreateSetContact(b, agent_at, static_cast<wire::Contact>(contact)),
              [this, agent, contact](const Result<const wire::Reply*>& reply) {
                PeerRow& row = peers_[agent];
                if (row.contact != contact) return;  // changed meanwhile: told again
                if (reply) {
                  row.confirmed = true;
                  save(row);
                  complete(agent, {});
                } else if (reply.error().code != Errc::closed) {
                  complete(agent, fail(reply.error()));
                }
              });
}

void Peers::look_up(const AgentId& agent) {
  const PeerRow* row = find(agent);
  if (!session_.ready() || row == nullptr || row->inception || !asked_.insert(agent).second) return;
  lookups_.insert(agent);
  flatbuffers::FlatBufferBuilder b;
  const auto agent_at = put(b, agent.bytes);
  calls_.make(
      b, wire::CreateLookup(b, agent_at), [this, agent](const Result<const wire::Reply*>& reply) {
        const auto found = response<wire::Found>(reply);
        // The broker could not say now: what waits for the answer waits on, and is not refused.
        if (!found && is_passing(found.error().code)) {
          asked_.erase(agent);
          retry_at_ = shared_.now + kRetryMs;
          return;
        }
        lookups_.erase(agent);
        if (!found) return;
        const auto identity = verify_inception(from_wire(*(*found)->inception()));
        if (identity && identity->agent == agent) {
          if (const auto learnt = learn(*identity); !learnt) shared_.stop(learnt.error());
        } else {
          shared_.notice(Notice::Kind::undecryptable, "the broker shows another agent's inception",
                         Error{Errc::inception_invalid, {}}, &agent);
        }
      });
}

bool Peers::resolve_unknown() {
  for (const auto& [agent, row] : peers_)
    if (row.contact == Peer::Contact::allowed && !row.inception) look_up(agent);
  return resolving();
}

void Peers::on_ready() {
  asked_.clear();
  for (const auto& [agent, row] : peers_)
    if (!row.confirmed && row.contact != Peer::Contact::none) tell_contact(agent);
  if (!redeeming_) return;
  if (redeeming_->in_proof)
    finish_redeeming({});
  else
    redeem_by_call();
}

void Peers::on_timer() {
  if (shared_.now < retry_at_ || !session_.ready()) return;
  retry_at_ = {UINT64_MAX};
  const auto waiting = lookups_;
  for (const AgentId& agent : waiting)
    look_up(agent);
}

void Peers::on_session_end() {
  lookups_.clear();
  retry_at_ = {UINT64_MAX};
}

}  // namespace sealwire::sdk

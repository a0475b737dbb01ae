// Whom this agent knows: pins, contacts and their nicknames, kept here and told to the broker;
// invites made and redeemed.
#pragma once

#include <map>
#include <unordered_set>

#include "sdk/cpp/core/calls.h"
#include "sdk/cpp/core/rows.h"

namespace sealwire::sdk {

class Peers {
 public:
  Peers(Shared& shared, Session& session, Calls& calls)
      : shared_(shared), session_(session), calls_(calls) {}
  Result<> load();

  const PeerRow* find(const AgentId& agent) const;
  /// An agent id or a nickname. Fails with peer_unknown.
  Result<AgentId> resolve(std::string_view name) const;
  /// By the instance key of a verified inception; null when none is known.
  const PeerRow* find_instance(const InstanceKey& instance) const;
  const std::map<AgentId, PeerRow>& all() const { return peers_; }
  /// Rises with every change.
  std::uint64_t version() const { return version_; }

  /// Takes over what an inception shows; `inception` was verified. Fails with peer_key_changed.
  Result<> learn(const AgentIdentity& identity);
  /// Fails with config_invalid when another peer has the nickname.
  Result<> set_nickname(const AgentId& agent, std::string nickname);
  /// Remembered at once; `done` when the broker has taken it over (or refused).
  Result<> set_contact(const AgentId& agent, Peer::Contact contact, std::string nickname,
                       Done done);
  /// Asks the broker for an inception that is not known yet; once a session and agent.
  void look_up(const AgentId& agent);
  /// Allowed peers whose inception is still to come in this session.
  bool resolving() const { return !lookups_.empty(); }
  /// Starts a look-up for every allowed peer that was not asked for in this session. False when
  /// there is none to wait for.
  bool resolve_unknown();

  // --- invites
  void create_invite(std::uint64_t lifetime_ms, std::function<void(Result<std::string>)> done);
  /// Fails with invite_malformed, broker_key_mismatch, config_invalid (the nickname). `done` may be
  /// empty.
  Result<> redeem(std::string_view text, std::string nickname, Done done);
  /// To be redeemed in the Proof of the next handshake; null if there is none.
  const Invite* invite_for_proof();
  /// The handshake failed because the agent is not admitted. True: trying again makes sense now.
  bool on_not_admitted();
  /// A mailbox item: somebody redeemed an invite of ours.
  void on_redeemed(const SignedStatement& redemption, const SignedStatement& inception);

  void on_ready();
  void on_session_end();
  void on_timer();
  UnixMillis next_timer() const { return retry_at_; }
  void on_clock_set_back(std::uint64_t ms) { retry_at_ = retry_at_ - ms; }

 private:
  struct Redeeming {
    std::string text;
    Invite invite;
    bool in_proof = false;  // of the next handshake, or of this session's
    bool tried_proof = false;
    Done done;
  };
  void save(const PeerRow& row);
  void tell_contact(const AgentId& agent);
  void redeem_by_call();
  void check_redeemed(const Error& refusal);
  void finish_redeeming(const Result<>& outcome);
  void complete(const AgentId& agent, const Result<>& outcome);

  Shared& shared_;
  Session& session_;
  Calls& calls_;
  std::map<AgentId, PeerRow> peers_;
  std::uint64_t version_ = 0;
  std::unordered_map<InstanceKey, AgentId> by_instance_;
  std::unordered_map<AgentId, std::vector<Done>> waiting_contacts_;
  std::unordered_set<AgentId> asked_;    // in this session
  std::unordered_set<AgentId> lookups_;  // under way
  UnixMillis retry_at_{UINT64_MAX};      // of look-ups that the broker could not answer
  std::unordered_map<InviteKey, UnixMillis> invites_;
  std::optional<Redeeming> redeeming_;
};

}  // namespace sealwire::sdk

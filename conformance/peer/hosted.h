// The suite as the broker of one agent: the handshake step by step, so that each step can be wrong,
// and an honest session after it. What the agent sends is checked by what an agent owes a broker.
#pragma once

#include <deque>
#include <set>

#include "conformance/peer/envelope.h"
#include "conformance/peer/handshake.h"
#include "conformance/transport/served.h"

namespace conformance {

/// A broker's key and store, over the sessions of the one agent that it has. `peer` is the inviter.
struct HostStore {
  const Bytes seed = random_bytes(32), key = public_key(seed), incarnation = random_bytes(16);
  const Agent peer;
  const Bytes invite_seed = random_bytes(32);
  std::vector<Table> mailbox;   // Entry tables; the first has sequence 1
  std::vector<Envelope> waits;  // for the Refusal of a Nack: what was delivered, by sequence
  std::uint64_t acked = 0;
  std::set<std::uint64_t> nacked;
  Bytes agent_key, agent_id, prekey;
  std::vector<Bytes> key_packages, nonces, ephemerals;
  Bytes last_resort;
  bool redeemed = false;
  std::vector<Bytes> sent;           // envelopes of the agent
  std::vector<std::size_t> bundles;  // how many envelopes each of its bundles had
  bool admits = true;                // or only who redeems in Claims
  Table claimed;                     // the Response to a Claim; none: `unknown`
  int claims = 0;
  Signed agent_inception;
  std::uint64_t idle_ms = 30'000;

  /// Puts an entry into the mailbox and gives its sequence.
  std::uint64_t put(const Envelope& envelope);
  std::uint64_t put(Table item, Envelope about = {});
  std::string invite_text(const std::string& endpoint) const;
};

class Hosted {
 public:
  Hosted(std::unique_ptr<ServedSocket> socket, HostStore& store);

  // --- the handshake
  void take_hello();
  Table terms() const;
  /// The Challenge with these terms, as the right key signs it.
  Bytes challenge(const Table& terms) const { return challenge(terms, store_.seed); }
  Bytes challenge(const Table& terms, View seed) const;
  Bytes challenge_input(View terms) const;
  void send_challenge(const Bytes& frame);
  void take_proof();
  Bytes ready() const;
  void send_ready();
  void greet();  // all of it

  // --- anything
  void send(const Table& body) { send_frame(frame(body)); }
  void send_frame(const Bytes& bytes);
  /// As it goes over the wire, sealed by nobody.
  void send_raw(const Bytes& message);
  Bytes seal(const Bytes& bytes) {
    return keys_.out.empty() ? bytes : aead_seal(keys_.out, sent_++, bytes);
  }
  bool is_ready() const { return ready_; }
  bool sealed() const { return !keys_.out.empty(); }
  /// One message of the agent, answered; false at the end of the connection.
  bool pump();
  /// The code of the agent's Close; throws Failure where the connection ends without one, or does
  /// not.
  Code closing_code();
  /// What the credit allows of the mailbox.
  void deliver();
  /// Nothing comes for so long.
  void silence(int ms);

  ServedSocket& socket() { return *socket_; }
  HostStore& store() { return store_; }
  const Bytes& hello_bytes() const { return hello_; }
  std::set<std::uint64_t> pongs;
  int pings = 0;
  std::optional<Code> closed;
  std::uint64_t claims_acked = 0;
  Bytes claims_incarnation;

 private:
  Frame open(const Bytes& message);
  void on_call(const wire::Call& call);
  void on_nack(const wire::Nack& nack);
  void check_redemption(const wire::Signed& redemption);
  void accept(const wire::Send& send);
  void reply(std::uint32_t id, Code code, std::optional<Table> response = {});

  std::unique_ptr<ServedSocket> socket_;
  HostStore& store_;
  Bytes hello_, challenge_, proof_, transcript_, hello_ephemeral_;
  wire::Binding binding_;
  Bytes binding_value_;
  const AgreementKey ephemeral_ = make_agreement_key();
  Keys keys_;
  bool ready_ = false;
  std::uint64_t sent_ = 0, received_ = 0;
  std::uint64_t credit_entries_ = 0, credit_bytes_ = 0, used_entries_ = 0, used_bytes_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace conformance

// What a case has at hand: people with sessions, and words for what must come.
#pragma once

#include "conformance/peer/session.h"
#include "conformance/runner/case.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/settings.h"

namespace conformance {

/// An agent with its present session and its place in the conversation that it is in.
struct Person {
  Agent agent;
  std::unique_ptr<Session> session;
  Chain chain = {};

  const Bytes& key() const { return agent.key; }
  Session* operator->() { return session.get(); }
};

/// Invites everybody whom the cases of one thread need.
class Sponsor {
 public:
  explicit Sponsor(const Settings& settings) : settings_(settings) {}
  /// The seed of a fresh invite; `joined` takes the notice of its redemption.
  Bytes invite();
  void joined();

 private:
  void connect();
  const Settings& settings_;
  std::unique_ptr<Person> person_;
  int used_ = 0;
};

class Run {
 public:
  Run(const Settings& settings, Way way, Sponsor& sponsor);

  const Settings& settings;
  const Way way;
  const bool sealed;
  Target target;

  /// An agent that nobody has invited.
  Agent stranger() const { return Agent(); }
  Person newcomer();
  /// Two who allow each other.
  std::pair<Person, Person> pair();
  /// Two with an open conversation: everything delivered, both chains in epoch 1.
  std::pair<Person, Person> conversation();

  std::unique_ptr<Session> connect(const Agent& agent, const Bytes& invite_seed = {});
  std::unique_ptr<Session> connect(const Agent& agent, const Table& extra_claims);
  Handshake handshake(const Agent& agent) { return Handshake(target, agent, sealed); }
  void reconnect(Person& person) { person.session = connect(person.agent); }
  Bytes invite_by(Person& person, std::uint64_t lifetime_ms = kHour);
  Sponsor& sponsor;

  /// Runs the control command of the durable profile.
  void control(const std::string& what);
};

void befriend(Person& one, Person& other);
void open_conversation(Person& a, Person& b);
/// The next durable envelope of the sender's chain, accepted.
Envelope say(Person& sender, Bytes body = bytes_of("opaque"));
/// The same with other header fields.
Envelope say_with(Person& sender, const std::vector<std::pair<std::string, Value>>& fields);
Entry next_entry(Person& person);  // granted, taken, acknowledged
/// The envelope of the next entry must be this one, to the byte.
void receives(Person& person, const Envelope& envelope);
/// The sender's chain stands where it stood, and the receiver got nothing of what was refused.
void goes_on(Person& sender, Person& receiver);

// --- what must come ---
void expect(bool condition, const std::string& what);
template <class A, class B>
void equal(const A& got, const B& wanted, const std::string& what) {
  if (!(got == wanted))
    throw Failure(what + ": " + std::to_string(got) + " instead of " + std::to_string(wanted));
}
void same(View got, View wanted, const std::string& what);
std::vector<Receipt> accepted(const Answer& answer);
Rejection rejected(const Answer& answer, Code code);
Rejection refuses(Person& sender, const std::vector<Envelope>& bundle, Code code);
/// The session ends, by Close with this code.
void closes(Session& session, Code code);
void closes(Handshake& handshake, Code code);
/// The call is answered by this code, or by ok.
Session::Replied done(const Session::Replied& reply);
void denied(const Session::Replied& reply, Code code);
/// Connecting ends in Close with this code.
template <class Connect>
void turned_away(Connect connect, Code code) {
  try {
    connect();
  } catch (const SessionClosed& closed) {
    if (!closed.code) throw Failure("the connection closed without Close(" + code_name(code) + ")");
    if (*closed.code != code)
      throw Failure("Close(" + code_name(*closed.code) + ") instead of Close(" + code_name(code) +
                    ")");
    return;
  }
  throw Failure("Ready came instead of Close(" + code_name(code) + ")");
}

}  // namespace conformance

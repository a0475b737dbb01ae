#include "conformance/runner/run.h"

#include <cstdlib>
#include <mutex>

namespace conformance {
namespace {

constexpr int kInvitesPerSponsor = 400;  // a target bounds the contacts of one agent

std::unique_ptr<Session> join(const Target& target, const Agent& agent, bool sealed,
                              const Bytes& invite_seed) {
  Handshake handshake(target, agent, sealed);
  handshake.greet();
  Table claims = handshake.claims();
  if (!invite_seed.empty())
    claims = claims.with("redemption", agent.redemption(invite_seed, handshake.transcript));
  handshake.send_proof(handshake.proof(claims));
  return std::make_unique<Session>(std::move(handshake));
}

Target first_target(const Settings& settings) {
  return {settings.websocket ? *settings.websocket : *settings.zeromq, settings.broker_key};
}

Bytes issue(Session& session, std::uint64_t lifetime_ms) {
  const Bytes seed = random_bytes(32);
  for (int tries = 0; tries < 50; ++tries) {
    const auto reply = session.call(
        {"IssueInvite", {{"key", public_key(seed)}, {"expires_ms", now_ms() + lifetime_ms}}});
    if (reply.code == Code::ok) return seed;
    if (reply.code != Code::rate_limited)
      throw Failure("IssueInvite was answered " + code_name(reply.code));
    sleep_until_ms(now_ms() + 100);
  }
  throw Failure("IssueInvite was answered rate_limited for 5 s");
}

void take_redeemed(Person& person) {
  const Entry entry = next_entry(person);
  expect(entry.type == wire::Item::Redeemed, "a Redeemed item in the inviter's mailbox (KEY-023)");
}

}  // namespace

std::string name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::non_strict:
      return "non-strict";
    case Verdict::not_applicable:
      return "not applicable";
    case Verdict::not_run:
      break;
  }
  return "not run";
}

std::string name_of(Way way) {
  switch (way) {
    case kBound:
      return "bound";
    case kSealed:
      return "sealed";
    case kCurve:
      return "curve";
    case kCurveSealed:
      break;
  }
  return "curve-sealed";
}

void Sponsor::connect() {
  const Target target = first_target(settings_);
  if (!person_ || used_ >= kInvitesPerSponsor) {
    // The admitted agent has one session at a time, whoever uses it.
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    Person host{Agent(settings_.seed), join(target, Agent(settings_.seed), false, {})};
    Agent agent;
    const Bytes seed = issue(*host.session, kHour);
    person_ = std::make_unique<Person>(Person{agent, join(target, agent, false, seed)});
    used_ = 0;
    host->close();
  } else {
    person_->session = join(target, person_->agent, false, {});
  }
}

Bytes Sponsor::invite() {
  for (int tries = 0;; ++tries) {
    try {
      if (!person_ || !person_->session || ++used_ > kInvitesPerSponsor) connect();
      return issue(*person_->session, kHour);
    } catch (const SessionClosed&) {  // idle for long, or the target was restarted
      if (person_) person_->session.reset();
      if (tries == 2) throw;
    }
  }
}

void Sponsor::joined() {
  take_redeemed(*person_);
}

Run::Run(const Settings& from, Way over, Sponsor& by)
    : settings(from),
      way(over),
      sealed(over == kSealed || over == kCurveSealed),
      target{over == kBound || over == kSealed ? *from.websocket : *from.zeromq, from.broker_key},
      sponsor(by) {}

std::unique_ptr<Session> Run::connect(const Agent& agent, const Bytes& invite_seed) {
  return join(target, agent, sealed, invite_seed);
}

std::unique_ptr<Session> Run::connect(const Agent& agent, const Table& extra_claims) {
  Handshake shaking = handshake(agent);
  shaking.greet();
  Table claims = shaking.claims();
  for (const auto& [field, value] : extra_claims.fields)
    claims = claims.with(field, value);
  shaking.send_proof(shaking.proof(claims));
  return std::make_unique<Session>(std::move(shaking));
}

Person Run::newcomer() {
  Agent agent;
  const Bytes seed = sponsor.invite();
  Person person{agent, connect(agent, seed)};
  sponsor.joined();
  return person;
}

Bytes Run::invite_by(Person& person, std::uint64_t lifetime_ms) {
  return issue(*person.session, lifetime_ms);
}

std::pair<Person, Person> Run::pair() {
  Person a = newcomer();
  const Bytes seed = invite_by(a);
  Agent agent;
  Person b{agent, connect(agent, seed)};
  take_redeemed(a);
  return {std::move(a), std::move(b)};
}

std::pair<Person, Person> Run::conversation() {
  auto people = pair();
  open_conversation(people.first, people.second);
  return people;
}

void Run::control(const std::string& what) {
  if (settings.control.empty()) throw NotApplicable("no --control command was given");
  const int status = std::system((settings.control + " " + what).c_str());
  if (status != 0) throw NotRun("the control command failed: " + what);
}

void befriend(Person& one, Person& other) {
  done(one->call({"SetContact", {{"agent", other.agent.id}, {"contact", 1}}}));
  done(other->call({"SetContact", {{"agent", one.agent.id}, {"contact", 1}}}));
}

void open_conversation(Person& a, Person& b) {
  a.chain = Chain();
  const auto bundle = a.chain.opening(a.agent, b.key());
  accepted(a->send(bundle));
  a.chain.take(bundle[0]);
  a.chain.enter(1);
  receives(b, bundle[1]);
  b.chain = Chain{a.chain.conversation, a.chain.incarnation, 1, 0, {}};
}

Envelope say(Person& sender, Bytes body) {
  Envelope envelope = sender.chain.application(sender.agent, std::move(body));
  accepted(sender->send({envelope}));
  sender.chain.take(envelope);
  return envelope;
}

Envelope say_with(Person& sender, const std::vector<std::pair<std::string, Value>>& fields) {
  Table header = sender.chain.header(sender.agent, kind::application);
  for (const auto& [name, value] : fields)
    header = header.with(name, value);
  Envelope envelope = seal(sender.agent, finish("SWHD", header), bytes_of("opaque"));
  accepted(sender->send({envelope}));
  sender.chain.take(envelope);
  return envelope;
}

Entry next_entry(Person& person) {
  person->grant(1);
  Entry entry = person->take();
  if (entry.sequence != 0) person->ack(entry.sequence);
  return entry;
}

void receives(Person& person, const Envelope& envelope) {
  const Entry entry = next_entry(person);
  expect(entry.type == wire::Item::Delivery, "the next entry is a Delivery");
  same(entry.envelope, envelope.bytes, "the delivered envelope");
}

void goes_on(Person& sender, Person& receiver) {
  receives(receiver, say(sender));
}

void expect(bool condition, const std::string& what) {
  if (!condition) throw Failure("not so: " + what);
}

void same(View got, View wanted, const std::string& what) {
  if (std::equal(got.begin(), got.end(), wanted.begin(), wanted.end())) return;
  throw Failure(what + ": " + hex(got.first(std::min<std::size_t>(got.size(), 64))) +
                " instead of " + hex(wanted.first(std::min<std::size_t>(wanted.size(), 64))));
}

std::vector<Receipt> accepted(const Answer& answer) {
  if (answer.rejection) throw Failure("rejected: " + code_name(answer.rejection->code));
  return answer.receipts;
}

Rejection rejected(const Answer& answer, Code code) {
  if (!answer.rejection) throw Failure("accepted instead of rejected: " + code_name(code));
  if (answer.rejection->code != code)
    throw Failure("rejected with " + code_name(answer.rejection->code) + " instead of " +
                  code_name(code));
  return *answer.rejection;
}

Rejection refuses(Person& sender, const std::vector<Envelope>& bundle, Code code) {
  return rejected(sender->send(bundle), code);
}

namespace {
void compare(const std::optional<Code>& got, Code wanted) {
  if (!got) throw Failure("the connection closed without Close(" + code_name(wanted) + ")");
  if (*got != wanted)
    throw Failure("Close(" + code_name(*got) + ") instead of Close(" + code_name(wanted) + ")");
}
}  // namespace

void closes(Session& session, Code code) {
  compare(session.closing_code(), code);
}
void closes(Handshake& handshake, Code code) {
  compare(handshake.refusal(), code);
}

Session::Replied done(const Session::Replied& reply) {
  if (reply.code != Code::ok)
    throw Failure("the Reply is " + code_name(reply.code) + " instead of ok");
  return reply;
}

void denied(const Session::Replied& reply, Code code) {
  if (reply.code != code)
    throw Failure("the Reply is " + code_name(reply.code) + " instead of " + code_name(code));
}

}  // namespace conformance

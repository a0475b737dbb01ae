// The durable profile: what is promised as stored is there when the broker comes back from kill -9.
#include "conformance/runner/run.h"

namespace conformance {

Cases durable_cases() {
  Cases cases;
  cases.push_back({.id = "DLV-002.kill",
                   .steps = "Opens a conversation and sends ten envelopes; at the last Accepted "
                            "the broker is killed and started",
                   .expects = "the welcome and all ten are there, in order; the chain and the "
                              "sequence go on; a repeated envelope gets its receipt",
                   .run =
                       [](Run& t) {
                         if (t.settings.control.empty())
                           throw NotApplicable("no --control command was given");
                         auto [a, b] = t.pair();
                         b->close();
                         const auto opening = a.chain.opening(a.agent, b.key());
                         accepted(a->send(opening));
                         a.chain.take(opening[0]);
                         a.chain.enter(1);
                         std::vector<Envelope> sent;
                         for (int i = 0; i < 9; ++i)
                           sent.push_back(say(a));
                         const Envelope last = a.chain.application(a.agent);
                         const Receipt receipt = accepted(a->send({last})).at(0);
                         t.control("kill");
                         a.chain.take(last);
                         sent.push_back(last);
                         t.reconnect(a);
                         t.reconnect(b);
                         receives(b, opening[1]);
                         for (const Envelope& e : sent)
                           receives(b, e);
                         expect(accepted(a->send({last})).at(0) == receipt, "the same receipt");
                         goes_on(a, b);
                       },
                   .also = {"DLV-005", "DLV-020"},
                   .ways = kBound,
                   .pace = Pace::alone,
                   .profile = "durable"});
  cases.push_back(
      {.id = "DLV-002.kill-calls",
       .steps = "Sets a contact, publishes packages and claims one, acknowledges an entry; the "
                "broker is killed and started",
       .expects = "contact, pool, claim and Ack are as they were",
       .run =
           [](Run& t) {
             if (t.settings.control.empty()) throw NotApplicable("no --control command was given");
             auto [a, b] = t.conversation();
             const Bytes one = random_bytes(90), two = random_bytes(90);
             done(b->call(
                 {"Publish",
                  {{"key_packages", std::vector<Table>{{"KeyPackageBytes", {{"bytes", one}}},
                                                       {"KeyPackageBytes", {{"bytes", two}}}}}}}));
             same(view(done(a->call({"Claim", {{"agent", b.agent.id}}}))
                           .as<wire::Claimed>()
                           ->key_package()),
                  one, "the first");
             const Envelope e = say(a);
             const Envelope blocked = say(a);
             receives(b, e);
             done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 2}}}));
             t.control("kill");
             t.reconnect(a);
             t.reconnect(b);
             equal(b->key_packages, 1u, "key_packages");
             refuses(a, {a.chain.application(a.agent)}, Code::denied);
             const Entry entry = next_entry(b);
             expect(entry.type == wire::Item::Tombstone && entry.remains == blocked.remains(),
                    "the first was acknowledged, the second is withheld");
             done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 1}}}));
             same(view(done(a->call({"Claim", {{"agent", b.agent.id}}}))
                           .as<wire::Claimed>()
                           ->key_package()),
                  two, "the second");
           },
       .also = {"KEY-012", "DLV-033", "DLV-029"},
       .ways = kBound,
       .pace = Pace::alone,
       .profile = "durable"});
  cases.push_back({.id = "DLV-054.drain",
                   .steps = "Asks the broker to stop while two sessions live; starts it again",
                   .expects = "Close(closing) on both; what was accepted is there",
                   .run =
                       [](Run& t) {
                         if (t.settings.control.empty())
                           throw NotApplicable("no --control command was given");
                         auto [a, b] = t.conversation();
                         const Envelope e = say(a);
                         t.control("drain");
                         closes(*a.session, Code::closing);
                         closes(*b.session, Code::closing);
                         t.control("start");
                         t.reconnect(a);
                         t.reconnect(b);
                         receives(b, e);
                         goes_on(a, b);
                       },
                   .also = {"SES-032"},
                   .ways = kBound | kCurve,
                   .pace = Pace::alone,
                   .profile = "durable"});
  return cases;
}

}  // namespace conformance

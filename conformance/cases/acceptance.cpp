// SPEC chapter DLV: what is accepted, how it is confirmed, and who may write to whom.
#include "conformance/runner/run.h"

namespace conformance {
namespace {

void confirming(Cases& cases) {
  cases.push_back(
      {.id = "DLV-003.acceptance",
       .steps = "Sends an envelope",
       .expects = "Accepted whose Acceptance verifies under the broker's key and its label, with "
                  "id, digest and sequence; with one bit turned it does not",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const Envelope e = say(a);
             const SignedView& last = a->acceptances.back();
             expect(!verify(t.target.broker_key,
                            labelled("sealwire/0 acceptance", {flipped(last.statement, -1)}),
                            last.signature),
                    "a changed one does not verify");
             expect(!verify(t.target.broker_key, labelled("sealwire/0 refusal", {last.statement}),
                            last.signature),
                    "nor under another label");
             receives(b, e);
           },
       .also = {"ENV-006", "KEY-002"}});
  cases.push_back(
      {.id = "DLV-003.batch",
       .steps = "Sends 200 bundles in one Send",
       .expects = "200 receipts with the conversation sequences 3 to 202, delivered in order",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             std::vector<std::vector<Envelope>> bundles;
             for (int i = 0; i < 200 && (t.settings.mailbox_entries == 0 ||
                                         i < static_cast<int>(t.settings.mailbox_entries) / 2);
                  ++i) {
               bundles.push_back(
                   {a.chain.application(a.agent, Bytes(static_cast<std::size_t>(i), 7))});
               a.chain.take(bundles.back()[0]);
             }
             const auto answers = a->send_bundles(bundles);
             for (std::size_t i = 0; i < answers.size(); ++i)
               equal(accepted(answers[i]).at(0).sequence, i + 3, "sequence");
             b->grant(bundles.size());
             for (const auto& bundle : bundles)
               same(b->take().envelope, bundle[0].bytes, "in order");
           },
       .also = {"DLV-020", "DLV-022", "FRM-008"}});
  cases.push_back(
      {.id = "DLV-005.same",
       .steps = "Sends an envelope, another, then the first again, and again after connecting anew",
       .expects = "the same receipt each time; delivered once",
       .run = [](Run& t) {
         auto [a, b] = t.conversation();
         const Envelope e = a.chain.application(a.agent);
         const Receipt first = accepted(a->send({e})).at(0);
         a.chain.take(e);
         const Envelope later = say(a);
         expect(accepted(a->send({e})).at(0) == first, "the same receipt");
         t.reconnect(a);
         expect(accepted(a->send({e})).at(0) == first, "the same receipt in another session");
         receives(b, e);
         receives(b, later);
         b->grant(1);
         expect(b->nothing_comes(), "delivered once");
       }});
  cases.push_back({.id = "DLV-005.same-in-one-send",
                   .steps = "Sends one envelope in two bundles of one Send",
                   .expects = "one receipt, delivered once",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope e = a.chain.application(a.agent);
                         a->send_bundles({{e}, {e}});
                         a.chain.take(e);
                         receives(b, e);
                         b->grant(1);
                         expect(b->nothing_comes(), "delivered once");
                         goes_on(a, b);
                       },
                   .ways = kBound | kCurve});
  cases.push_back({.id = "DLV-005.opening-again",
                   .steps = "Sends an opening bundle twice",
                   .expects = "the same receipts; the welcome comes once",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.pair();
                         const auto bundle = a.chain.opening(a.agent, b.key());
                         const auto first = accepted(a->send(bundle));
                         expect(accepted(a->send(bundle)) == first, "the same receipts");
                         receives(b, bundle[1]);
                         b->grant(1);
                         expect(b->nothing_comes(), "once");
                       },
                   .ways = kBound});
  for (const bool acknowledged : {false, true})
    cases.push_back({.id = acknowledged ? "DLV-005.conflict-after-ack" : "DLV-005.conflict",
                     .steps = "Sends another envelope under an id that was accepted",
                     .expects = "Rejected(id_conflict); the chain goes on",
                     .run = [acknowledged](Run& t) {
                       auto [a, b] = t.conversation();
                       const Envelope e = say(a);
                       if (acknowledged) receives(b, e);
                       const Table header =
                           a.chain.header(a.agent, kind::application).with("id", e.id);
                       refuses(a, {seal(a.agent, finish("SWHD", header), bytes_of("other"))},
                               Code::id_conflict);
                       if (!acknowledged) receives(b, e);
                       goes_on(a, b);
                     }});
  cases.push_back({.id = "DLV-005.conflict-signature",
                   .steps = "Sends an accepted header and body under the id, in another wrapper",
                   .expects = "the same receipt: the digest is not over the wrapper",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         Envelope e = a.chain.application(a.agent);
                         const Receipt first = accepted(a->send({e})).at(0);
                         e.bytes.resize(e.bytes.size() + 8);
                         expect(accepted(a->send({e})).at(0) == first, "the same receipt");
                       },
                   .also = {"ENV-006"},
                   .ways = kBound});
  cases.push_back({.id = "DLV-005.other-senders-id",
                   .steps = "The other member uses an id that the first one used",
                   .expects = "accepted: ids belong to their senders",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope e = say(a);
                         receives(b, e);
                         receives(a, say_with(b, {{"id", e.id}}));
                       },
                   .ways = kBound});
  cases.push_back({.id = "DLV-014.part",
                   .steps = "Sends an accepted commit with another welcome, then the accepted "
                            "welcome with another commit",
                   .expects = "Rejected(id_conflict) both",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.pair();
                         const auto bundle = a.chain.opening(a.agent, b.key());
                         accepted(a->send(bundle));
                         refuses(a, {bundle[0], a.chain.welcome(a.agent, b.key(), bundle[0])},
                                 Code::id_conflict);
                         receives(b, bundle[1]);
                         b->grant(1);
                         expect(b->nothing_comes(), "nothing more");
                       },
                   .ways = kBound | kCurve});
  cases.push_back(
      {.id = "DLV-001.forged-welcome",
       .steps = "Sends an opening whose welcome has a forged signature, then the right one",
       .expects = "Rejected(unauthenticated), then receipts 1 and 2",
       .run =
           [](Run& t) {
             auto [a, b] = t.pair();
             const auto bundle = a.chain.opening(a.agent, b.key());
             refuses(a, {bundle[0], with_signature(bundle[1], flipped(bundle[1].signature, 8))},
                     Code::unauthenticated);
             const auto receipts = accepted(a->send(bundle));
             equal(receipts.at(0).sequence, 1u, "the commit's sequence");
             receives(b, bundle[1]);
           },
       .also = {"DLV-016", "ERR-004"}});
  cases.push_back(
      {.id = "DLV-001.expired-welcome",
       .steps = "Sends an opening whose welcome has expired, then the right one",
       .expects = "Rejected(expired), then receipts 1 and 2",
       .run =
           [](Run& t) {
             auto [a, b] = t.pair();
             const auto bundle = a.chain.opening(a.agent, b.key());
             const Table header = a.chain.header(a.agent, kind::welcome)
                                      .with("recipients", recipients({b.key()}))
                                      .with("names", bundle[0].link())
                                      .with("created_ms", now_ms() - 9000)
                                      .with("expires_ms", now_ms() - 100);
             refuses(a, {bundle[0], seal(a.agent, finish("SWHD", header), bytes_of("w"))},
                     Code::expired);
             equal(accepted(a->send(bundle)).at(0).sequence, 1u, "the commit's sequence");
           },
       .also = {"ENV-021"},
       .ways = kBound});
  cases.push_back({.id = "DLV-015.any-body",
                   .steps = "Sends bodies that are no MLS message: empty, noise, a frame, a "
                            "welcome in an application envelope",
                   .expects = "accepted and delivered to the byte",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         for (const Bytes& body :
                              {Bytes(), random_bytes(77), frame({"Ping", {}}), unhex("0001000300")})
                           receives(b, say(a, body));
                       },
                   .also = {"ENV-003"}});
  cases.push_back(
      {.id = "DLV-001.order-of-checks",
       .steps = "Sends envelopes that are wrong in two things at a time",
       .expects = "the code of what is checked first: form, sender, signature, duplicate, times, "
                  "policy, epoch, chain",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const auto of = [&, &p = a](std::vector<std::pair<std::string, Value>> fields,
                                         bool forge) {
               Table header = p.chain.header(p.agent, kind::application);
               for (const auto& [name, value] : fields)
                 header = header.with(name, value);
               const Envelope e = seal(p.agent, finish("SWHD", header), bytes_of("x"));
               return forge ? with_signature(e, Bytes(64, 3)) : e;
             };
             const std::uint64_t now = now_ms();
             const Value past = now - 1000;
             refuses(a, {of({{"provenance", "x"}}, true)}, Code::malformed);
             refuses(a, {of({{"created_ms", now - 5000}, {"expires_ms", past}}, true)},
                     Code::unauthenticated);
             refuses(a,
                     {of({{"conversation", random_bytes(16)},
                          {"created_ms", now - 5000},
                          {"expires_ms", past}},
                         false)},
                     Code::expired);
             refuses(a, {of({{"conversation", random_bytes(16)}, {"epoch", 9}}, false)},
                     Code::denied);
             refuses(a, {of({{"epoch", 9}, {"sender_seq", 9}}, false)}, Code::stale_epoch);
             const Envelope e = say(a);
             refuses(a,
                     {of({{"id", e.id}, {"created_ms", now - 5000}, {"expires_ms", past}}, false)},
                     Code::id_conflict);
           },
       .ways = kBound});
  cases.push_back(
      {.id = "DLV-005.late-duplicate",
       .steps = "Sends an envelope that lives 2 s, and again when it has expired",
       .expects = "the same receipt",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const std::uint64_t end = now_ms() + 2000;
             const Envelope e = seal(
                 a.agent,
                 finish("SWHD", a.chain.header(a.agent, kind::application).with("expires_ms", end)),
                 bytes_of("x"));
             const Receipt first = accepted(a->send({e})).at(0);
             sleep_until_ms(end + 300);
             expect(accepted(a->send({e})).at(0) == first, "the same receipt");
           },
       .also = {"DLV-006"},
       .ways = kBound,
       .pace = Pace::slow});
}

void policy(Cases& cases) {
  cases.push_back(
      {.id = "DLV-010.alike",
       .steps = "Opens a conversation, and sends a letter, to an agent that has not allowed the "
                "sender, to one that has blocked it, and to a key that does not exist",
       .expects = "Rejected(denied), equal but for the id; nothing is delivered",
       .run =
           [](Run& t) {
             Person a = t.newcomer(), b = t.newcomer(), c = t.newcomer();
             done(c->call({"SetContact", {{"agent", a.agent.id}, {"contact", 2}}}));
             std::vector<Rejection> answers;
             for (const Bytes& key : {b.key(), c.key(), Agent().key}) {
               answers.push_back(refuses(a, Chain().opening(a.agent, key), Code::denied));
               answers.push_back(refuses(a, {letter(a.agent, key)}, Code::denied));
             }
             for (const Rejection& r : answers)
               expect(r == answers[0], "the same answer");
             for (Person* who : {&b, &c}) {
               (*who)->grant(1);
               expect((*who)->nothing_comes(), "nothing is delivered");
             }
           },
       .also = {"ERR-003", "DLV-053", "ERR-001"}});
  cases.push_back(
      {.id = "DLV-010.blocked",
       .steps = "The receiver blocks a sender in an open conversation, and allows it again",
       .expects = "Rejected(denied) for application, commit and letter; then the chain goes on",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 2}}}));
             refuses(a, {a.chain.application(a.agent)}, Code::denied);
             refuses(a, {a.chain.commit(a.agent, {a.key(), b.key()})}, Code::denied);
             refuses(a, {letter(a.agent, b.key())}, Code::denied);
             refuses(a, {a.chain.transient(a.agent)}, Code::denied);
             done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 1}}}));
             goes_on(a, b);
           },
       .also = {"ERR-004"}});
  cases.push_back({.id = "DLV-010.none",
                   .steps = "The receiver sets the sender's contact back to none",
                   .expects = "Rejected(denied)",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 0}}}));
                         refuses(a, {a.chain.application(a.agent)}, Code::denied);
                       },
                   .also = {"DLV-053"},
                   .ways = kBound});
  cases.push_back({.id = "DLV-010.not-symmetric",
                   .steps = "The sender blocks the receiver, and writes to it",
                   .expects = "accepted: the receiver's policy counts",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         done(a->call({"SetContact", {{"agent", b.agent.id}, {"contact", 2}}}));
                         goes_on(a, b);
                         refuses(b, {b.chain.application(b.agent)}, Code::denied);
                       },
                   .ways = kBound});
  cases.push_back(
      {.id = "DLV-010.not-a-member",
       .steps = "A contact of both members sends and commits in their conversation",
       .expects = "Rejected(denied), and the conversation goes on",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             Person c = t.newcomer();
             befriend(a, c);
             befriend(b, c);
             refuses(c, {Chain{a.chain.conversation, 1, 1, 0, {}}.application(c.agent)},
                     Code::denied);
             refuses(c, {Chain{a.chain.conversation, 1, 1, 0, {}}.transient(c.agent)},
                     Code::denied);
             refuses(c,
                     {Chain{a.chain.conversation, 1, 1, 0, {}}.commit(c.agent, {a.key(), c.key()})},
                     Code::denied);
             goes_on(a, b);
           },
       .also = {"ERR-003"}});
  cases.push_back({.id = "DLV-010.letter",
                   .steps = "Sends letters both ways between contacts",
                   .expects = "accepted with sequence 0, delivered to the byte",
                   .run = [](Run& t) {
                     auto [a, b] = t.pair();
                     for (auto [from, to] : {std::pair{&a, &b}, {&b, &a}}) {
                       const Envelope e = letter(from->agent, to->key());
                       equal(accepted((*from)->send({e})).at(0).sequence, 0u, "sequence");
                       receives(*to, e);
                     }
                   }});
  cases.push_back(
      {.id = "DLV-011.quota",
       .steps = "Fills the mailbox of a receiver that takes nothing",
       .expects =
           "accepted up to the quota, then Rejected(quota_exceeded); after an Ack it goes on",
       .run =
           [](Run& t) {
             const std::uint64_t quota = t.settings.mailbox_entries;
             if (quota == 0) throw NotApplicable("--mailbox-entries was not given");
             auto [a, b] = t.conversation();
             std::uint64_t taken = 0;
             for (bool full = false; !full;) {
               expect(taken <= quota, "refused at the quota");
               const Envelope e = a.chain.application(a.agent);
               const Answer answer = a->send({e});
               full = answer.rejection.has_value();
               if (full) {
                 rejected(answer, Code::quota_exceeded);
               } else {
                 a.chain.take(e);
                 ++taken;
               }
             }
             expect(taken + 2 >= quota, "not before the quota: " + std::to_string(taken));
             refuses(a, {letter(a.agent, b.key())}, Code::quota_exceeded);
             b->grant(taken);
             for (std::uint64_t i = 0; i < taken; ++i) {
               const Entry entry = b->take();
               if (i + 1 == taken) b->ack(entry.sequence);
             }
             expect(b->nothing_comes(), "no more");
             goes_on(a, b);
           },
       .also = {"ERR-004"},
       .ways = kBound});
}

}  // namespace

Cases acceptance_cases() {
  Cases cases;
  confirming(cases);
  policy(cases);
  return cases;
}

}  // namespace conformance

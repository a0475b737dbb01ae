// SPEC chapter DLV: mailboxes, credit, acknowledgement, tombstones, transients.
#include "conformance/runner/run.h"

namespace conformance {
namespace {

// The sender's next entry is a Refused item about this envelope.
void is_refused(Person& sender, const Envelope& envelope, View issuer, Code code) {
  const Entry entry = next_entry(sender);
  expect(entry.type == wire::Item::Refused, "a Refused item");
  expect(verify(issuer, labelled("sealwire/0 refusal", {entry.statement.statement}),
                entry.statement.signature),
         "the Refusal verifies under its issuer's key");
  Bytes held;
  const auto* refusal = statement<wire::Refusal>(held, entry.statement.statement, "SWNK");
  same(view(refusal->issuer()), issuer, "issuer");
  same(view(refusal->id()), envelope.id, "id");
  same(view(refusal->digest()), envelope.digest(), "digest");
  if (refusal->code() != code)
    throw Failure("the Refusal says " + code_name(refusal->code()) + " instead of " +
                  code_name(code));
}

void is_tombstone(const Entry& entry, const Envelope& envelope) {
  expect(entry.type == wire::Item::Tombstone, "a Tombstone");
  expect(entry.remains == envelope.remains(),
         "the tombstone has the envelope's header, body hash and signature");
}

void crediting(Cases& cases) {
  cases.push_back({.id = "DLV-022.entries",
                   .steps = "Grants no credit, then two entries of four, then two more",
                   .expects = "nothing; two in sequence; two more",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         t.reconnect(b);
                         std::vector<Envelope> sent;
                         for (int i = 0; i < 4; ++i)
                           sent.push_back(say(a));
                         expect(b->nothing_comes(), "nothing without credit");
                         std::uint64_t last = 0;
                         for (std::size_t i = 0; i < 4; ++i) {
                           if (i % 2 == 0) b->grant(2);
                           const Entry entry = b->take();
                           same(entry.envelope, sent[i].bytes, "in sequence");
                           expect(last == 0 || entry.sequence == last + 1, "no gap");
                           last = entry.sequence;
                           if (i == 1) expect(b->nothing_comes(), "nothing beyond credit");
                         }
                       },
                   .also = {"DLV-020"}});
  cases.push_back({.id = "DLV-022.ack-is-no-credit",
                   .steps = "Acknowledges without raising credit",
                   .expects = "nothing more comes",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     say(a);
                     say(a);
                     b->grant(1);
                     b->ack(b->take().sequence);
                     expect(b->nothing_comes(), "nothing beyond credit");
                   }});
  cases.push_back({.id = "DLV-022.new-session",
                   .steps = "Grants credit for ten entries and connects again",
                   .expects = "nothing comes in the new session without credit of its own",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     b->grant(10);
                     expect(b->nothing_comes(), "nothing yet");
                     t.reconnect(b);
                     say(a);
                     expect(b->nothing_comes(), "nothing without credit");
                   }});
  cases.push_back({.id = "DLV-022.live",
                   .steps = "Grants credit for two and is sent three envelopes while connected",
                   .expects = "two come",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     b->grant(2);
                     for (int i = 0; i < 3; ++i)
                       say(a);
                     b->take();
                     b->take();
                     expect(b->nothing_comes(), "nothing beyond credit");
                   }});
  cases.push_back(
      {.id = "DLV-022.bytes",
       .steps =
           "Grants ten entries and the bytes of one of two waiting envelopes, then those of both",
       .expects = "one; then the other",
       .run = [](Run& t) {
         auto [a, b] = t.conversation();
         t.reconnect(b);
         const Envelope one = say(a), two = say(a);
         b->grant(10, one.bytes.size());
         same(b->take().envelope, one.bytes, "the first");
         expect(b->nothing_comes(), "nothing beyond the bytes");
         b->grant(0, one.bytes.size() + two.bytes.size());
         same(b->take().envelope, two.bytes, "the second");
       }});
  for (const char* live : {"stored", "live"})
    cases.push_back({.id = std::string("DLV-031.delivery-") + live,
                     .steps = "Grants one byte less than the envelope has, then that byte",
                     .expects = "nothing, then the envelope",
                     .run =
                         [is_live = std::string(live) == "live"](Run& t) {
                           auto [a, b] = t.conversation();
                           const Envelope e = a.chain.application(a.agent, Bytes(1000, 1));
                           t.reconnect(b);
                           if (is_live) b->grant(1, e.bytes.size() - 1);
                           accepted(a->send({e}));
                           if (!is_live) b->grant(1, e.bytes.size() - 1);
                           expect(b->nothing_comes(), "nothing for a byte less");
                           b->grant(0, e.bytes.size());
                           same(b->take().envelope, e.bytes, "the envelope");
                         },
                     .also = {"DLV-022"}});
  cases.push_back({.id = "DLV-031.notices",
                   .steps = "Grants one byte less than a tombstone, a Refused and a Redeemed item "
                            "cost, then that byte",
                   .expects = "nothing, then the item; each three times",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     const Envelope e = say(a);
                     done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 2}}}));
                     const auto costs = [&t](Person& who, std::size_t bytes, wire::Item type) {
                       t.reconnect(who);
                       who->grant(1, bytes - 1);
                       expect(who->nothing_comes(), "nothing for a byte less");
                       who->grant(0, bytes);
                       const Entry entry = who->take();
                       expect(entry.type == type, "the item");
                       equal(entry.cost, bytes, "what it costs");
                       who->ack(entry.sequence);
                     };
                     t.reconnect(b);
                     b->grant(1, e.header.size() +
                                     95);  // the envelope becomes a tombstone when it comes up
                     expect(b->nothing_comes(), "nothing yet");
                     b->grant(0, 1 << 20);
                     is_tombstone(b->take(), e);
                     costs(b, e.header.size() + 96, wire::Item::Tombstone);
                     a->grant(1);
                     const Entry refused = a->take();
                     costs(a, refused.statement.statement.size() + 64, wire::Item::Refused);
                     const Bytes seed = t.invite_by(a);
                     t.connect(t.stranger(), seed);
                     a->grant(1);
                     const Entry redeemed = a->take();
                     costs(a, redeemed.cost, wire::Item::Redeemed);
                   }});
  for (const char* field : {"entries", "bytes"})
    cases.push_back({.id = std::string("DLV-023.") + field,
                     .steps = std::string("Grants less ") + field + " than before",
                     .expects = "Close(malformed)",
                     .run = [f = std::string(field)](Run& t) {
                       Person a = t.newcomer();
                       a->send(Table{"Credit", {{"entries", 5}, {"bytes", 100}}});
                       a->send(Table{"Credit", {{"entries", 5}, {"bytes", 100}}});
                       a->send(Table{"Credit",
                                     {{"entries", f == "entries" ? 4 : 5},
                                      {"bytes", f == "bytes" ? 99 : 100}}});
                       closes(*a.session, Code::malformed);
                     }});
}

void acknowledging(Cases& cases) {
  cases.push_back({.id = "DLV-033.ack",
                   .steps = "Takes three entries, acknowledges the first, drops the connection",
                   .expects = "mailbox_acked and mailbox_last in Ready; the second and third come "
                              "again, the first does not",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         std::vector<Envelope> sent{say(a), say(a), say(a)};
                         b->grant(3);
                         const Entry first = b->take();
                         b->take();
                         b->take();
                         b->ack(first.sequence);
                         expect(b->nothing_comes(), "the Ack has come");
                         b->drop();
                         t.reconnect(b);
                         expect(b->mailbox_acked == first.sequence, "mailbox_acked");
                         expect(b->mailbox_last == first.sequence + 2, "mailbox_last");
                         b->grant(9);
                         same(b->take().envelope, sent[1].bytes, "the second again");
                         same(b->take().envelope, sent[2].bytes, "the third again");
                         expect(b->nothing_comes(), "no more");
                       },
                   .also = {"DLV-020"}});
  cases.push_back({.id = "DLV-033.ack-again",
                   .steps = "Acknowledges the same and a lower sequence again",
                   .expects = "nothing changes, and the session lives",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         receives(b, say(a));
                         b->grant(1);
                         const Envelope e = say(a);
                         const Entry entry = b->take();
                         b->ack(entry.sequence);
                         b->ack(entry.sequence);
                         b->ack(1);
                         b->ack(0);
                         expect(b->nothing_comes(), "the session lives");
                         t.reconnect(b);
                         expect(b->mailbox_acked == entry.sequence, "mailbox_acked");
                       },
                   .ways = kBound | kCurve});
  for (const char* what : {"ack", "nack"})
    for (const char* how : {"next", "far"})
      cases.push_back(
          {.id = std::string("DLV-025.") + what + "-" + how,
           .steps = std::string("Sends ") + what + " for a sequence that was not delivered",
           .expects = "Close(malformed), and the entry comes in the next session",
           .run =
               [ack = std::string(what) == "ack", far = std::string(how) == "far"](Run& t) {
                 auto [a, b] = t.conversation();
                 const Envelope e = say(a);  // without credit: it waits
                 const std::uint64_t sequence = far ? std::uint64_t{1} << 40 : b->mailbox_last + 2;
                 if (ack)
                   b->ack(sequence);
                 else
                   b->nack(b.agent, sequence, e.id, e.digest(), Code::undecryptable, b.key());
                 closes(*b.session, Code::malformed);
                 t.reconnect(b);
                 receives(b, e);
               },
           .also = {"ERR-004"},
           .ways = kBound | kCurve});
  cases.push_back(
      {.id = "DLV-026.cursor",
       .steps = "Connects with acked = the second of three undelivered-again entries, of the "
                "broker's incarnation",
       .expects = "the third comes, and the cursor is an Ack ever after",
       .run = [](Run& t) {
         auto [a, b] = t.conversation();
         say(a);
         say(a);
         const Envelope third = say(a);
         b->grant(2);
         b->take();
         const std::uint64_t second = b->take().sequence;
         const Bytes incarnation = b->incarnation;
         b->drop();
         b.session =
             t.connect(b.agent, Table{"Claims", {{"acked", second}, {"incarnation", incarnation}}});
         expect(b->mailbox_acked == second, "mailbox_acked");
         b->grant(9);
         same(b->take().envelope, third.bytes, "the third");
         t.reconnect(b);
         expect(b->mailbox_acked == second, "the cursor was an Ack");
       }});
  cases.push_back(
      {.id = "DLV-026.other-incarnation",
       .steps = "Connects with a cursor of another incarnation, and with one and no incarnation",
       .expects = "it says nothing: the entry comes",
       .run = [](Run& t) {
         auto [a, b] = t.conversation();
         const Envelope e = say(a);
         b.session =
             t.connect(b.agent, Table{"Claims", {{"acked", 2}, {"incarnation", random_bytes(16)}}});
         b.session = t.connect(b.agent, Table{"Claims", {{"acked", 2}}});
         receives(b, e);
       }});
  cases.push_back({.id = "DLV-026.lower",
                   .steps = "Connects with a cursor below what it acknowledged",
                   .expects = "nothing comes again",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         receives(b, say(a));
                         expect(b->nothing_comes(), "the Ack has come");
                         b.session = t.connect(
                             b.agent,
                             Table{"Claims", {{"acked", 0}, {"incarnation", b->incarnation}}});
                         b->grant(9);
                         expect(b->nothing_comes(), "nothing comes again");
                       },
                   .also = {"DLV-033"}});
  for (const char* how : {"one", "far"})
    cases.push_back({.id = std::string("DLV-035.") + how,
                     .steps = "Connects with a cursor beyond the mailbox's end",
                     .expects = "Close(malformed)",
                     .run = [far = std::string(how) == "far"](Run& t) {
                       Person a = t.newcomer();
                       const Bytes incarnation = a->incarnation;
                       const std::uint64_t acked = far ? ~std::uint64_t{0} : a->mailbox_last + 1;
                       turned_away(
                           [&] {
                             t.connect(
                                 a.agent,
                                 Table{"Claims", {{"acked", acked}, {"incarnation", incarnation}}});
                           },
                           Code::malformed);
                     }});
  cases.push_back({.id = "DLV-020.offline",
                   .steps = "Sends to an agent that is not connected",
                   .expects = "all of it comes, in order, when it connects",
                   .run = [](Run& t) {
                     auto [a, b] = t.pair();
                     b->close();
                     const auto opening = a.chain.opening(a.agent, b.key());
                     accepted(a->send(opening));
                     a.chain.take(opening[0]);
                     a.chain.enter(1);
                     std::vector<Envelope> sent;
                     for (int i = 0; i < 5; ++i)
                       sent.push_back(say(a));
                     t.reconnect(b);
                     receives(b, opening[1]);
                     for (const Envelope& e : sent)
                       receives(b, e);
                   }});
  cases.push_back(
      {.id = "DLV-020.conversation-order",
       .steps = "Both members and a commit in turn; a third agent writes letters between",
       .expects = "mailbox sequences without a gap, conversation sequences rising, 0 for letters",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             Person c = t.newcomer();
             befriend(b, c);
             std::uint64_t sequence = 0, conversation = 2;
             for (int i = 0; i < 4; ++i) {
               say(a);
               const Envelope e = letter(c.agent, b.key());
               accepted(c->send({e}));
               b->grant(2);
               const Entry one = b->take(), two = b->take();
               expect(sequence == 0 || one.sequence == sequence + 1, "no gap");
               expect(two.sequence == one.sequence + 1, "no gap");
               sequence = two.sequence;
               expect(one.conversation_sequence == ++conversation, "conversation sequence");
               expect(two.conversation_sequence == 0, "a letter has none");
             }
           },
       .ways = kBound | kCurve});
  cases.push_back({.id = "DLV-021.own",
                   .steps = "Sends envelopes of every kind and reads its own mailbox",
                   .expects = "none of its own",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     say(a);
                     accepted(a->send({a.chain.commit(a.agent, {a.key(), b.key()})}));
                     accepted(a->send({letter(a.agent, b.key())}));
                     a->grant(20);
                     expect(a->nothing_comes(), "none of its own");
                   }});
}

void refusing(Cases& cases) {
  cases.push_back({.id = "DLV-034.nack",
                   .steps = "Refuses the second of three entries by Nack, then acknowledges the "
                            "first, then the third",
                   .expects = "the sender gets the Refusal; the Nack is no Ack of the first; the "
                              "Ack of the first takes the second along",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         say(a);
                         const Envelope second = say(a);
                         say(a);
                         b->grant(3);
                         const Entry one = b->take(), two = b->take();
                         b->take();
                         b->nack(b.agent, two.sequence, second.id, second.digest(),
                                 Code::undecryptable, b.key());
                         is_refused(a, second, b.key(), Code::undecryptable);
                         b->ack(one.sequence);
                         expect(b->nothing_comes(), "the Ack has come");
                         t.reconnect(b);
                         expect(b->mailbox_acked == two.sequence, "mailbox_acked is the second");
                       },
                   .also = {"KEY-002"}});
  cases.push_back({.id = "DLV-034.not-before",
                   .steps = "Refuses the second of two entries by Nack and connects again",
                   .expects = "the first comes again",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope first = say(a), second = say(a);
                         b->grant(2);
                         b->take();
                         const Entry two = b->take();
                         b->nack(b.agent, two.sequence, second.id, second.digest(),
                                 Code::undecryptable, b.key());
                         is_refused(a, second, b.key(), Code::undecryptable);
                         t.reconnect(b);
                         receives(b, first);
                       },
                   .ways = kBound | kCurve});
  cases.push_back({.id = "DLV-034.once",
                   .steps = "Sends the same Nack twice",
                   .expects = "one Refused item",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope e = say(a);
                         b->grant(1);
                         const Entry entry = b->take();
                         for (int i = 0; i < 2; ++i)
                           b->nack(b.agent, entry.sequence, e.id, e.digest(), Code::undecryptable,
                                   b.key());
                         expect(b->nothing_comes(), "the session lives");
                         is_refused(a, e, b.key(), Code::undecryptable);
                         a->grant(1);
                         expect(a->nothing_comes(), "one");
                       },
                   .ways = kBound});
  const auto wrong =
      [&](const char* name, const char* steps, Code code,
          std::function<void(Person&, Person&, const Entry&, const Envelope&)> nack) {
        cases.push_back({.id = std::string("DLV-032.") + name,
                         .steps = std::string("Sends a Nack ") + steps,
                         .expects = "Close(" + code_name(code) +
                                    "); the sender gets nothing, and the entry comes again",
                         .run =
                             [nack, code](Run& t) {
                               auto [a, b] = t.conversation();
                               const Envelope e = say(a);
                               b->grant(1);
                               const Entry entry = b->take();
                               nack(a, b, entry, e);
                               closes(*b.session, code);
                               a->grant(1);
                               expect(a->nothing_comes(), "no Refused item");
                               t.reconnect(b);
                               receives(b, e);
                             },
                         .also = {"ERR-004"},
                         .ways = kBound | kCurve});
      };
  wrong("other-signer", "that another key signed", Code::unauthenticated,
        [](Person& a, Person& b, const Entry& entry, const Envelope& e) {
          b->nack(a.agent, entry.sequence, e.id, e.digest(), Code::undecryptable, b.key());
        });
  wrong("other-id", "whose Refusal names another id", Code::malformed,
        [](Person&, Person& b, const Entry& entry, const Envelope& e) {
          b->nack(b.agent, entry.sequence, uuid7(now_ms()), e.digest(), Code::undecryptable,
                  b.key());
        });
  wrong("other-digest", "whose Refusal has another digest", Code::malformed,
        [](Person&, Person& b, const Entry& entry, const Envelope& e) {
          b->nack(b.agent, entry.sequence, e.id, random_bytes(32), Code::undecryptable, b.key());
        });
}

void refusing_for_another(Cases& cases) {
  cases.push_back(
      {.id = "DLV-032.other-issuer",
       .steps = "Sends a Nack whose Refusal it signed, and which names another issuer",
       .expects = "Close(unauthenticated) or Close(malformed); the sender gets nothing",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const Envelope e = say(a);
             b->grant(1);
             b->nack(b.agent, b->take().sequence, e.id, e.digest(), Code::undecryptable, a.key());
             const auto code = b->closing_code();
             expect(code == Code::unauthenticated || code == Code::malformed, "refused");
             a->grant(1);
             expect(a->nothing_comes(), "no Refused item");
           },
       .ways = kBound});
}

void burying(Cases& cases) {
  cases.push_back({.id = "DLV-027.expired",
                   .steps = "An envelope that lives 2 s waits in a mailbox, another behind it",
                   .expects = "a Tombstone of its remains in its place, the next after it, and a "
                              "Refused(expired) of the broker for the sender",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const std::uint64_t end = now_ms() + 2000;
                         const Envelope brief = say_with(a, {{"expires_ms", end}});
                         const Envelope next = say(a);
                         sleep_until_ms(end + 200);
                         b->grant(2);
                         is_tombstone(b->take(), brief);
                         same(b->take().envelope, next.bytes, "the next");
                         is_refused(a, brief, t.target.broker_key, Code::expired);
                       },
                   .also = {"DLV-020"},
                   .ways = kBound | kCurve,
                   .pace = Pace::slow});
  cases.push_back(
      {.id = "DLV-027.letter",
       .steps = "A letter that lives 2 s waits in a mailbox",
       .expects = "a Tombstone, and a Refused(expired) for the sender",
       .run =
           [](Run& t) {
             auto [a, b] = t.pair();
             const std::uint64_t end = now_ms() + 2000;
             const Envelope e = seal(
                 a.agent, finish("SWHD", letter_header(a.agent, b.key()).with("expires_ms", end)),
                 Bytes(96));
             accepted(a->send({e}));
             sleep_until_ms(end + 200);
             b->grant(1);
             is_tombstone(b->take(), e);
             is_refused(a, e, t.target.broker_key, Code::expired);
           },
       .ways = kBound,
       .pace = Pace::slow});
  cases.push_back(
      {.id = "ENV-021.commit-does-not-expire",
       .steps = "A commit and a welcome that live 2 s wait in a mailbox",
       .expects = "both come whole after that",
       .run =
           [](Run& t) {
             auto [a, b] = t.pair();
             const std::uint64_t end = now_ms() + 2000;
             const Table ends = a.chain.header(a.agent, kind::commit).with("expires_ms", end);
             const Envelope first = seal(
                 a.agent, finish("SWHD", ends.with("recipients", recipients({a.key(), b.key()}))),
                 bytes_of("c"));
             const Envelope welcome =
                 seal(a.agent,
                      finish("SWHD", a.chain.header(a.agent, kind::welcome)
                                         .with("expires_ms", end)
                                         .with("recipients", recipients({b.key()}))
                                         .with("names", first.link())),
                      bytes_of("w"));
             accepted(a->send({first, welcome}));
             a.chain.take(first);
             a.chain.enter(1);
             const Envelope update =
                 seal(a.agent,
                      finish("SWHD", a.chain.header(a.agent, kind::commit)
                                         .with("expires_ms", end)
                                         .with("recipients", recipients({a.key(), b.key()}))),
                      bytes_of("c"));
             accepted(a->send({update}));
             sleep_until_ms(end + 6000);  // a broker's sweep has passed
             receives(b, welcome);
             receives(b, update);
           },
       .ways = kBound,
       .pace = Pace::slow});
  cases.push_back({.id = "DLV-029.blocked-meanwhile",
                   .steps = "The receiver blocks the sender of an application envelope, a commit "
                            "and a letter that wait for it",
                   .expects = "three Tombstones, and three Refused(denied) for the sender",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     const Envelope one = say(a);
                     const Envelope two = a.chain.commit(a.agent, {a.key(), b.key()});
                     accepted(a->send({two}));
                     const Envelope three = letter(a.agent, b.key());
                     accepted(a->send({three}));
                     done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 2}}}));
                     b->grant(3);
                     for (const Envelope* e : {&one, &two, &three})
                       is_tombstone(b->take(), *e);
                     for (const Envelope* e : {&one, &two, &three})
                       is_refused(a, *e, t.target.broker_key, Code::denied);
                   }});
  cases.push_back({.id = "DLV-029.blocked-offline",
                   .steps = "The same after connecting again",
                   .expects = "a Tombstone, and a Refused(denied) for the sender",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope e = say(a);
                         done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 0}}}));
                         t.reconnect(b);
                         b->grant(1);
                         is_tombstone(b->take(), e);
                         is_refused(a, e, t.target.broker_key, Code::denied);
                       },
                   .ways = kBound | kCurve});
}

void transients(Cases& cases) {
  cases.push_back({.id = "DLV-040.delivered",
                   .steps = "Sends a transient to a receiver that is connected and has credit",
                   .expects = "an entry with the sequences 0 and 0; it is not stored",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     b->grant(2);
                     expect(b->nothing_comes(), "the Credit has come");
                     const Envelope e = a.chain.transient(a.agent);
                     equal(accepted(a->send({e})).at(0).sequence, 0u, "the receipt's sequence");
                     const Entry entry = b->take();
                     same(entry.envelope, e.bytes, "the transient");
                     equal(entry.sequence, 0u, "sequence");
                     equal(entry.conversation_sequence, 0u, "conversation sequence");
                     t.reconnect(b);
                     b->grant(2);
                     expect(b->nothing_comes(), "it is not stored");
                     goes_on(a, b);
                   }});
  const auto dropped = [&](const char* name, const char* steps,
                           std::function<void(Run&, Person&, Person&)> arrange,
                           std::function<void(Run&, Person&, Person&)> after) {
    cases.push_back({.id = std::string("DLV-040.") + name,
                     .steps = std::string("Sends a transient to a receiver ") + steps,
                     .expects = "a receipt with sequence 0; it is dropped, and never comes",
                     .run =
                         [arrange, after](Run& t) {
                           auto [a, b] = t.conversation();
                           arrange(t, a, b);
                           equal(accepted(a->send({a.chain.transient(a.agent)})).at(0).sequence, 0u,
                                 "the receipt's sequence");
                           after(t, a, b);
                           goes_on(a, b);
                         },
                     .ways = kBound | kCurve});
  };
  dropped(
      "no-credit", "without credit", [](Run& t, Person&, Person& b) { t.reconnect(b); },
      [](Run&, Person&, Person& b) {
        b->grant(5);
        expect(b->nothing_comes(), "dropped");
      });
  dropped(
      "offline", "that is not connected", [](Run&, Person&, Person& b) { b->close(); },
      [](Run& t, Person&, Person& b) {
        t.reconnect(b);
        b->grant(5);
        expect(b->nothing_comes(), "dropped");
      });
  dropped(
      "behind", "that has an undelivered entry of the conversation",
      [](Run& t, Person& a, Person& b) {
        t.reconnect(b);
        b->grant(5, 1000);  // enough for the transient, and too little for what it follows
        expect(b->nothing_comes(), "the Credit has come");
        say(a, Bytes(2000));
      },
      [](Run&, Person&, Person& b) {
        b->grant(0);
        const Entry entry = b->take();
        expect(entry.sequence != 0, "the durable one");
        b->ack(entry.sequence);
        expect(b->nothing_comes(), "the transient was dropped");
      });
  cases.push_back({.id = "DLV-040.other-conversation",
                   .steps = "The receiver has an undelivered entry of another conversation, behind "
                            "credit that it has not granted",
                   .expects = "a receipt, and nothing that overtakes within the conversation",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         b->grant(1);
                         expect(b->nothing_comes(), "the Credit has come");
                         const Envelope e = a.chain.transient(a.agent);
                         accepted(a->send({e}));
                         same(b->take().envelope, e.bytes, "the transient");
                         say(a);
                         expect(b->nothing_comes(), "the transient used up the credit (DLV-022)");
                       },
                   .also = {"DLV-022"},
                   .ways = kBound});
}

}  // namespace

Cases mailbox_cases() {
  Cases cases;
  crediting(cases);
  acknowledging(cases);
  refusing(cases);
  refusing_for_another(cases);
  burying(cases);
  transients(cases);
  return cases;
}

}  // namespace conformance

// SPEC chapters ENV (the chain) and DLV (epochs, openings): what must follow what.
#include "conformance/runner/run.h"

namespace conformance {
namespace {

Envelope changed(const Person& a, std::uint64_t kind,
                 const std::vector<std::pair<std::string, Value>>& fields) {
  Table header = a.chain.header(a.agent, kind);
  for (const auto& [name, value] : fields)
    header = header.with(name, value);
  return seal(a.agent, finish("SWHD", header), bytes_of("x"));
}

// A's commit, accepted: both chains go to the next epoch.
Envelope commit(Person& a, Person& b) {
  const Envelope e = a.chain.commit(a.agent, {a.key(), b.key()});
  accepted(a->send({e}));
  a.chain.take(e);
  a.chain.enter(a.chain.epoch + 1);
  receives(b, e);
  b.chain.enter(b.chain.epoch + 1);
  return e;
}

void positions(Cases& cases) {
  const auto broken = [&](std::string id, std::string steps,
                          std::function<std::vector<std::pair<std::string, Value>>(Person&)> make,
                          std::vector<std::string> also = {"ENV-034", "ERR-004"}) {
    cases.push_back({.id = std::move(id),
                     .steps = "After two envelopes sends one " + steps,
                     .expects = "Rejected(chain_broken) with the remains of the sender's last "
                                "envelope, incarnation 1 and epoch 1; the chain goes on",
                     .run =
                         [make](Run& t) {
                           auto [a, b] = t.conversation();
                           receives(b, say(a));
                           const Envelope last = say(a);
                           receives(b, last);
                           const Rejection r = refuses(a, {changed(a, kind::application, make(a))},
                                                       Code::chain_broken);
                           expect(r.last == last.remains(),
                                  "the remains are those of the last accepted envelope");
                           equal(r.incarnation, 1u, "incarnation");
                           equal(r.epoch, 1u, "epoch");
                           goes_on(a, b);
                         },
                     .also = also,
                     .ways = kBound | kCurve});
  };
  broken("ENV-030.skipped", "that skips a position", [](Person& a) {
    return std::vector<std::pair<std::string, Value>>{{"sender_seq", a.chain.seq + 1}};
  });
  broken("ENV-030.repeated", "at the position of the last", [](Person& a) {
    return std::vector<std::pair<std::string, Value>>{{"sender_seq", a.chain.seq - 1}};
  });
  broken("ENV-030.restarted", "at position 0", [](Person&) {
    return std::vector<std::pair<std::string, Value>>{{"sender_seq", 0}};
  });
  broken("ENV-030.far", "at position 2^63", [](Person&) {
    return std::vector<std::pair<std::string, Value>>{{"sender_seq", std::uint64_t{1} << 63}};
  });
  broken("ENV-031.random", "whose previous is random", [](Person&) {
    return std::vector<std::pair<std::string, Value>>{{"previous", random_bytes(32)}};
  });
  broken("ENV-031.absent", "whose previous is zero", [](Person&) {
    return std::vector<std::pair<std::string, Value>>{{"previous", Bytes(32)}};
  });
  broken("ENV-031.flipped", "whose previous has one bit turned", [](Person& a) {
    return std::vector<std::pair<std::string, Value>>{{"previous", flipped(a.chain.previous, 31)}};
  });
  cases.push_back({.id = "ENV-031.first",
                   .steps = "A joiner's first envelope names a previous one",
                   .expects = "Rejected(chain_broken) without remains",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Rejection r = refuses(
                             b, {changed(b, kind::application, {{"previous", random_bytes(32)}})},
                             Code::chain_broken);
                         expect(r.last.empty(), "no remains");
                         goes_on(b, a);
                       },
                   .also = {"ENV-034"},
                   .ways = kBound | kCurve});
  cases.push_back(
      {.id = "ENV-031.over-epochs",
       .steps = "Commits, and sends on with the commit as previous and position 0",
       .expects = "accepted; the same with position 1, or without previous, is chain_broken",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             receives(b, say(a));
             commit(a, b);
             refuses(a, {changed(a, kind::application, {{"sender_seq", 1}})}, Code::chain_broken);
             refuses(a, {changed(a, kind::application, {{"previous", Bytes(32)}})},
                     Code::chain_broken);
             goes_on(a, b);
           },
       .also = {"ENV-030", "ENV-034"}});
  cases.push_back(
      {.id = "ENV-037.back",
       .steps = "After an envelope in epoch 2 sends one in epoch 1",
       .expects = "Rejected(chain_broken), and the chain goes on",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             commit(a, b);
             receives(b, say(a));
             const std::uint64_t seq = a.chain.seq;
             refuses(a, {changed(a, kind::application, {{"epoch", 1}, {"sender_seq", seq}})},
                     Code::chain_broken);
             refuses(a, {changed(a, kind::application, {{"epoch", 1}, {"sender_seq", 0}})},
                     Code::chain_broken);
             goes_on(a, b);
           },
       .also = {"ENV-034"},
       .ways = kBound | kCurve});
  cases.push_back({.id = "ENV-033.position",
                   .steps = "Sends a transient at the next position, then a durable one there",
                   .expects = "both accepted, the transient with sequence 0; a transient at "
                              "another position changes nothing",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         equal(accepted(a->send({a.chain.transient(a.agent)})).at(0).sequence, 0u,
                               "the transient's sequence");
                         goes_on(a, b);
                       },
                   .ways = kBound | kCurve});
  cases.push_back({.id = "ENV-033.elsewhere",
                   .steps = "Sends a transient whose position does not follow the chain",
                   .expects = "Rejected(chain_broken), or taken and dropped; the chain goes on",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Answer answer = a->send({changed(
                             a, kind::application, {{"durability", 1}, {"sender_seq", 9}})});
                         if (answer.rejection) rejected(answer, Code::chain_broken);
                         goes_on(a, b);
                       },
                   .ways = kBound});
}

void epochs(Cases& cases) {
  cases.push_back({.id = "DLV-007.loser",
                   .steps = "Both members commit in epoch 1",
                   .expects = "the first is accepted; the second is Rejected(epoch_conflict) with "
                              "incarnation 1 and epoch 2",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     const Envelope losing = b.chain.commit(b.agent, {a.key(), b.key()});
                     commit(a, b);
                     const Rejection r = refuses(b, {losing}, Code::epoch_conflict);
                     equal(r.incarnation, 1u, "incarnation");
                     equal(r.epoch, 2u, "epoch");
                     goes_on(b, a);
                     goes_on(a, b);
                   }});
  for (const int epoch : {0, 2, 3, 1000})
    cases.push_back(
        {.id = "DLV-007.epoch-" + std::to_string(epoch),
         .steps =
             "Commits in epoch " + std::to_string(epoch) + " while the conversation is in epoch 1",
         .expects = "Rejected(epoch_conflict) with incarnation 1 and epoch 1",
         .run =
             [epoch](Run& t) {
               auto [a, b] = t.conversation();
               const Rejection r = refuses(
                   a,
                   {changed(a, kind::commit,
                            {{"epoch", epoch}, {"recipients", recipients({a.key(), b.key()})}})},
                   Code::epoch_conflict);
               equal(r.epoch, 1u, "epoch");
               goes_on(a, b);
             },
         .also = {"ERR-004"},
         .ways = kBound});
  for (const int incarnation : {2, 7})
    cases.push_back({.id = "DLV-007.incarnation-" + std::to_string(incarnation),
                     .steps = "Commits in incarnation " + std::to_string(incarnation) +
                              " while the current is 1",
                     .expects = "Rejected(epoch_conflict)",
                     .run =
                         [incarnation](Run& t) {
                           auto [a, b] = t.conversation();
                           refuses(a,
                                   {changed(a, kind::commit,
                                            {{"incarnation", incarnation},
                                             {"recipients", recipients({a.key(), b.key()})}})},
                                   Code::epoch_conflict);
                           goes_on(a, b);
                         },
                     .ways = kBound});
  cases.push_back(
      {.id = "DLV-007.chain",
       .steps = "Commits off the chain",
       .expects = "Rejected(chain_broken), and the epoch stays",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             refuses(a,
                     {changed(a, kind::commit,
                              {{"sender_seq", 4}, {"recipients", recipients({a.key(), b.key()})}})},
                     Code::chain_broken);
             goes_on(a, b);
           },
       .also = {"ENV-034", "ERR-004"},
       .ways = kBound});
  for (const auto& [name, fields] :
       {std::pair{"ahead", std::vector<std::pair<std::string, Value>>{{"epoch", 2}}},
        {"far-ahead", {{"epoch", ~std::uint64_t{0}}}},
        {"incarnation", {{"incarnation", 2}}},
        {"zero-epochs-back", {{"incarnation", 4'000'000'000}}}})
    cases.push_back(
        {.id = std::string("DLV-008.") + name,
         .steps = "Sends an application envelope of another epoch or incarnation than there is",
         .expects = "Rejected(stale_epoch) with incarnation 1 and epoch 1; the chain goes on",
         .run =
             [f = fields](Run& t) {
               auto [a, b] = t.conversation();
               const Rejection r =
                   refuses(a, {changed(a, kind::application, f)}, Code::stale_epoch);
               equal(r.incarnation, 1u, "incarnation");
               equal(r.epoch, 1u, "epoch");
               goes_on(a, b);
             },
         .also = {"ERR-004"},
         .ways = kBound | kCurve});
  cases.push_back(
      {.id = "DLV-008.behind",
       .steps =
           "Sends in epoch 1 while the conversation is in epoch 3, then while it is in epoch 4",
       .expects = "accepted at two behind; Rejected(stale_epoch) with epoch 4 at three",
       .run = [](Run& t) {
         auto [a, b] = t.conversation();
         const Chain old = b.chain;
         commit(a, b);
         commit(a, b);
         b.chain = old;
         receives(a, say(b));
         const Chain older = b.chain;
         const Envelope third = a.chain.commit(a.agent, {a.key(), b.key()});
         accepted(a->send({third}));
         const Rejection r = refuses(b, {older.application(b.agent)}, Code::stale_epoch);
         equal(r.epoch, 4u, "epoch");
       }});
  cases.push_back({.id = "DLV-008.after-reopening",
                   .steps = "After a re-opening sends in the former incarnation",
                   .expects = "Rejected(stale_epoch) with incarnation 2 and epoch 1",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope old = a.chain.application(a.agent);
                         Chain next{a.chain.conversation, 2, 0, 0, {}};
                         accepted(b->send(next.opening(b.agent, a.key())));
                         const Rejection r = refuses(a, {old}, Code::stale_epoch);
                         equal(r.incarnation, 2u, "incarnation");
                         equal(r.epoch, 1u, "epoch");
                       },
                   .ways = kBound});
}

void openings(Cases& cases) {
  cases.push_back(
      {.id = "DLV-009.opening",
       .steps = "Opens a conversation and asks for its state",
       .expects = "receipts 1 and 2; the joiner gets the welcome alone; both see incarnation 1, "
                  "epoch 1, sequence 2",
       .run =
           [](Run& t) {
             auto [a, b] = t.pair();
             const auto bundle = a.chain.opening(a.agent, b.key());
             const auto receipts = accepted(a->send(bundle));
             equal(receipts.at(0).sequence, 1u, "the commit's sequence");
             equal(receipts.at(1).sequence, 2u, "the welcome's sequence");
             receives(b, bundle[1]);
             b->grant(1);
             expect(b->nothing_comes(), "the commit is not delivered to the joiner");
             for (Person* who : {&a, &b}) {
               const auto reply = done(
                   (*who)->call({"GetConversation", {{"conversation", a.chain.conversation}}}));
               const auto* state = reply.as<wire::ConversationState>();
               equal(state->incarnation(), 1u, "incarnation");
               equal(state->epoch(), 1u, "epoch");
               equal(state->sequence(), 2u, "sequence");
               if (who == &a)
                 same(view(state->last_header()), bundle[0].header, "the caller's last envelope");
               else
                 expect(state->last_header() == nullptr, "no last envelope of the joiner");
             }
           },
       .also = {"E2E-020", "E2E-023", "ENV-032", "DLV-021"}});
  cases.push_back({.id = "DLV-009.reopening",
                   .steps = "The other member re-opens with incarnation 2; both send on",
                   .expects = "accepted, conversation sequences go on, both chains start over",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         receives(b, say(a));
                         b.chain = Chain{a.chain.conversation, 2, 0, 0, {}};
                         const auto bundle = b.chain.opening(b.agent, a.key());
                         const auto receipts = accepted(b->send(bundle));
                         equal(receipts.at(0).sequence, 4u, "the commit's sequence");
                         equal(receipts.at(1).sequence, 5u, "the welcome's sequence");
                         b.chain.take(bundle[0]);
                         b.chain.enter(1);
                         receives(a, bundle[1]);
                         a.chain = Chain{a.chain.conversation, 2, 1, 0, {}};
                         goes_on(a, b);
                         goes_on(b, a);
                       },
                   .also = {}});
  for (const int incarnation : {1, 3})
    cases.push_back(
        {.id = "DLV-009.reopening-" + std::to_string(incarnation),
         .steps = "Re-opens incarnation 1 as incarnation " + std::to_string(incarnation),
         .expects = "Rejected(epoch_conflict) with incarnation 1 and epoch 1",
         .run =
             [incarnation](Run& t) {
               auto [a, b] = t.conversation();
               const Rejection r = refuses(
                   b,
                   Chain{a.chain.conversation, static_cast<std::uint64_t>(incarnation), 0, 0, {}}
                       .opening(b.agent, a.key()),
                   Code::epoch_conflict);
               equal(r.incarnation, 1u, "incarnation");
               equal(r.epoch, 1u, "epoch");
               goes_on(a, b);
             },
         .also = {"DLV-007", "ERR-004"},
         .ways = kBound});
  cases.push_back({.id = "DLV-009.first-incarnation-2",
                   .steps = "Opens a conversation that does not exist as incarnation 2",
                   .expects = "Rejected(denied)",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.pair();
                         refuses(a, Chain{random_bytes(16), 2, 0, 0, {}}.opening(a.agent, b.key()),
                                 Code::denied);
                       },
                   .ways = kBound});
  cases.push_back({.id = "DLV-009.stranger-reopens",
                   .steps = "A contact of one member, itself no member, re-opens the conversation",
                   .expects = "Rejected(denied), and the conversation goes on",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         Person c = t.newcomer();
                         befriend(a, c);
                         refuses(c,
                                 Chain{a.chain.conversation, 2, 0, 0, {}}.opening(c.agent, a.key()),
                                 Code::denied);
                         goes_on(a, b);
                       },
                   .also = {"ERR-003"}});
  cases.push_back(
      {.id = "DLV-009.other-members",
       .steps = "A member re-opens the conversation with a third agent instead of the other",
       .expects = "Rejected(denied), and the conversation goes on",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             Person c = t.newcomer();
             befriend(a, c);
             refuses(a, Chain{a.chain.conversation, 2, 0, 0, {}}.opening(a.agent, c.key()),
                     Code::denied);
             goes_on(a, b);
           },
       .ways = kBound | kCurve});
  cases.push_back(
      {.id = "DLV-009.membership",
       .steps = "Commits that add a third member, that remove the other, that swap it",
       .expects = "Rejected(denied) each, and the epoch stays",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             Person c = t.newcomer();
             befriend(a, c);
             refuses(a, {a.chain.commit(a.agent, {a.key(), b.key(), c.key()})}, Code::denied);
             refuses(a, {a.chain.commit(a.agent, {a.key()})}, Code::denied);
             refuses(a, {a.chain.commit(a.agent, {a.key(), c.key()})}, Code::denied);
             goes_on(a, b);
           },
       .ways = kBound | kCurve});
  cases.push_back(
      {.id = "DLV-009.no-conversation",
       .steps = "Commits, and sends an application envelope, in a conversation that does not exist",
       .expects = "Rejected(denied) both",
       .run =
           [](Run& t) {
             auto [a, b] = t.pair();
             refuses(a, {a.chain.commit(a.agent, {a.key(), b.key()})}, Code::denied);
             refuses(a, {Chain{random_bytes(16), 1, 1, 0, {}}.application(a.agent)}, Code::denied);
           },
       .also = {"ERR-003"},
       .ways = kBound});
  const auto bad = [&](std::string id, std::string steps,
                       std::function<std::vector<Envelope>(Person&, Person&)> make,
                       std::vector<std::string> also = {"DLV-013"}) {
    cases.push_back(
        {.id = std::move(id),
         .steps = "Sends in one bundle " + steps,
         .expects = "Rejected(malformed); a right opening of the same id is accepted after it",
         .run =
             [make](Run& t) {
               auto [a, b] = t.pair();
               refuses(a, make(a, b), Code::malformed);
               const auto good = a.chain.opening(a.agent, b.key());
               accepted(a->send(good));
               receives(b, good[1]);
             },
         .also = also,
         .ways = kBound});
  };
  bad("E2E-020.welcome-alone", "a welcome alone",
      [](Person& a, Person& b) { return std::vector{a.chain.opening(a.agent, b.key())[1]}; });
  bad("E2E-020.reversed", "welcome and commit, in this order", [](Person& a, Person& b) {
    const auto o = a.chain.opening(a.agent, b.key());
    return std::vector{o[1], o[0]};
  });
  bad("E2E-020.two-welcomes", "a commit and two welcomes", [](Person& a, Person& b) {
    const auto o = a.chain.opening(a.agent, b.key());
    return std::vector{o[0], o[1], a.chain.welcome(a.agent, b.key(), o[0])};
  });
  bad("E2E-020.two-commits", "two commits", [](Person& a, Person& b) {
    return std::vector{a.chain.commit(a.agent, {a.key(), b.key()}),
                       a.chain.commit(a.agent, {a.key(), b.key()})};
  });
  bad("E2E-020.epoch-1", "a commit of epoch 1 and its welcome", [](Person& a, Person& b) {
    const Chain later{random_bytes(16), 1, 1, 0, {}};
    return later.opening(a.agent, b.key());
  });
  bad("E2E-020.letters", "two letters", [](Person& a, Person& b) {
    return std::vector{letter(a.agent, b.key()), letter(a.agent, b.key())};
  });
  const auto bad_welcome = [&](std::string id, std::string steps,
                               std::vector<std::pair<std::string, Value>> fields) {
    bad(std::move(id), "a commit and a welcome " + steps,
        [fields](Person& a, Person& b) {
          const Envelope first = a.chain.commit(a.agent, {a.key(), b.key()});
          Table header = a.chain.header(a.agent, kind::welcome)
                             .with("recipients", recipients({b.key()}))
                             .with("names", first.link());
          for (const auto& [name, value] : fields)
            header = header.with(name, value);
          return std::vector{first, seal(a.agent, finish("SWHD", header), bytes_of("w"))};
        },
        {"E2E-020", "DLV-013"});
  };
  bad_welcome("ENV-032.names", "that names another commit", {{"names", random_bytes(32)}});
  bad_welcome("ENV-032.no-names", "that names none", {{"names", Bytes(32)}});
  bad_welcome("ENV-032.sender-seq", "with another sender_seq", {{"sender_seq", 1}});
  bad_welcome("ENV-032.epoch", "with another epoch", {{"epoch", 1}});
  bad_welcome("ENV-032.previous", "with another previous", {{"previous", random_bytes(32)}});
  bad_welcome("ENV-032.conversation", "of another conversation",
              {{"conversation", random_bytes(16)}});
  bad_welcome("ENV-032.incarnation", "of another incarnation", {{"incarnation", 2}});
  bad("ENV-017.welcome-to-sender", "a commit and a welcome whose joiners are both members",
      [](Person& a, Person& b) {
        const Envelope first = a.chain.commit(a.agent, {a.key(), b.key()});
        return std::vector{
            first, seal(a.agent,
                        finish("SWHD", a.chain.header(a.agent, kind::welcome)
                                           .with("recipients", recipients({a.key(), b.key()}))
                                           .with("names", first.link())),
                        bytes_of("w"))};
      });
  cases.push_back({.id = "DLV-013.two-applications",
                   .steps = "Sends in one bundle two envelopes in chain",
                   .expects = "Rejected(malformed); each alone is accepted",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope one = a.chain.application(a.agent);
                         Chain after = a.chain;
                         after.take(one);
                         const Envelope two = after.application(a.agent);
                         refuses(a, {one, two}, Code::malformed);
                         accepted(a->send({one}));
                         accepted(a->send({two}));
                         receives(b, one);
                         receives(b, two);
                       },
                   .also = {"DLV-001"},
                   .ways = kBound | kCurve});
}

}  // namespace

Cases chain_cases() {
  Cases cases;
  positions(cases);
  epochs(cases);
  openings(cases);
  return cases;
}

}  // namespace conformance

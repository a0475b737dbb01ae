// SPEC chapter KEY: inceptions, prekeys, key packages, invites.
#include <set>

#include "conformance/runner/run.h"

namespace conformance {
namespace {

Signed redemption_of(View seed, std::string_view label, const Table& table) {
  return sign_statement(seed, label, finish("SWIV", table));
}

Table redemption_table(View invite, const Bytes& agent, const Bytes& transcript) {
  return {"Redemption",
          {{"suite", 1}, {"invite", copy(invite)}, {"agent", agent}, {"transcript", transcript}}};
}

Table redeem_call(const Signed& redemption) {
  return {"Redeem", {{"redemption", redemption}}};
}

Table issue(const Bytes& key, std::uint64_t expires) {
  return {"IssueInvite", {{"key", key}, {"expires_ms", expires}}};
}

// An inception that is wrong in one thing, under a Proof that is right.
Case inception_case(std::string id, std::string steps, std::function<Signed(const Agent&)> make) {
  return {.id = std::move(id),
          .steps = std::move(steps),
          .expects = "Close(unauthenticated)",
          .run =
              [make = std::move(make)](Run& t) {
                Person a = t.newcomer();
                Handshake h = t.handshake(a.agent);
                h.greet();
                h.send_proof(h.proof({"Claims", {{"inception", make(a.agent)}}}));
                closes(h, Code::unauthenticated);
              },
          .also = {"SES-014"},
          .ways = kBound};
}

void inceptions(Cases& cases) {
  cases.push_back(
      inception_case("KEY-003.suite", "Shows an inception of suite 2", [](const Agent& a) {
        return sign_statement(a.seed, "inception", finish("SWIN", inception_table(a.key, 2)));
      }));
  cases.push_back(inception_case(
      "KEY-003.identifier", "Shows an inception under the identifier of a Prekey",
      [](const Agent& a) {
        return sign_statement(a.seed, "inception", finish("SWPK", inception_table(a.key)));
      }));
  cases.push_back(inception_case(
      "KEY-003.short-key", "Shows an inception with a key of 31 bytes", [](const Agent& a) {
        return sign_statement(a.seed, "inception",
                              finish("SWIN", inception_table(View(a.key).first(31))));
      }));
  cases.push_back(inception_case("KEY-003.signature",
                                 "Shows an inception with one bit of its signature turned",
                                 [](const Agent& a) {
                                   Signed one = a.inception;
                                   one.signature = flipped(one.signature, 40);
                                   return one;
                                 }));
  cases.push_back(inception_case(
      "KEY-003.noise", "Shows 100 random bytes as inception",
      [](const Agent& a) { return sign_statement(a.seed, "inception", random_bytes(100)); }));
  for (const char* label : {"prekey", "redemption", "proof", "refusal", "envelope"})
    cases.push_back(inception_case(
        std::string("KEY-002.inception-under-") + label,
        std::string("Shows an inception signed under the label of a ") + label,
        [label](const Agent& a) { return sign_statement(a.seed, label, a.inception.statement); }));

  // Keys and signatures with which a careless verifier proves anything.
  const Bytes small = unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
  for (const auto& [name, key] :
       {std::pair{"identity", Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
        {"order-8", small},
        {"order-2", unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")},
        {"order-4", Bytes(32)},
        {"non-canonical-identity",
         unhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")}})
    cases.push_back(
        {.id = std::string("KEY-001.") + name,
         .steps = "Proves a key of small order with the signature (identity, 0), which many "
                  "verifiers take",
         .expects = "Close(unauthenticated)",
         .run =
             [key = key](Run& t) {
               Handshake h = t.handshake(t.stranger());
               h.send_hello(h.hello().with("key", key));
               const auto message = h.connection->receive();
               expect(message.has_value(), "an answer");
               if (const auto code = Frame::close_code(*message)) {
                 expect(*code == Code::unauthenticated, "Close(unauthenticated)");
                 return;
               }
               h.check_challenge(*message);
               // S = 0, R = the identity: S·B = R + k·A holds whenever k·A vanishes.
               Bytes forged(64);
               forged[0] = 1;
               const Signed inception{finish("SWIN", inception_table(key)), forged};
               const Bytes claims = finish("SWCL", {"Claims", {{"inception", inception}}});
               h.send_proof({"Proof", {{"claims", claims}, {"signature", forged}}});
               closes(h, Code::unauthenticated);
             },
         .ways = kBound});
  cases.push_back({.id = "KEY-001.scalar-not-reduced",
                   .steps = "Signs an envelope and adds the group's order to the scalar",
                   .expects = "Rejected(unauthenticated)",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     const Bytes order =
                         unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
                     Envelope e = a.chain.application(a.agent);
                     Bytes signature = e.signature;
                     int carry = 0;
                     for (std::size_t i = 0; i < 32; ++i) {
                       carry += signature[32 + i] + order[i];
                       signature[32 + i] = static_cast<std::uint8_t>(carry);
                       carry >>= 8;
                     }
                     refuses(a, {with_signature(e, signature)}, Code::unauthenticated);
                     goes_on(a, b);
                   }});
}

void prekeys(Cases& cases) {
  const auto bad = [&](const char* name, const char* steps,
                       std::function<Signed(const Agent&)> make) {
    cases.push_back(
        {.id = std::string("KEY-005.") + name,
         .steps = std::string("Publishes ") + steps,
         .expects = "Reply(malformed), and the earlier prekey stays",
         .run =
             [make](Run& t) {
               auto [a, b] = t.pair();
               const Signed good = a.agent.prekey();
               done(a->call({"Publish", {{"prekey", good}}}));
               denied(a->call({"Publish", {{"prekey", make(a.agent)}}}), Code::malformed);
               const auto found = done(b->call({"Lookup", {{"agent", a.agent.id}}}));
               same(view(found.as<wire::Found>()->prekey()->statement()), good.statement,
                    "the prekey");
             },
         .also = {"ERR-004"},
         .ways = kBound});
  };
  const std::uint64_t day = kDay;
  bad("forged", "a prekey with one bit of its signature turned", [](const Agent& a) {
    Signed p = a.prekey();
    p.signature = flipped(p.signature, 3);
    return p;
  });
  bad("other-instance", "another instance's prekey", [](const Agent&) { return Agent().prekey(); });
  bad("too-long", "a prekey that lives 7 days and a minute",
      [day](const Agent& a) { return a.prekey(now_ms(), 7 * day + kMinute); });
  bad("expired", "a prekey that has expired",
      [day](const Agent& a) { return a.prekey(now_ms() - 2 * day, day); });
  bad("future", "a prekey made 10 minutes in the future",
      [day](const Agent& a) { return a.prekey(now_ms() + 10 * kMinute, day); });
  bad("backwards", "a prekey that expires before it is made",
      [](const Agent& a) { return a.prekey(now_ms(), ~std::uint64_t{0} - now_ms()); });
  bad("identifier", "a prekey under the identifier of an Inception", [](const Agent& a) {
    const Signed p = a.prekey();
    Bytes changed = p.statement;
    changed[6] = 'I';
    changed[7] = 'N';
    return sign_statement(a.seed, "prekey", changed);
  });
  for (const char* label : {"inception", "redemption", "refusal"})
    bad((std::string("under-") + label).c_str(), "a prekey signed under another label",
        [label](const Agent& a) { return sign_statement(a.seed, label, a.prekey().statement); });
  cases.push_back(
      {.id = "KEY-005.good",
       .steps = "Publishes prekeys at the edges: made 4 minutes ahead, living exactly 7 days",
       .expects = "Published, and Lookup gives the newest",
       .run = [](Run& t) {
         auto [a, b] = t.pair();
         done(a->call({"Publish", {{"prekey", a.agent.prekey(now_ms() + 4 * kMinute, kDay)}}}));
         const Signed last = a.agent.prekey(now_ms(), 7 * kDay);
         done(a->call({"Publish", {{"prekey", last}}}));
         const auto found = done(b->call({"Lookup", {{"agent", a.agent.id}}}));
         same(view(found.as<wire::Found>()->prekey()->statement()), last.statement, "the prekey");
         same(view(found.as<wire::Found>()->inception()->statement()), a.agent.inception.statement,
              "the inception");
       }});
}

Value packages(const std::vector<Bytes>& list) {
  std::vector<Table> tables;
  for (const Bytes& one : list)
    tables.push_back({"KeyPackageBytes", {{"bytes", one}}});
  return tables;
}

void key_packages(Cases& cases) {
  cases.push_back(
      {.id = "KEY-012.once",
       .steps = "Publishes two packages; a contact claims three times, then a last resort is there "
                "and it claims twice more",
       .expects = "each package once, oldest first; unknown; the last resort both times",
       .run =
           [](Run& t) {
             auto [a, b] = t.pair();
             const Bytes one = random_bytes(300), two = random_bytes(300), last = random_bytes(300);
             const auto claim = [&, &caller = a, &owner = b] {
               return caller->call({"Claim", {{"agent", owner.agent.id}}});
             };
             denied(claim(), Code::unknown);
             const auto published =
                 done(b->call({"Publish", {{"key_packages", packages({one, two})}}}));
             equal(published.as<wire::Published>()->key_packages(), 2u, "in the pool");
             const auto first = done(claim());
             same(view(first.as<wire::Claimed>()->key_package()), one, "the first");
             same(view(first.as<wire::Claimed>()->inception()->statement()),
                  b.agent.inception.statement, "the inception");
             same(view(done(claim()).as<wire::Claimed>()->key_package()), two, "the second");
             denied(claim(), Code::unknown);
             done(b->call({"Publish", {{"last_resort", last}}}));
             for (int i = 0; i < 2; ++i)
               same(view(done(claim()).as<wire::Claimed>()->key_package()), last,
                    "the last resort");
             t.reconnect(b);
             equal(b->key_packages, 0u, "key_packages in Ready");
           },
       .also = {"DLV-052"}});
  cases.push_back({.id = "KEY-012.two-claimers",
                   .steps = "Two agents claim in turn from a pool of four",
                   .expects = "four different packages",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.pair();
                         Person c = t.newcomer();
                         befriend(b, c);
                         std::vector<Bytes> pool;
                         for (int i = 0; i < 4; ++i)
                           pool.push_back(random_bytes(200));
                         done(b->call({"Publish", {{"key_packages", packages(pool)}}}));
                         std::set<Bytes> claimed;
                         for (int i = 0; i < 4; ++i) {
                           Person& who = i % 2 == 0 ? a : c;
                           claimed.insert(copy(done(who->call({"Claim", {{"agent", b.agent.id}}}))
                                                   .as<wire::Claimed>()
                                                   ->key_package()));
                         }
                         equal(claimed.size(), std::size_t{4}, "different packages");
                       },
                   .ways = kBound});
  cases.push_back({.id = "KEY-014.pool",
                   .steps = "Publishes 50 packages and one more",
                   .expects = "50 in the pool, of which the oldest has given way",
                   .run = [](Run& t) {
                     auto [a, b] = t.pair();
                     std::vector<Bytes> pool;
                     for (int i = 0; i < 50; ++i)
                       pool.push_back(random_bytes(100));
                     done(b->call({"Publish", {{"key_packages", packages(pool)}}}));
                     const auto more = done(
                         b->call({"Publish", {{"key_packages", packages({random_bytes(100)})}}}));
                     equal(more.as<wire::Published>()->key_packages(), 50u, "in the pool");
                     same(view(done(a->call({"Claim", {{"agent", b.agent.id}}}))
                                   .as<wire::Claimed>()
                                   ->key_package()),
                          pool[1], "the oldest left");
                   }});
  cases.push_back({.id = "KEY-014.largest",
                   .steps = "Publishes a package of 4096 bytes",
                   .expects = "Published",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         done(a->call({"Publish",
                                       {{"key_packages", packages({random_bytes(4096)})},
                                        {"last_resort", random_bytes(4096)}}}));
                       },
                   .ways = kBound});
  for (const bool last : {false, true})
    cases.push_back(
        {.id = last ? "KEY-014.last-resort-too-long" : "KEY-014.too-long",
         .steps = "Publishes a package of 4097 bytes",
         .expects = "malformed, as Reply or Close, and nothing is published",
         .run =
             [last](Run& t) {
               auto [a, b] = t.pair();
               const Value value =
                   last ? Value(random_bytes(4097)) : packages({random_bytes(4097)});
               try {
                 denied(b->call({"Publish", {{last ? "last_resort" : "key_packages", value}}}),
                        Code::malformed);
               } catch (const SessionClosed& closed) {
                 expect(closed.code == Code::malformed, "Close(malformed)");
                 t.reconnect(b);
               }
               denied(a->call({"Claim", {{"agent", b.agent.id}}}), Code::unknown);
             },
         .ways = kBound});
  cases.push_back(
      {.id = "KEY-014.51-at-once",
       .steps = "Publishes 51 packages in one call",
       .expects = "malformed, or 50 in the pool",
       .run =
           [](Run& t) {
             Person a = t.newcomer();
             try {
               const auto reply = a->call(
                   {"Publish", {{"key_packages", packages(std::vector<Bytes>(51, Bytes(10, 1)))}}});
               if (reply.code == Code::ok)
                 equal(reply.as<wire::Published>()->key_packages(), 50u, "in the pool");
               else
                 denied(reply, Code::malformed);
             } catch (const SessionClosed& closed) {
               expect(closed.code == Code::malformed, "Close(malformed)");
             }
           },
       .ways = kBound});
}

void redeeming(Cases& cases) {
  cases.push_back({.id = "KEY-023.contacts",
                   .steps = "A stranger redeems an invite in its Claims",
                   .expects = "Ready; each is the other's contact; the inviter's mailbox has the "
                              "redemption and the inception, both verifying",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const Bytes seed = t.invite_by(a);
                         Agent agent;
                         Person b{agent, t.connect(agent, seed)};
                         const Entry entry = next_entry(a);
                         expect(entry.type == wire::Item::Redeemed, "a Redeemed item");
                         expect(
                             verify(public_key(seed),
                                    labelled("sealwire/0 redemption", {entry.statement.statement}),
                                    entry.statement.signature),
                             "the redemption verifies under the invite's key (KEY-024)");
                         Bytes held;
                         const auto* redemption =
                             statement<wire::Redemption>(held, entry.statement.statement, "SWIV");
                         same(view(redemption->agent()), b.agent.id, "Redemption.agent");
                         same(agent_id({entry.inception.statement, entry.inception.signature}),
                              b.agent.id, "the inception's agent id");
                         for (auto [who, other] : {std::pair{&a, &b}, {&b, &a}}) {
                           bool listed = false;
                           const auto reply = done((*who)->call({"ListContacts", {}}));
                           for (const auto* contact : *reply.as<wire::Contacts>()->contacts())
                             listed = listed || (copy(contact->agent()) == other->agent.id &&
                                                 contact->contact() == wire::Contact::allowed);
                           expect(listed, "the other is an allowed contact");
                         }
                         open_conversation(b, a);
                       },
                   .also = {"KEY-002"}});
  cases.push_back({.id = "KEY-022.twice",
                   .steps = "Two strangers redeem one invite",
                   .expects = "Ready for the first, Close(denied) for the second",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const Bytes seed = t.invite_by(a);
                         const auto first = t.connect(t.stranger(), seed);
                         turned_away([&] { t.connect(t.stranger(), seed); }, Code::denied);
                       },
                   .also = {"SES-017"}});
  cases.push_back({.id = "KEY-022.expired",
                   .steps = "Issues an invite for 1.5 s and redeems it after that",
                   .expects = "Close(denied)",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const std::uint64_t end = now_ms() + 1500;
                         const Bytes seed = t.invite_by(a, 1500);
                         sleep_until_ms(end + 500);
                         turned_away([&] { t.connect(t.stranger(), seed); }, Code::denied);
                       },
                   .ways = kBound,
                   .pace = Pace::slow});
  cases.push_back({.id = "KEY-022.never-issued",
                   .steps = "Redeems an invite that nobody issued",
                   .expects = "Close(denied)",
                   .run = [](Run& t) {
                     turned_away([&] { t.connect(t.stranger(), random_bytes(32)); }, Code::denied);
                   }});
  const auto wrong = [&](const char* name, const char* steps,
                         std::function<Signed(const Bytes&, const Handshake&)> make) {
    cases.push_back({.id = std::string("KEY-021.") + name,
                     .steps = std::string("A stranger's Claims have ") + steps,
                     .expects = "Close(denied), and the invite is not used up",
                     .run =
                         [make](Run& t) {
                           Person a = t.newcomer();
                           const Bytes seed = t.invite_by(a);
                           Handshake h = t.handshake(t.stranger());
                           h.greet();
                           h.send_proof(h.proof(h.claims().with("redemption", make(seed, h))));
                           closes(h, Code::denied);
                           t.connect(t.stranger(), seed);
                         },
                     .also = {"ERR-004", "SES-017"},
                     .ways = kBound | kCurve});
    cases.push_back(
        {.id = std::string("KEY-021.call-") + name,
         .steps = std::string("An admitted agent redeems by a call ") + steps,
         .expects = "Reply(denied), and the invite is not used up",
         .run =
             [make](Run& t) {
               Person a = t.newcomer(), b = t.newcomer();
               const Bytes seed = t.invite_by(a);
               denied(b->call(redeem_call(make(seed, b->handshake))), Code::denied);
               done(b->call(redeem_call(b.agent.redemption(seed, b->handshake.transcript))));
             },
         .also = {"ERR-004"},
         .ways = kBound});
  };
  wrong("transcript", "a redemption over another transcript",
        [](const Bytes& seed, const Handshake& h) {
          return h.agent.redemption(seed, random_bytes(32));
        });
  wrong("agent", "a redemption that names another agent",
        [](const Bytes& seed, const Handshake& h) {
          return redemption_of(seed, "redemption",
                               redemption_table(public_key(seed), Agent().id, h.transcript));
        });
  wrong("signature", "a redemption that another key signed",
        [](const Bytes& seed, const Handshake& h) {
          return redemption_of(random_bytes(32), "redemption",
                               redemption_table(public_key(seed), h.agent.id, h.transcript));
        });
  wrong("label", "a redemption signed under the label of an inception",
        [](const Bytes& seed, const Handshake& h) {
          return redemption_of(seed, "inception",
                               redemption_table(public_key(seed), h.agent.id, h.transcript));
        });
  wrong("suite", "a redemption of suite 2", [](const Bytes& seed, const Handshake& h) {
    return redemption_of(
        seed, "redemption",
        redemption_table(public_key(seed), h.agent.id, h.transcript).with("suite", 2));
  });
  cases.push_back({.id = "KEY-023.by-call",
                   .steps = "An admitted agent redeems by a call, twice",
                   .expects = "Done and a Redeemed item; then Reply(denied)",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer(), b = t.newcomer();
                         const Bytes seed = t.invite_by(a);
                         const Signed redemption =
                             b.agent.redemption(seed, b->handshake.transcript);
                         done(b->call(redeem_call(redemption)));
                         expect(next_entry(a).type == wire::Item::Redeemed, "a Redeemed item");
                         denied(b->call(redeem_call(redemption)), Code::denied);
                         open_conversation(b, a);
                       },
                   .also = {"KEY-022"}});
  cases.push_back({.id = "KEY-022.second-try",
                   .steps = "An agent that an invite admitted names it in its Claims again",
                   .expects = "Ready: the used invite of a known agent is ignored",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const Bytes seed = t.invite_by(a);
                         Agent agent;
                         t.connect(agent, seed);
                         t.connect(agent, seed);
                       },
                   .ways = kBound});
  cases.push_back({.id = "KEY-021.known-agent",
                   .steps = "A known agent's Claims have a redemption over another transcript",
                   .expects = "Close(denied)",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer(), b = t.newcomer();
                         const Bytes seed = t.invite_by(a);
                         Handshake h = t.handshake(b.agent);
                         h.greet();
                         h.send_proof(h.proof(h.claims().with(
                             "redemption", b.agent.redemption(seed, random_bytes(32)))));
                         closes(h, Code::denied);
                       },
                   .ways = kBound});
  for (const auto& [name, offset] : {std::pair{"past", -1000}, {"8-days", 8 * 24 * 3'600'000}})
    cases.push_back({.id = std::string("KEY-025.") + name,
                     .steps = "Issues an invite whose expiry is wrong",
                     .expects = "Reply(denied)",
                     .run =
                         [o = std::int64_t{offset}](Run& t) {
                           Person a = t.newcomer();
                           denied(a->call(issue(public_key(random_bytes(32)),
                                                now_ms() + static_cast<std::uint64_t>(o))),
                                  Code::denied);
                         },
                     .ways = kBound});
  cases.push_back(
      {.id = "KEY-025.in-use",
       .steps = "Issues an invite for just under 7 days, then another with the same key",
       .expects = "Done, then Reply(denied)",
       .run = [](Run& t) {
         Person a = t.newcomer(), b = t.newcomer();
         const Bytes key = public_key(random_bytes(32));
         done(a->call(issue(key, now_ms() + 7 * kDay - kMinute)));
         denied(a->call(issue(key, now_ms() + kHour)), Code::denied);
         denied(b->call(issue(key, now_ms() + kHour)), Code::denied);
       }});
}

}  // namespace

Cases key_cases() {
  Cases cases;
  inceptions(cases);
  prekeys(cases);
  key_packages(cases);
  redeeming(cases);
  return cases;
}

}  // namespace conformance

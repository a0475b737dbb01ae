// SPEC chapter SES: the handshake and what protects a session.
#include <set>

#include "conformance/runner/run.h"
#include "conformance/runner/trace.h"

namespace conformance {
namespace {

// A Proof that is wrong in one thing, after a handshake that was right so far.
Case proof_case(std::string id, std::string steps, Code code,
                std::function<void(Run&, Handshake&)> send, unsigned ways = kAllWays) {
  return {.id = std::move(id),
          .steps = std::move(steps),
          .expects = "Close(" + code_name(code) + ")",
          .run =
              [send = std::move(send), code](Run& t) {
                Person a = t.newcomer();
                Handshake h = t.handshake(a.agent);
                h.greet();
                send(t, h);
                closes(h, code);
                // ERR-004, SES-006: the session that there was lives on.
                expect(a->nothing_comes(), "the agent's own session is untouched");
              },
          .also = {"SES-006", "ERR-004"},
          .ways = ways};
}

Table signed_proof(const Table& claims, View seed, std::string_view label, View transcript) {
  const Bytes bytes = finish("SWCL", claims);
  return {"Proof",
          {{"claims", bytes}, {"signature", sign(seed, labelled(label, {transcript, bytes}))}}};
}

void greeting(Cases& cases) {
  cases.push_back({.id = "SES-010.challenge",
                   .steps = "Sends Hello",
                   .expects = "a Challenge whose signature over Hello's hash, Terms and the "
                              "binding value verifies under the broker's key",
                   .run = [](Run& t) { t.handshake(t.stranger()).greet(); },
                   .also = {"KEY-002"},
                   .ways = kAllWays | kCurveSealed});
  cases.push_back({.id = "SES-010.fresh",
                   .steps = "Sends the same Hello on two connections",
                   .expects = "two Challenges whose nonces and ephemeral keys all differ",
                   .run = [](Run& t) {
                     Handshake one = t.handshake(t.stranger());
                     Handshake two(t.target, one.agent, t.sealed);
                     two.nonce = one.nonce;
                     two.ephemeral = one.ephemeral;
                     one.greet();
                     two.greet();
                     expect(one.broker_nonce != two.broker_nonce, "nonces differ");
                     expect(one.broker_ephemeral != two.broker_ephemeral, "ephemeral keys differ");
                   }});
  cases.push_back({.id = "SES-010.terms",
                   .steps = "Sends Hello and reads Terms",
                   .expects = "limits that are not zero, and no higher than the text's",
                   .run = [](Run& t) {
                     Handshake h = t.handshake(t.stranger());
                     h.greet();
                     expect(h.frame_bytes_max >= 16'384 && h.frame_bytes_max <= 4'194'304,
                            "frame_bytes_max");
                     expect(h.envelope_bytes_max > 0 && h.envelope_bytes_max <= 1'053'696,
                            "envelope_bytes_max");
                     expect(h.idle_ms > 0, "idle_ms");
                   }});
  for (const auto& [name, binding] :
       {std::pair{"curve", wire::Binding::curve}, {"tls_exporter", wire::Binding::tls_exporter}})
    cases.push_back(
        {.id = "SES-003." + std::string(name),
         .steps = "Says in Hello the binding " + std::string(name) + " on the other channel",
         .expects = "Close(unauthenticated)",
         .run =
             [b = binding](Run& t) {
               Handshake h = t.handshake(t.stranger());
               h.send_hello(h.hello().with("binding", b));
               closes(h, Code::unauthenticated);
             },
         .ways = binding == wire::Binding::curve ? kBound | kSealed : unsigned{kCurve}});
  for (const auto& [name, versions] : {std::pair{"1", std::vector<std::uint64_t>{1}},
                                       {"65535", {65535}},
                                       {"many", {1, 2, 3, 256}}})
    cases.push_back({.id = "SES-004.version-" + std::string(name),
                     .steps = "Offers versions without 0",
                     .expects = "Close(unsupported)",
                     .run =
                         [v = versions](Run& t) {
                           Handshake h = t.handshake(t.stranger());
                           h.send_hello(h.hello().with("versions", v));
                           closes(h, Code::unsupported);
                         },
                     .also = {"EVO-001"}});
  for (const int suite : {0, 2, 257})
    cases.push_back({.id = "SES-004.suite-" + std::to_string(suite),
                     .steps = "Offers suite " + std::to_string(suite),
                     .expects = "Close(unsupported)",
                     .run = [suite](Run& t) {
                       Handshake h = t.handshake(t.stranger());
                       h.send_hello(h.hello().with("suite", suite));
                       closes(h, Code::unsupported);
                     }});
  for (const bool greeted : {false, true})
    cases.push_back(
        {.id = greeted ? "SES-005.no-proof" : "SES-005.nothing",
         .steps = greeted ? "Sends Hello and no Proof" : "Opens a connection and sends nothing",
         .expects = "Close(timeout) after 5 s, 10 at most",
         .run =
             [greeted](Run& t) {
               const std::uint64_t began = now_ms();
               Handshake h = t.handshake(t.stranger());
               if (greeted) h.greet();
               closes(h, Code::timeout);
               const std::uint64_t took = now_ms() - began;
               expect(took >= 4'500 && took <= 10'000,
                      "closed after 5 s: " + std::to_string(took) + " ms");
             },
         .ways = kBound | kCurve,
         .pace = Pace::slow});
}

void proofs(Cases& cases) {
  cases.push_back(
      {.id = "SES-015.ready",
       .steps = "Shakes hands with an invite",
       .expects = "Ready as the first frame, with the broker's time and an empty mailbox",
       .run =
           [](Run& t) {
             Person a = t.newcomer();
             expect(a->now_at_ready + 60'000 > now_ms() && a->now_at_ready < now_ms() + 60'000,
                    "now_ms is near");
             equal(a->mailbox_acked, 0u, "mailbox_acked");
             equal(a->mailbox_last, 0u, "mailbox_last");
             equal(a->key_packages, 0u, "key_packages");
           },
       .also = {"SES-014", "SES-013"},
       .ways = kAllWays | kCurveSealed});
  cases.push_back({.id = "SES-015.fresh-session",
                   .steps = "Connects twice",
                   .expects = "two session ids, one incarnation",
                   .run = [](Run& t) {
                     Person a = t.newcomer();
                     const Bytes first = a->session_id, incarnation = a->incarnation;
                     t.reconnect(a);
                     expect(a->session_id != first, "the session ids differ");
                     same(a->incarnation, incarnation, "incarnation");
                   }});
  cases.push_back(proof_case(
      "SES-014.flipped-signature", "Sends a Proof with one bit of its signature turned",
      Code::unauthenticated, [](Run&, Handshake& h) {
        const Bytes claims = finish("SWCL", h.claims());
        const Bytes signature =
            sign(h.agent.seed, labelled("sealwire/0 proof", {h.transcript, claims}));
        h.send_proof({"Proof", {{"claims", claims}, {"signature", flipped(signature, 5)}}});
      }));
  cases.push_back(proof_case(
      "SES-014.other-claims", "Signs other claims than it sends", Code::unauthenticated,
      [](Run&, Handshake& h) {
        const Bytes signed_claims = finish("SWCL", h.claims());
        h.send_proof(
            {"Proof",
             {{"claims", finish("SWCL", h.claims().with("acked", 1))},
              {"signature",
               sign(h.agent.seed, labelled("sealwire/0 proof", {h.transcript, signed_claims}))}}});
      }));
  cases.push_back(proof_case("SES-014.other-key", "Signs the Proof with another key",
                             Code::unauthenticated, [](Run&, Handshake& h) {
                               h.send_proof(signed_proof(h.claims(), Agent().seed,
                                                         "sealwire/0 proof", h.transcript));
                             }));
  cases.push_back(proof_case("SES-014.other-transcript", "Signs over another transcript",
                             Code::unauthenticated, [](Run&, Handshake& h) {
                               h.send_proof(signed_proof(h.claims(), h.agent.seed,
                                                         "sealwire/0 proof", random_bytes(32)));
                             }));
  for (const char* label : {"sealwire/0 challenge", "sealwire/0 envelope", "sealwire/0 inception",
                            "sealwire/0 transcript"})
    cases.push_back(proof_case(
        "KEY-002.proof-under-" + std::string(label).substr(11),
        "Signs the Proof under the label " + std::string(label), Code::unauthenticated,
        [label](Run&, Handshake& h) {
          h.send_proof(signed_proof(h.claims(), h.agent.seed, label, h.transcript));
        },
        kBound));
  cases.push_back(proof_case(
      "SES-014.inception-of-another", "Shows another agent's inception, signed by itself",
      Code::unauthenticated, [](Run&, Handshake& h) {
        h.send_proof(h.proof({"Claims", {{"inception", Agent().inception}}}));
      }));
  cases.push_back(proof_case("SES-013.replayed", "Replays Hello and Proof of an earlier connection",
                             Code::unauthenticated, [](Run& t, Handshake& h) {
                               Handshake earlier = t.handshake(h.agent);
                               earlier.nonce = h.nonce;
                               earlier.ephemeral = h.ephemeral;
                               earlier.greet();
                               // A Proof that was never sent, over the same Hello: only the
                               // broker's half differs.
                               h.send_proof(earlier.proof(earlier.claims()));
                             }));
  cases.push_back(proof_case(
      "SES-013.relayed", "Signs over the binding value of another connection",
      Code::unauthenticated,
      [](Run& t, Handshake& h) {
        const Handshake elsewhere = t.handshake(h.agent);
        const Bytes type{static_cast<std::uint8_t>(h.binding)};
        const Bytes transcript =
            hash(labelled("sealwire/0 transcript", {hash(h.hello_bytes), hash(h.challenge_bytes),
                                                    type, elsewhere.binding_value}));
        h.send_proof(signed_proof(h.claims(), h.agent.seed, "sealwire/0 proof", transcript));
      },
      kBound | kCurve));
  cases.push_back(proof_case(
      "SES-013.unbound-transcript", "Signs a transcript without the binding it said",
      Code::unauthenticated,
      [](Run&, Handshake& h) {
        const Bytes transcript =
            hash(labelled("sealwire/0 transcript",
                          {hash(h.hello_bytes), hash(h.challenge_bytes), Bytes{0}, Bytes()}));
        h.send_proof(signed_proof(h.claims(), h.agent.seed, "sealwire/0 proof", transcript));
      },
      kBound | kCurve));
  cases.push_back(proof_case(
      "SES-014.claims-identifier", "Sends claims under another file identifier", Code::malformed,
      [](Run&, Handshake& h) {
        const Bytes claims = finish("SWFR", h.claims());
        h.send_proof({"Proof",
                      {{"claims", claims},
                       {"signature", sign(h.agent.seed,
                                          labelled("sealwire/0 proof", {h.transcript, claims}))}}});
      },
      kBound));
  cases.push_back(proof_case(
      "FRM-006.claims-incarnation", "Sends claims with an incarnation of 15 bytes", Code::malformed,
      [](Run&, Handshake& h) {
        h.send_proof(h.proof(h.claims().with("incarnation", Bytes(15, 1))));
      },
      kBound));
  cases.push_back(
      {.id = "SES-017.stranger",
       .steps = "Shakes hands as an agent without an invite",
       .expects = "Close(denied)",
       .run = [](Run& t) { turned_away([&] { t.connect(t.stranger()); }, Code::denied); },
       .also = {"SES-032"}});
  cases.push_back({.id = "SES-016.replaced",
                   .steps = "Connects while an older session of the key lives",
                   .expects = "Close(replaced) on the older one; the newer one lives",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const auto older = std::move(a.session);
                         t.reconnect(a);
                         closes(*older, Code::replaced);
                         expect(a->nothing_comes(), "the newer session lives");
                       },
                   .also = {"SES-032"}});
  cases.push_back({.id = "SES-016.not-by-failure",
                   .steps = "A second connection of the key fails its Proof",
                   .expects = "the older session lives",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         Handshake h = t.handshake(a.agent);
                         h.greet();
                         h.send_proof(h.proof(h.claims()).with("signature", Bytes(64, 1)));
                         closes(h, Code::unauthenticated);
                         expect(a->nothing_comes(), "the older session lives");
                       },
                   .also = {"SES-006"}});
}

void sealing(Cases& cases) {
  const unsigned sealed = kSealed | kCurveSealed;
  cases.push_back(
      {.id = "SES-020.keys",
       .steps = "Computes the session keys and exchanges forty sealed Pings",
       .expects = "every frame from Ready on opens under the derived key and the next counter",
       .run =
           [](Run& t) {
             Person a = t.newcomer();
             for (int i = 0; i < 40; ++i)
               expect(a->nothing_comes(), "a Pong");
           },
       .also = {"SES-021"},
       .ways = sealed});
  const auto broken = [&](const char* name, const char* steps, std::function<void(Session&)> send) {
    cases.push_back(
        {.id = std::string("SES-022.") + name,
         .steps = steps,
         .expects = "the session closes, with Close(unauthenticated) if it can still be sent",
         .run =
             [send](Run& t) {
               Person a = t.newcomer();
               send(*a.session);
               const auto code = a->closing_code();
               if (code != Code::unauthenticated)
                 throw Failure("another code than unauthenticated: " +
                               (code ? code_name(*code) : std::string("none")));
             },
         .also = {"SES-021"},
         .ways = kSealed});
  };
  const auto ping = [] { return frame({"Ping", {{"nonce", 1}}}); };
  broken("changed", "Turns one bit of a sealed frame",
         [ping](Session& s) { s.send_message(flipped(s.seal(ping()), 9)); });
  broken("changed-tag", "Turns one bit of a sealed frame's tag",
         [ping](Session& s) { s.send_message(flipped(s.seal(ping()), -1)); });
  broken("replayed", "Sends a sealed frame twice", [ping](Session& s) {
    const Bytes sealed_frame = s.seal(ping());
    s.send_message(sealed_frame);
    s.send_message(sealed_frame);
  });
  broken("skipped", "Leaves out one counter", [ping](Session& s) {
    s.seal(ping());
    s.send_message(s.seal(ping()));
  });
  broken("reordered", "Sends the second sealed frame before the first", [ping](Session& s) {
    const Bytes first = s.seal(ping()), second = s.seal(ping());
    s.send_message(second);
    s.send_message(first);
  });
  broken("clear", "Sends a frame in clear", [ping](Session& s) { s.send_message(ping()); });
  broken("short", "Sends 15 bytes, less than a tag", [](Session& s) { s.send_message(Bytes(15)); });
  broken("reflected", "Sends the broker's own sealed bytes back", [](Session& s) {
    s.send(Table{"Ping", {{"nonce", 1}}});
    s.send_message(s.receive_sealed());
  });
  for (const auto& [name, point] :
       {std::pair{"zero", Bytes(32)},
        {"one", Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
        {"order-8", unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")},
        {"order-8-other",
         unhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")},
        {"minus-one", unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")},
        {"p", unhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")}})
    cases.push_back({.id = std::string("SES-023.") + name,
                     .steps = "Sends in Hello an ephemeral key of small order",
                     .expects = "Close(unauthenticated)",
                     .run =
                         [point = point](Run& t) {
                           Person a = t.newcomer();
                           Handshake h = t.handshake(a.agent);
                           h.ephemeral.key = point;
                           h.send_hello(h.hello());
                           const auto message = h.connection->receive();
                           if (!message)
                             throw Failure("the connection closed without Close(unauthenticated)");
                           Trace::received(*message);
                           if (const auto code = Frame::close_code(*message)) {
                             expect(*code == Code::unauthenticated, "Close(unauthenticated)");
                             return;
                           }
                           h.check_challenge(*message);
                           h.send_proof(h.proof(h.claims()));
                           closes(h, Code::unauthenticated);
                         },
                     .ways = kSealed});
}

void living(Cases& cases) {
  cases.push_back(
      {.id = "SES-030.pong",
       .steps = "Sends Pings with the nonces 0, 1 and 2^64-1",
       .expects = "a Pong of each nonce",
       .run = [](Run& t) {
         Person a = t.newcomer();
         for (const std::uint64_t nonce : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
           a->send(Table{"Ping", {{"nonce", nonce}}});
           while (a->pongs.empty())
             a->pump();
           expect(a->pongs.back() == nonce, "the nonce of the Pong");
           a->pongs.clear();
         }
       }});
  cases.push_back({.id = "SES-031.idle",
                   .steps = "Sends nothing, and answers no Ping, for longer than idle_ms",
                   .expects = "Close(timeout) within idle_ms and 15 s",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const std::uint64_t idle = a->handshake.idle_ms;
                         if (idle > 90'000) throw NotApplicable("idle_ms is more than 90 s");
                         a->answers_pings = false;
                         const std::uint64_t began = now_ms();
                         std::optional<Code> code;
                         try {
                           while (now_ms() < began + idle + 15'000)
                             a->pump(static_cast<int>(idle) + 15'000);
                           throw Failure("the session lives");
                         } catch (const SessionClosed& closed) {
                           code = closed.code;
                         }
                         expect(code == Code::timeout, "Close(timeout)");
                         expect(now_ms() - began >= idle - 1000, "not before idle_ms");
                       },
                   .also = {"SES-032"},
                   .ways = kBound | kCurve,
                   .pace = Pace::slow});
  cases.push_back({.id = "SES-031.alive",
                   .steps = "Only answers the broker's Pings, for longer than idle_ms",
                   .expects = "the session lives",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const std::uint64_t idle = a->handshake.idle_ms;
                         if (idle > 90'000) throw NotApplicable("idle_ms is more than 90 s");
                         const std::uint64_t until = now_ms() + idle + 8'000;
                         std::uint64_t pinged = now_ms();
                         while (now_ms() < until) {
                           if (now_ms() - pinged > idle / 3) {
                             expect(a->nothing_comes(), "a Pong");
                             pinged = now_ms();
                           }
                           sleep_until_ms(now_ms() + 500);
                         }
                         expect(a->nothing_comes(), "the session lives");
                       },
                   .ways = kBound,
                   .pace = Pace::slow});
}

}  // namespace

Cases session_cases() {
  Cases cases;
  greeting(cases);
  proofs(cases);
  sealing(cases);
  living(cases);
  return cases;
}

}  // namespace conformance

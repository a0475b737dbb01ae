// Agents, chapter SES: the suite is the broker, and does each step of the handshake wrong.
#include "conformance/runner/case.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/host.h"

namespace conformance {
namespace {

constexpr unsigned kBoth = kBound | kSealed;
using Script = std::function<void(Host&)>;

Case agent_case(std::string id, std::string steps, std::string expects, Script script,
                std::vector<std::string> also = {}, unsigned ways = kBoth) {
  return {.id = std::move(id),
          .steps = std::move(steps),
          .expects = std::move(expects),
          .also = std::move(also),
          .ways = ways,
          .host = std::move(script)};
}

// A Challenge that an agent has to refuse: no Proof, and Close.
Case refused_challenge(std::string id, std::string steps, std::function<Bytes(Hosted&)> make,
                       std::vector<std::string> also = {}, unsigned ways = kBoth) {
  return agent_case(
      std::move(id), "The Challenge " + steps, "no Proof; Close",
      [make = std::move(make)](Host& t) {
        Hosted& s = t.meet();
        s.take_hello();
        s.send_challenge(make(s));
        t.closes();
      },
      std::move(also), ways);
}

void hellos(Cases& cases) {
  cases.push_back(agent_case("SES-001.hello", "Takes the agent's first frame, of two connections",
                             "Hello with version 0, suite 1, and a fresh nonce and ephemeral key",
                             [](Host& t) {
                               t.meet().take_hello();
                               t.meet().take_hello();
                             },
                             {"SES-002"}));
  cases.push_back(agent_case("SES-040.agent", "Takes the agent's opening request",
                             "the target /, the subprotocol sealwire.0; masked binary messages",
                             [](Host& t) { t.meet().take_hello(); }));
}

void challenges(Cases& cases) {
  const auto with = [](const char* field, auto value) {
    return [field, value](Hosted& s) { return s.challenge(s.terms().with(field, value)); };
  };
  cases.push_back(
      refused_challenge("SES-011.other-key", "is signed by another key than the pinned",
                        [](Hosted& s) { return s.challenge(s.terms(), random_bytes(32)); }));
  cases.push_back(refused_challenge(
      "SES-011.other-broker", "is another broker's: its terms name that key, and it signed",
      [](Hosted& s) {
        const Bytes seed = random_bytes(32);
        return s.challenge(s.terms().with("broker", public_key(seed)), seed);
      }));
  cases.push_back(
      refused_challenge("SES-011.flipped", "has one bit of its signature flipped", [](Hosted& s) {
        const Bytes terms = finish("SWTM", s.terms());
        return frame({"Challenge",
                      {{"terms", terms},
                       {"signature", flipped(sign(s.store().seed, s.challenge_input(terms)), 5)}}});
      }));
  cases.push_back(
      refused_challenge("SES-011.other-terms", "has other terms than were signed", [](Hosted& s) {
        const Bytes signature = sign(s.store().seed, s.challenge_input(finish("SWTM", s.terms())));
        return frame(
            {"Challenge", {{"terms", finish("SWTM", s.terms())}, {"signature", signature}}});
      }));
  cases.push_back(
      refused_challenge("SES-011.other-hello", "is signed over another Hello", [](Hosted& s) {
        const Bytes terms = finish("SWTM", s.terms());
        return frame(
            {"Challenge",
             {{"terms", terms},
              {"signature", sign(s.store().seed, labelled("sealwire/0 challenge",
                                                          {hash(flipped(s.hello_bytes(), -1)),
                                                           terms, s.socket().binding_value()}))}}});
      }));
  cases.push_back(refused_challenge(
      "SES-011.relayed",
      "is signed over the exporter of another TLS connection, as one who "
      "terminates TLS in between would pass it on",
      [](Hosted& s) {
        const Bytes terms = finish("SWTM", s.terms());
        return frame({"Challenge",
                      {{"terms", terms},
                       {"signature", sign(s.store().seed, labelled("sealwire/0 challenge",
                                                                   {hash(s.hello_bytes()), terms,
                                                                    random_bytes(32)}))}}});
      },
      {}, kBound));
  for (const char* label : {"proof", "inception", "envelope", "acceptance", "transcript"})
    cases.push_back(refused_challenge(
        std::string("KEY-002.challenge-under-") + label,
        std::string("is signed under the label of ") + label,
        [label](Hosted& s) {
          const Bytes terms = finish("SWTM", s.terms());
          return frame(
              {"Challenge",
               {{"terms", terms},
                {"signature", sign(s.store().seed, labelled(std::string("sealwire/0 ") + label,
                                                            {hash(s.hello_bytes()), terms,
                                                             s.socket().binding_value()}))}}});
        },
        {"SES-011"}));
  for (const int version : {1, 2, 65535})
    cases.push_back(refused_challenge("SES-012.version-" + std::to_string(version),
                                      "has Terms of version " + std::to_string(version),
                                      with("version", version)));
  for (const int suite : {0, 2, 257})
    cases.push_back(refused_challenge("SES-012.suite-" + std::to_string(suite),
                                      "has Terms of suite " + std::to_string(suite),
                                      with("suite", suite)));
  cases.push_back(refused_challenge("SES-012.binding-none",
                                    "has Terms without the binding that Hello named",
                                    with("binding", 0), {}, kBound));
  cases.push_back(refused_challenge("SES-012.binding-exporter",
                                    "has Terms with a binding that Hello did not name",
                                    with("binding", 1), {}, kSealed));
  cases.push_back(refused_challenge("SES-012.binding-curve",
                                    "has Terms with a binding that Hello did not name",
                                    with("binding", 2)));
  for (const auto& [name, key] : {std::pair{"zero", Bytes(32)}, {"one", Bytes{1} + Bytes(31)}})
    cases.push_back(refused_challenge(std::string("SES-023.agent-") + name,
                                      "has an ephemeral key of small order", with("ephemeral", key),
                                      {}, kSealed));
}

void proofs(Cases& cases) {
  cases.push_back(agent_case("SES-013.proof", "Takes the Proof of an agent",
                             "Claims signed over the session's transcript, with a valid inception",
                             [](Host& t) {
                               Hosted& s = t.meet();
                               s.take_hello();
                               s.send_challenge(s.challenge(s.terms()));
                               s.take_proof();
                             },
                             {"KEY-003"}));
  cases.push_back(
      agent_case("SES-018.waits", "Waits a second before Ready", "nothing comes", [](Host& t) {
        Hosted& s = t.meet();
        s.take_hello();
        s.send_challenge(s.challenge(s.terms()));
        s.take_proof();
        s.silence(1000);
      }));
  for (const auto& [name, code] :
       {std::pair{"unavailable", Code::unavailable}, {"unauthenticated", Code::unauthenticated}})
    cases.push_back(agent_case(
        std::string("SES-019.") + name, "Answers Proof by a Close in clear, and nothing more",
        "the agent takes the session for ended: it closes the connection", [code = code](Host& t) {
          Hosted& s = t.meet();
          s.take_hello();
          s.send_challenge(s.challenge(s.terms()));
          s.take_proof();
          s.send_raw(frame({"Close", {{"code", code}}}));
          while (s.pump()) {
          }
        }));
  cases.push_back(agent_case("KEY-020.claims", "Admits nobody but who redeems in Claims",
                             "a Redemption of the invite, for this agent and this session",
                             [](Host& t) {
                               t.store.admits = false;
                               t.session();
                             }));
  cases.push_back(agent_case("KEY-020.call", "Admits the agent, whose invite is not yet redeemed",
                             "a Redemption, in Claims or in a Redeem call",
                             [](Host& t) { t.session(); }, {"KEY-005"}));
}

void sealed(Cases& cases) {
  cases.push_back(agent_case(
      "SES-021.agent", "Completes an unbound session", "frames that open",
      [](Host& t) { t.session(); }, {"SES-020"}, kSealed));
  const auto refused = [&](const char* name, const char* what, auto make) {
    cases.push_back(agent_case(
        std::string("SES-022.agent-") + name, what, "Close(unauthenticated)",
        [make](Host& t) {
          Hosted& s = t.session();
          make(s);
          t.closes(Code::unauthenticated);
        },
        {}, kSealed));
  };
  const auto ping = [] { return frame({"Ping", {{"nonce", 7}}}); };
  refused("changed", "Sends a sealed frame with one bit flipped",
          [ping](Hosted& s) { s.send_raw(flipped(s.seal(ping()), 3)); });
  refused("tag", "Sends a sealed frame whose tag has one bit flipped",
          [ping](Hosted& s) { s.send_raw(flipped(s.seal(ping()), -1)); });
  refused("clear", "Sends a frame in clear", [ping](Hosted& s) { s.send_raw(ping()); });
  refused("replayed", "Sends one sealed frame twice", [ping](Hosted& s) {
    const Bytes sealed = s.seal(ping());
    s.send_raw(sealed);
    s.send_raw(sealed);
  });
  refused("skipped", "Leaves out one sealed frame", [ping](Hosted& s) {
    s.seal(ping());
    s.send_raw(s.seal(ping()));
  });
  refused("short", "Sends 15 bytes", [](Hosted& s) { s.send_raw(random_bytes(15)); });
}

void living(Cases& cases) {
  cases.push_back(
      agent_case("SES-030.agent", "Pings twice", "Pongs of the same nonces", [](Host& t) {
        Hosted& s = t.session();
        s.send({"Ping", {{"nonce", 11}}});
        s.send({"Ping", {{"nonce", 0xffff'ffff'ffff'fff0}}});
        t.until("two Pongs",
                [&s] { return s.pongs.contains(11) && s.pongs.contains(0xffff'ffff'ffff'fff0); });
      }));
  Case keepalive = agent_case("SES-031.agent", "Gives 3 s of idle_ms and says nothing",
                              "a Ping before they have passed", [](Host& t) {
                                t.store.idle_ms = 3000;
                                Hosted& s = t.session();
                                const std::uint64_t began = now_ms();
                                const int before = s.pings;
                                t.until("a Ping", [&s, before] { return s.pings > before; });
                                if (now_ms() - began > 3000)
                                  throw Failure("the Ping came too late");
                              });
  keepalive.level = Level::should;
  cases.push_back(std::move(keepalive));
  cases.push_back(agent_case("SES-032.agent", "Ends the agent's standard input",
                             "Close before the connection ends", [](Host& t) {
                               t.session();
                               t.end();
                               t.closes();
                             }));
  cases.push_back(
      agent_case("DLV-026.agent",
                 "Delivers a letter, waits for its Ack, and cuts the "
                 "connection",
                 "Claims of the next session with the cursor and the incarnation", [](Host& t) {
                   Hosted& s = t.session();
                   t.store.put(t.letter("one"));
                   t.shows("one");
                   t.until("an Ack", [&t] { return t.store.acked == 1; });
                   s.socket().drop();
                   Hosted& again = t.meet();
                   again.greet();
                   if (again.claims_acked != 1 || again.claims_incarnation != t.store.incarnation)
                     throw Failure("Claims do not say what was acknowledged");
                 }));
}

}  // namespace

Cases agent_session_cases() {
  Cases cases;
  hellos(cases);
  challenges(cases);
  proofs(cases);
  sealed(cases);
  living(cases);
  return cases;
}

}  // namespace conformance

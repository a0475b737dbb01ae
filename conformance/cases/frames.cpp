// SPEC chapter FRM. A frame that is refused ends the session, with the code that the table names.
#include <cstring>

#include "conformance/runner/run.h"

namespace conformance {
namespace {

constexpr std::size_t kBefore = 16'384, kAfter = 4'194'304;

// --- frames to start from

Table hello_of(const Agent& agent) {
  return {"Hello",
          {{"versions", std::vector<std::uint64_t>{0}},
           {"suite", 1},
           {"key", agent.key},
           {"nonce", random_bytes(32)},
           {"ephemeral", make_agreement_key().key}}};
}
Table ping() {
  return {"Ping", {{"nonce", 7}}};
}
Table call(Table request) {
  return {"Call", {{"id", 1}, {"request", std::move(request)}}};
}
Table bundle(std::size_t envelopes) {
  return {"Bundle",
          {{"envelopes",
            std::vector<Table>(envelopes, {"EnvelopeBytes", {{"bytes", bytes_of("x")}}})}}};
}
Table send_of(std::size_t bundles, std::size_t envelopes) {
  return {"Send", {{"bundles", std::vector<Table>(bundles, bundle(envelopes))}}};
}
Table signed_of(std::size_t statement, std::size_t signature) {
  return {"Signed", {{"statement", Bytes(statement)}, {"signature", Bytes(signature)}}};
}

Bytes overwritten(Bytes frame, std::size_t at, std::uint32_t word) {
  std::memcpy(frame.data() + at, &word, 4);
  return frame;
}

std::uint32_t word_at(const Bytes& frame, std::size_t at) {
  std::uint32_t word;
  std::memcpy(&word, frame.data() + at, 4);
  return word;
}

// --- families

// The frame comes on a session that is Ready.
Case ready_case(std::string id, std::string steps, std::function<Bytes()> make, Code code,
                std::vector<std::string> also = {"FRM-009", "ERR-001"}) {
  return {.id = std::move(id),
          .steps = "On a Ready session sends " + steps,
          .expects = "Close(" + code_name(code) + ")",
          .run =
              [make = std::move(make), code](Run& t) {
                Person a = t.newcomer();
                a->send_frame(make());
                closes(*a.session, code);
              },
          .also = std::move(also)};
}

// The frame comes as the first of a connection.
Case first_case(std::string id, std::string steps, std::function<Bytes()> make, Code code) {
  return {.id = std::move(id),
          .steps = "As the first message sends " + steps,
          .expects = "Close(" + code_name(code) + ")",
          .run =
              [make = std::move(make), code](Run& t) {
                Handshake h = t.handshake(t.stranger());
                h.send(make());
                closes(h, code);
              },
          .also = {"FRM-009", "ERR-001"},
          .ways = kBound | kCurve};
}

void too_large(Connection& connection, const std::optional<Code>& code) {
  if (code ? *code != Code::too_large : connection.close_status() != 1009)
    throw Failure("neither Close(too_large) nor the WebSocket status 1009");
}

// --- FRM-001

void sizes(Cases& cases) {
  cases.push_back({.id = "FRM-001.before-proof",
                   .steps = "Before any Proof sends 16385 bytes",
                   .expects = "Close(too_large), or WebSocket status 1009",
                   .run =
                       [](Run& t) {
                         Handshake h = t.handshake(t.stranger());
                         h.send(Bytes(kBefore + 1));
                         too_large(*h.connection, h.refusal());
                       },
                   .also = {"FRM-009"},
                   .ways = kBound});
  cases.push_back(first_case(
      "FRM-001.largest-before-proof", "16384 zero bytes, which are read",
      [] { return Bytes(kBefore); }, Code::malformed));
  cases.push_back({.id = "FRM-001.after-proof",
                   .steps = "On a Ready session sends a message of 4194305 bytes",
                   .expects = "Close(too_large), or WebSocket status 1009",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         a->send_frame(Bytes(kAfter + 1 - (t.sealed ? 16 : 0)));
                         const auto code = a->closing_code();
                         too_large(a->connection(), code);
                       },
                   .also = {"FRM-009"},
                   .ways = kBound | kSealed});
  cases.push_back(
      {.id = "FRM-001.largest-after-proof",
       .steps = "On a Ready session sends a message of 4194304 bytes, whose frame is zeros",
       .expects = "Close(malformed): it is read, and refused for its content",
       .run = [](Run& t) {
         Person a = t.newcomer();
         a->send_frame(Bytes(kAfter - (t.sealed ? 16 : 0)));
         closes(*a.session, Code::malformed);
       }});
}

// --- FRM-002, FRM-003

void structure(Cases& cases) {
  const auto malformed = [&](const char* name, const char* steps, std::function<Bytes()> make) {
    cases.push_back(ready_case(std::string("FRM-002.") + name, steps, make, Code::malformed));
    if (make().size() <= kBefore)
      cases.push_back(
          first_case(std::string("FRM-002.") + name + "-first", steps, make, Code::malformed));
  };
  malformed("empty", "no byte at all", [] { return Bytes(); });
  malformed("noise", "64 random bytes", [] { return random_bytes(64); });
  malformed("truncated", "a frame without its last bytes", [] {
    Bytes whole = frame(ping());
    whole.resize(whole.size() - 6);
    return whole;
  });
  malformed("root-outside", "a frame whose root offset leads outside",
            [] { return overwritten(frame(ping()), 0, 1 << 20); });
  malformed("root-huge", "a frame whose root offset is 2^32-1",
            [] { return overwritten(frame(ping()), 0, 0xffffffff); });
  malformed("root-odd", "a frame whose root offset is odd", [] {
    const Bytes whole = frame(ping());
    return overwritten(whole, 0, word_at(whole, 0) + 1);
  });
  malformed("vtable-outside", "a frame whose root's vtable lies outside", [] {
    const Bytes whole = frame(ping());
    return overwritten(whole, word_at(whole, 0), 0x7fffffff);
  });
  malformed("vector-huge", "a frame with a vector that claims 2^32-1 bytes", [] {
    const Bytes key = random_bytes(32);
    Bytes whole = frame(hello_of(Agent()).with("key", key));
    const auto at = std::search(whole.begin(), whole.end(), key.begin(), key.end()) - whole.begin();
    return overwritten(whole, static_cast<std::size_t>(at) - 4, 0xffffffff);
  });
  malformed("required-absent", "a Send without the required bundles", [] {
    return frame({"Send", {}});
  });
  malformed("tables", "a Publish with 5000 key packages: more than 4096 tables", [] {
    return frame(
        call({"Publish",
              {{"key_packages",
                std::vector<Table>(5000, {"KeyPackageBytes", {{"bytes", bytes_of("x")}}})}}}));
  });
  malformed("allowed-counts",
            "a Send of 256 bundles of 16 envelopes: each count is allowed, the 4354 tables are not",
            [] { return frame(send_of(256, 16)); });
  malformed("shared-tables",
            "a Send of 256 bundles that all are one table of 16 envelopes that all are one table: "
            "3 tables to send, 4354 to walk",
            [] { return shared_tables(256, 16); });
  for (const auto& [name, identifier] : {std::pair{"envelope", "SWEN"},
                                         {"lower-case", "swfr"},
                                         {"terms", "SWTM"},
                                         {"zeros", "\0\0\0\0"}}) {
    const auto make = [identifier = identifier] {
      Bytes whole = frame(ping());
      std::copy(identifier, identifier + 4, whole.begin() + 4);
      return whole;
    };
    const std::string what = std::string("a Ping under another file identifier (") + name + ")";
    cases.push_back(ready_case(std::string("FRM-003.") + name, what, make, Code::malformed));
    cases.push_back(first_case(
        std::string("FRM-003.") + name + "-first", what,
        [identifier = identifier] {
          Bytes whole = frame(hello_of(Agent()));
          std::copy(identifier, identifier + 4, whole.begin() + 4);
          return whole;
        },
        Code::malformed));
  }
}

// --- FRM-004 to FRM-006

void fields(Cases& cases) {
  for (const int tag : {0, 17, 99, 255}) {
    const std::string name = std::to_string(tag);
    cases.push_back(ready_case(
        "FRM-004.body-" + name, "a frame whose body has the union tag " + name,
        [tag] {
          return finish("SWFR", {"Frame", {{"body", ping()}, {"body_type", tag}}});
        },
        Code::unsupported));
    cases.push_back(ready_case(
        "FRM-004.request-" + name, "a Call whose request has the union tag " + name,
        [tag] {
          return frame(
              {"Call", {{"id", 1}, {"request", Table{"ListContacts", {}}}, {"request_type", tag}}});
        },
        Code::unsupported));
  }
  cases.push_back(first_case(
      "FRM-004.first-99", "a frame whose body has the union tag 99",
      [] {
        return finish("SWFR", {"Frame", {{"body", ping()}, {"body_type", 99}}});
      },
      Code::unsupported));
  cases.push_back(ready_case(
      "FRM-005.contact", "a SetContact with the contact 3",
      [] {
        return frame(call({"SetContact", {{"agent", Bytes(32)}, {"contact", 3}}}));
      },
      Code::malformed));
  cases.push_back(ready_case(
      "FRM-005.close", "a Close with the code 19",
      [] {
        return frame({"Close", {{"code", 19}}});
      },
      Code::malformed));
  cases.push_back(first_case(
      "FRM-005.binding", "a Hello with the binding 3",
      [] { return frame(hello_of(Agent()).with("binding", 3)); }, Code::malformed));

  for (const char* field : {"key", "nonce", "ephemeral"})
    for (const std::size_t size : {0, 31, 33})
      cases.push_back(first_case(
          "FRM-006.hello-" + std::string(field) + "-" + std::to_string(size),
          "a Hello whose " + std::string(field) + " has " + std::to_string(size) + " bytes",
          [field, size] { return frame(hello_of(Agent()).with(field, Bytes(size, 9))); },
          Code::malformed));
  struct Sized {
    const char* table;
    const char* field;
    std::size_t right;
  };
  for (const Sized& s : {Sized{"SetContact", "agent", 32},
                         {"Lookup", "agent", 32},
                         {"Claim", "agent", 32},
                         {"IssueInvite", "key", 32},
                         {"GetConversation", "conversation", 16}})
    for (const std::size_t size : {std::size_t{0}, s.right - 1, s.right + 1})
      cases.push_back(ready_case(
          "FRM-006." + std::string(s.table) + "-" + std::to_string(size),
          std::string(s.table) + " whose " + s.field + " has " + std::to_string(size) + " bytes",
          [s, size] {
            return frame(call({s.table, {{s.field, Bytes(size, 9)}}}));
          },
          Code::malformed));
  for (const std::size_t size : {0, 63, 65}) {
    const std::string name = std::to_string(size);
    cases.push_back(ready_case(
        "FRM-006.redeem-signature-" + name, "a Redeem whose signature has " + name + " bytes",
        [size] {
          return frame(call({"Redeem", {{"redemption", signed_of(64, size)}}}));
        },
        Code::malformed));
    cases.push_back(ready_case(
        "FRM-006.nack-signature-" + name, "a Nack whose signature has " + name + " bytes",
        [size] {
          return frame({"Nack", {{"sequence", 1}, {"refusal", signed_of(64, size)}}});
        },
        Code::malformed));
    cases.push_back({.id = "FRM-006.proof-signature-" + name,
                     .steps = "Sends a Proof whose signature has " + name + " bytes",
                     .expects = "Close(malformed)",
                     .run =
                         [size](Run& t) {
                           Handshake h = t.handshake(t.stranger());
                           h.greet();
                           h.send_proof(h.proof(h.claims()).with("signature", Bytes(size, 9)));
                           closes(h, Code::malformed);
                         },
                     .also = {"FRM-009"},
                     .ways = kBound});
  }
}

// --- FRM-007

void states(Cases& cases) {
  struct Named {
    const char* name;
    Table body;
  };
  const std::vector<Named> from_client{
      {"ping", ping()},
      {"pong", {"Pong", {{"nonce", 1}}}},
      {"call", call({"ListContacts", {}})},
      {"send", send_of(1, 1)},
      {"ack", {"Ack", {{"sequence", 0}}}},
      {"credit", {"Credit", {{"entries", 1}, {"bytes", 1}}}},
      {"nack", {"Nack", {{"sequence", 1}, {"refusal", signed_of(64, 64)}}}},
      {"proof", {"Proof", {{"claims", Bytes(64)}, {"signature", Bytes(64)}}}}};
  const Table entry{"Entry",
                    {{"sequence", 1}, {"item", Table{"Delivery", {{"envelope", Bytes(9)}}}}}};
  const std::vector<Named> from_broker{
      {"challenge", {"Challenge", {{"terms", Bytes(64)}, {"signature", Bytes(64)}}}},
      {"ready", {"Ready", {{"session", Bytes(16)}, {"incarnation", Bytes(16)}}}},
      {"accepted", {"Accepted", {{"acceptance", Bytes(64)}, {"signature", Bytes(64)}}}},
      {"rejected",
       {"Rejected", {{"rejections", std::vector<Table>{{"Rejection", {{"id", Bytes(16)}}}}}}}},
      {"deliver", {"Deliver", {{"entries", std::vector<Table>{entry}}}}},
      {"reply", {"Reply", {{"id", 1}, {"code", 4}}}}};
  for (const auto* named : {&from_client, &from_broker})
    for (const Named& one : *named) {
      cases.push_back(first_case(
          "FRM-007.first-" + std::string(one.name), std::string(one.name) + " instead of Hello",
          [body = one.body] { return frame(body); }, Code::malformed));
      if (std::strcmp(one.name, "proof") == 0) continue;
      cases.push_back(
          {.id = "FRM-007.before-proof-" + std::string(one.name),
           .steps = "After Challenge sends " + std::string(one.name) + " instead of Proof",
           .expects = "Close(malformed)",
           .run =
               [body = one.body](Run& t) {
                 Handshake h = t.handshake(t.stranger());
                 h.greet();
                 h.send(frame(body));
                 closes(h, Code::malformed);
               },
           .also = {"FRM-009"},
           .ways = kBound});
    }
  for (const Named& one : from_broker)
    cases.push_back(ready_case(
        "FRM-007.ready-" + std::string(one.name),
        std::string(one.name) + ", which only a broker sends",
        [body = one.body] { return frame(body); }, Code::malformed));
  cases.push_back(ready_case(
      "FRM-007.ready-hello", "a second Hello", [] { return frame(hello_of(Agent())); },
      Code::malformed));
  cases.push_back(ready_case(
      "FRM-007.ready-proof", "a second Proof",
      [body = from_client.back().body] { return frame(body); }, Code::malformed));
  cases.push_back({.id = "FRM-007.second-hello",
                   .steps = "Sends Hello twice",
                   .expects = "Challenge, then Close(malformed)",
                   .run =
                       [](Run& t) {
                         Handshake h = t.handshake(t.stranger());
                         h.greet();
                         h.send(h.hello_bytes);
                         closes(h, Code::malformed);
                       },
                   .also = {"FRM-009"}});
}

// --- FRM-008 to FRM-010

void counts(Cases& cases) {
  cases.push_back(first_case(
      "FRM-008.no-version", "a Hello with no version",
      [] { return frame(hello_of(Agent()).with("versions", std::vector<std::uint64_t>{})); },
      Code::malformed));
  cases.push_back(first_case(
      "FRM-008.nine-versions", "a Hello with 9 versions",
      [] { return frame(hello_of(Agent()).with("versions", std::vector<std::uint64_t>(9, 0))); },
      Code::malformed));
  cases.push_back({.id = "FRM-008.eight-versions",
                   .steps = "Offers 8 versions, the last of them 0",
                   .expects = "Challenge",
                   .run =
                       [](Run& t) {
                         Handshake h = t.handshake(t.stranger());
                         h.send_hello(h.hello().with(
                             "versions", std::vector<std::uint64_t>{7, 6, 5, 4, 3, 2, 1, 0}));
                         h.check_challenge(h.receive_challenge());
                       },
                   .also = {"EVO-001"}});
  for (const auto& [bundles, envelopes, name] : {std::tuple{0, 0, "no-bundle"},
                                                 {257, 1, "257-bundles"},
                                                 {1, 0, "no-envelope"},
                                                 {1, 17, "17-envelopes"}})
    cases.push_back(ready_case(
        "FRM-008." + std::string(name), "a Send with " + std::string(name),
        [b = bundles, e = envelopes] {
          return frame(send_of(static_cast<std::size_t>(b), static_cast<std::size_t>(e)));
        },
        Code::malformed));
  cases.push_back({.id = "FRM-008.most-bundles",
                   .steps = "Sends 256 bundles of an envelope that is none",
                   .expects = "256 Rejected(malformed) with a zero id, and the session lives",
                   .run = [](Run& t) {
                     Person a = t.newcomer();
                     a->send(send_of(256, 1));
                     expect(a->nothing_comes(), "no entry");
                     rejected(a->send_raw(bytes_of("x"), Bytes(16)), Code::malformed);
                   }});
  cases.push_back(
      {.id = "FRM-009.nothing-changes",
       .steps = "Sends in one frame a good envelope and a bundle of 17; connects again and sends "
                "the next in chain",
       .expects = "Close(malformed); the chain stands where it stood, and the receiver got nothing",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const Envelope good = a.chain.application(a.agent);
             const Table one{
                 "Bundle",
                 {{"envelopes", std::vector<Table>{{"EnvelopeBytes", {{"bytes", good.bytes}}}}}}};
             a->send(Table{"Send", {{"bundles", std::vector<Table>{one, bundle(17)}}}});
             closes(*a.session, Code::malformed);
             t.reconnect(a);
             goes_on(a, b);
           },
       .also = {"ERR-004"}});
  for (const std::size_t size : {8193, 12000}) {
    const std::string name = std::to_string(size);
    cases.push_back(ready_case(
        "FRM-010.redemption-" + name, "a Redeem with a statement of " + name + " bytes",
        [size] {
          return frame(call({"Redeem", {{"redemption", signed_of(size, 64)}}}));
        },
        Code::malformed));
    cases.push_back(ready_case(
        "FRM-010.prekey-" + name, "a Publish with a prekey of " + name + " bytes",
        [size] {
          return frame(call({"Publish", {{"prekey", signed_of(size, 64)}}}));
        },
        Code::malformed));
    cases.push_back(ready_case(
        "FRM-010.refusal-" + name, "a Nack with a refusal of " + name + " bytes",
        [size] {
          return frame({"Nack", {{"sequence", 1}, {"refusal", signed_of(size, 64)}}});
        },
        Code::malformed));
    cases.push_back(
        {.id = "FRM-010.claims-" + name,
         .steps = "Sends a Proof with claims of " + name + " bytes",
         .expects = "Close(malformed)",
         .run =
             [size](Run& t) {
               Handshake h = t.handshake(t.stranger());
               h.greet();
               Bytes claims = finish("SWCL", h.claims());
               claims.resize(size);
               h.send_proof(
                   {"Proof",
                    {{"claims", claims},
                     {"signature",
                      sign(h.agent.seed, labelled("sealwire/0 proof", {h.transcript, claims}))}}});
               closes(h, Code::malformed);
             },
         .also = {"FRM-009"},
         .ways = kBound});
  }
}

}  // namespace

Cases frame_cases() {
  Cases cases;
  sizes(cases);
  structure(cases);
  fields(cases);
  states(cases);
  counts(cases);
  return cases;
}

}  // namespace conformance

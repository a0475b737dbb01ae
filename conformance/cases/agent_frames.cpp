// Agents, chapter FRM: what a broker sends that is no frame, or not one that the state allows.
#include "conformance/runner/case.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/host.h"

namespace conformance {
namespace {

using Make = std::function<Bytes()>;

Case frame_case(std::string id, std::string steps, Code code, std::function<void(Host&)> script) {
  return {.id = std::move(id),
          .steps = std::move(steps),
          .expects = "Close(" + code_name(code) + ")",
          .also = {"FRM-009", "SES-032"},
          .ways = kBound | kSealed,
          .host = std::move(script)};
}

void put_under(Bytes& whole, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    whole.at(at + i) = static_cast<std::uint8_t>(value >> (8 * i));
}

Table ping() {
  return {"Ping", {{"nonce", 1}}};
}
Table entry(Table item) {
  return {"Entry", {{"sequence", 1}, {"item", std::move(item)}}};
}
Table deliver(std::size_t entries) {
  const Table one = entry({"Delivery", {{"envelope", bytes_of("x")}}});
  return {"Deliver", {{"entries", std::vector<Table>(entries, one)}}};
}
Table signed_of(std::size_t signature) {
  return {"Signed", {{"statement", bytes_of("x")}, {"signature", Bytes(signature)}}};
}

struct Wrong {
  std::string id, what;
  Make make;
  Code code = Code::malformed;
};

std::vector<Wrong> wrong_frames() {
  std::vector<Wrong> all{
      {"FRM-002.agent-empty", "no byte at all", [] { return Bytes(); }},
      {"FRM-002.agent-noise", "64 random bytes", [] { return random_bytes(64); }},
      {"FRM-002.agent-truncated", "a frame without its last bytes",
       [] {
         Bytes whole = frame(ping());
         whole.resize(whole.size() - 6);
         return whole;
       }},
      {"FRM-002.agent-root-outside", "a frame whose root offset leads outside",
       [] {
         Bytes whole = frame(ping());
         put_under(whole, 0, 1 << 20);
         return whole;
       }},
      {"FRM-002.agent-required-absent", "a Deliver without the required entries",
       [] {
         return frame({"Deliver", {}});
       }},
      {"FRM-003.agent-envelope", "a Ping under the file identifier SWEN",
       [] {
         return finish("SWEN", {"Frame", {{"body", ping()}}});
       }},
      {"FRM-003.agent-zeros", "a Ping under the file identifier of four zeros", [] {
         Bytes whole = frame(ping());
         put_under(whole, 4, 0);
         return whole;
       }}};
  for (const int tag : {0, 17, 255})
    all.push_back({"FRM-004.agent-body-" + std::to_string(tag),
                   "a frame whose body has the union tag " + std::to_string(tag),
                   [tag] {
                     return finish("SWFR", {"Frame", {{"body", ping()}, {"body_type", tag}}});
                   },
                   Code::unsupported});
  return all;
}

void structure(Cases& cases) {
  for (const Wrong& wrong : wrong_frames()) {
    cases.push_back(frame_case(wrong.id + "-first", "Answers Hello by " + wrong.what, wrong.code,
                               [wrong](Host& t) {
                                 Hosted& s = t.meet();
                                 s.take_hello();
                                 s.send_raw(wrong.make());
                                 t.closes(wrong.code);
                               }));
    cases.push_back(frame_case(wrong.id, "On a Ready session sends " + wrong.what, wrong.code,
                               [wrong](Host& t) {
                                 Hosted& s = t.session();
                                 s.send_frame(wrong.make());
                                 t.closes(wrong.code);
                               }));
  }
}

void fields(Cases& cases) {
  const auto ready = [&](std::string id, std::string what, Make make, Code code = Code::malformed) {
    cases.push_back(frame_case(std::move(id), "On a Ready session sends " + what, code,
                               [make = std::move(make), code](Host& t) {
                                 Hosted& s = t.session();
                                 s.send_frame(make());
                                 t.closes(code);
                               }));
  };
  ready(
      "FRM-004.agent-item", "a Deliver whose item has the union tag 9",
      [] {
        return frame({"Deliver",
                      {{"entries",
                        std::vector<Table>{
                            entry({"Delivery", {{"envelope", Bytes(4)}}}).with("item_type", 9)}}}});
      },
      Code::unsupported);
  ready("FRM-005.agent-rejection", "a Rejected with the code 99", [] {
    return frame(
        {"Rejected",
         {{"rejections", std::vector<Table>{{"Rejection", {{"id", Bytes(16)}, {"code", 99}}}}}}});
  });
  ready("FRM-005.agent-reply", "a Reply with the code 99", [] {
    return frame({"Reply", {{"id", 1}, {"code", 99}}});
  });
  ready("FRM-008.agent-no-entry", "a Deliver with no entry", [] { return frame(deliver(0)); });
  ready("FRM-008.agent-257-entries", "a Deliver with 257 entries",
        [] { return frame(deliver(257)); });
  ready("FRM-006.agent-accepted", "an Accepted whose signature has 63 bytes", [] {
    return frame({"Accepted", {{"acceptance", Bytes(8)}, {"signature", Bytes(63)}}});
  });
  ready("FRM-006.agent-rejection", "a Rejected whose id has 15 bytes", [] {
    return frame(
        {"Rejected",
         {{"rejections", std::vector<Table>{{"Rejection", {{"id", Bytes(15)}, {"code", 4}}}}}}});
  });
  ready("FRM-006.agent-tombstone", "a Tombstone whose hash has 31 bytes", [] {
    return frame(
        {"Deliver",
         {{"entries",
           std::vector<Table>{entry(
               {"Tombstone",
                {{"header", Bytes(8)}, {"body_hash", Bytes(31)}, {"signature", Bytes(64)}}})}}}});
  });
  ready("FRM-006.agent-refused", "a Refused whose signature has 65 bytes", [] {
    return frame(
        {"Deliver",
         {{"entries", std::vector<Table>{entry({"Refused", {{"refusal", signed_of(65)}}})}}}});
  });
  ready("FRM-010.agent-refused", "a Refused with a statement of 8193 bytes", [] {
    return frame(
        {"Deliver",
         {{"entries",
           std::vector<Table>{entry(
               {"Refused",
                {{"refusal",
                  Table{"Signed", {{"statement", Bytes(8193)}, {"signature", Bytes(64)}}}}}})}}}});
  });
}

void states(Cases& cases) {
  const std::vector<Table> agents_only = {
      {"Hello",
       {{"versions", std::vector<std::uint64_t>{0}},
        {"suite", 1},
        {"key", Bytes(32)},
        {"nonce", Bytes(32)},
        {"ephemeral", Bytes(32)}}},
      {"Proof", {{"claims", Bytes(8)}, {"signature", Bytes(64)}}},
      {"Ack", {{"sequence", 1}}},
      {"Credit", {{"entries", 1}, {"bytes", 1}}},
      {"Call", {{"id", 1}, {"request", Table{"ListContacts", {}}}}},
      {"Send",
       {{"bundles",
         std::vector<Table>{
             {"Bundle",
              {{"envelopes", std::vector<Table>{{"EnvelopeBytes", {{"bytes", Bytes(8)}}}}}}}}}}}};
  const auto name_of_body = [](std::string name) {
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return name;
  };
  std::vector<Table> early = agents_only, late = agents_only;
  late.push_back({"Challenge", {{"terms", Bytes(8)}, {"signature", Bytes(64)}}});
  late.push_back({"Ready", {{"session", Bytes(16)}, {"incarnation", Bytes(16)}}});
  for (const Table& each : {ping(), deliver(1), Table{"Reply", {{"id", 1}}},
                            Table{"Ready", {{"session", Bytes(16)}, {"incarnation", Bytes(16)}}}})
    early.push_back(each);
  for (const Table& body : early)
    cases.push_back(frame_case("FRM-007.agent-first-" + name_of_body(body.name),
                               "Answers Hello by " + body.name, Code::malformed, [body](Host& t) {
                                 Hosted& s = t.meet();
                                 s.take_hello();
                                 s.send_raw(frame(body));
                                 t.closes(Code::malformed);
                               }));
  for (const Table& body : late)
    cases.push_back(frame_case("FRM-007.agent-ready-" + name_of_body(body.name),
                               "On a Ready session sends " + body.name, Code::malformed,
                               [body](Host& t) {
                                 Hosted& s = t.session();
                                 s.send_frame(frame(body));
                                 t.closes(Code::malformed);
                               }));
}

}  // namespace

Cases agent_frame_cases() {
  Cases cases;
  structure(cases);
  fields(cases);
  states(cases);
  return cases;
}

}  // namespace conformance

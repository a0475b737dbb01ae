#include "conformance/generate/vectors.h"

#include "conformance/peer/envelope.h"
#include "conformance/wire/build.h"

namespace conformance {
namespace {

Agent agent_of(const char* name) {
  return Agent(hash(bytes_of(name)));
}

Bytes id_of(const char* name) {
  Bytes id = big_endian(kVectorTime, 6) + hash(bytes_of(name));
  id.resize(16);
  id[6] = 0x70 | (id[6] & 0x0f);
  id[8] = 0x80 | (id[8] & 0x3f);
  return id;
}

class Maker {
 public:
  void accept(std::string name, std::string kind, Bytes bytes, Bytes signature = {}) {
    made.push_back({std::move(name),
                    std::move(kind),
                    std::move(bytes),
                    std::move(signature),
                    {},
                    true,
                    {},
                    "ok"});
  }
  void refuse(std::string name, std::string kind, std::string stage, std::string code, Bytes bytes,
              Bytes signature = {}) {
    made.push_back({std::move(name),
                    std::move(kind),
                    std::move(bytes),
                    std::move(signature),
                    {},
                    false,
                    std::move(stage),
                    std::move(code)});
  }
  void text(std::string name, std::string kind, std::string text, bool accept) {
    made.push_back({std::move(name),
                    std::move(kind),
                    {},
                    {},
                    std::move(text),
                    accept,
                    accept ? "" : "structure",
                    accept ? "ok" : "malformed"});
  }
  std::vector<Vector> made;
};

Table call(Table request) {
  return {"Call", {{"id", 1}, {"request", std::move(request)}}};
}

void frames(Maker& m) {
  const Table ping{"Ping", {{"nonce", 7}}};
  const Agent a = agent_of("alice");
  const Table hello{"Hello",
                    {{"versions", std::vector<std::uint64_t>{0}},
                     {"suite", 1},
                     {"key", a.key},
                     {"nonce", hash(bytes_of("n"))},
                     {"ephemeral", hash(bytes_of("e"))}}};
  m.accept("FRM-002.ping", "frame", frame(ping));
  m.accept("FRM-002.hello", "frame", frame(hello));
  m.accept("FRM-008.eight-versions", "frame",
           frame(hello.with("versions", std::vector<std::uint64_t>(8, 0))));
  m.accept("FRM-004.list-contacts", "frame", frame(call({"ListContacts", {}})));
  const auto malformed = [&](std::string name, std::string stage, Bytes bytes) {
    m.refuse(std::move(name), "frame", std::move(stage), "malformed", std::move(bytes));
  };
  malformed("FRM-002.empty", "structure", {});
  malformed("FRM-002.eleven-bytes", "structure", Bytes(11));
  Bytes cut = frame(ping);
  cut.resize(cut.size() - 6);
  malformed("FRM-002.truncated", "structure", cut);
  Bytes outside = frame(ping);
  outside[2] = 0x10;
  malformed("FRM-002.root-outside", "structure", outside);
  malformed("FRM-002.required-absent", "structure", frame({"Send", {}}));
  malformed("FRM-002.shared-tables", "structure", shared_tables(256, 16));
  Bytes other = frame(ping);
  other[6] = 'E';
  other[7] = 'N';
  malformed("FRM-003.envelope", "structure", other);
  for (const int tag : {17, 99, 255})
    m.refuse("FRM-004.body-" + std::to_string(tag), "frame", "union", "unsupported",
             finish("SWFR", {"Frame", {{"body", ping}, {"body_type", tag}}}));
  for (const int tag : {9, 255})
    m.refuse("FRM-004.request-" + std::to_string(tag), "frame", "union", "unsupported",
             frame({"Call",
                    {{"id", 1}, {"request", Table{"ListContacts", {}}}, {"request_type", tag}}}));
  malformed("FRM-005.contact", "field",
            frame(call({"SetContact", {{"agent", Bytes(32)}, {"contact", 3}}})));
  malformed("FRM-005.binding", "field", frame(hello.with("binding", 3)));
  malformed("FRM-005.close", "field", frame({"Close", {{"code", 19}}}));
  for (const char* field : {"key", "nonce", "ephemeral"})
    for (const std::size_t size : {0, 31, 33})
      malformed("FRM-006." + std::string(field) + "-" + std::to_string(size), "field",
                frame(hello.with(field, Bytes(size, 1))));
  for (const std::size_t size : {0, 15, 17})
    malformed("FRM-006.conversation-" + std::to_string(size), "field",
              frame(call({"GetConversation", {{"conversation", Bytes(size, 1)}}})));
  const Table one{"EnvelopeBytes", {{"bytes", Bytes(1)}}};
  const auto send = [&](std::size_t bundles, std::size_t envelopes) {
    return frame(
        {"Send",
         {{"bundles",
           std::vector<Table>(bundles,
                              {"Bundle", {{"envelopes", std::vector<Table>(envelopes, one)}}})}}});
  };
  m.accept("FRM-008.256-bundles", "frame", send(256, 1));
  m.accept("FRM-008.16-envelopes", "frame", send(1, 16));
  malformed("FRM-008.no-bundle", "field", send(0, 0));
  malformed("FRM-008.257-bundles", "field", send(257, 1));
  malformed("FRM-008.no-envelope", "field", send(1, 0));
  malformed("FRM-008.17-envelopes", "field", send(1, 17));
  malformed("FRM-008.no-version", "field",
            frame(hello.with("versions", std::vector<std::uint64_t>{})));
  malformed("FRM-008.nine-versions", "field",
            frame(hello.with("versions", std::vector<std::uint64_t>(9, 0))));
  const Table statement{"Signed", {{"statement", Bytes(8193)}, {"signature", Bytes(64)}}};
  malformed("FRM-010.redemption", "field", frame(call({"Redeem", {{"redemption", statement}}})));
  malformed("FRM-010.nack", "field", frame({"Nack", {{"sequence", 1}, {"refusal", statement}}}));
}

void envelopes(Maker& m) {
  const Agent a = agent_of("alice"), b = agent_of("bob");
  const Table good{"Header",
                   {{"suite", 1},
                    {"id", id_of("1")},
                    {"sender", a.key},
                    {"kind", kind::application},
                    {"conversation", Bytes(16, 7)},
                    {"incarnation", 1},
                    {"epoch", 1},
                    {"created_ms", kVectorTime},
                    {"expires_ms", kVectorTime + kHour}}};
  const Table commit =
      good.with("kind", kind::commit).with("recipients", recipients({a.key, b.key}));
  const Table letter{"Header",
                     {{"suite", 1},
                      {"id", id_of("2")},
                      {"sender", a.key},
                      {"kind", kind::letter},
                      {"recipients", recipients({b.key})},
                      {"created_ms", kVectorTime},
                      {"expires_ms", kVectorTime + kHour}}};
  const auto of = [&a](const Table& header) {
    return seal(a, finish("SWHD", header), bytes_of("body")).bytes;
  };
  const auto refuse = [&](std::string name, std::string stage, std::string code,
                          const Table& header) {
    m.refuse(std::move(name), "envelope", std::move(stage), std::move(code), of(header));
  };
  m.accept("ENV-002.application", "envelope", of(good));
  m.accept("ENV-002.commit", "envelope", of(commit));
  m.accept("ENV-002.letter", "envelope", of(letter));
  m.accept("ENV-003.trailing", "envelope", of(good) + Bytes(8));
  m.accept("ENV-019.30-days", "envelope", of(good.with("expires_ms", kVectorTime + 30 * kDay)));
  m.accept("ENV-020.bridged", "envelope", of(good.with("provenance", "bridged:telegram")));
  m.accept("ENV-014.zero-previous", "envelope", of(good.with("previous", Bytes(32))));
  refuse("ENV-010.suite", "field", "unsupported", good.with("suite", 2));
  refuse("ENV-011.critical", "field", "unsupported",
         good.with("critical", std::vector<std::uint64_t>{1}));
  Bytes id = id_of("1");
  id[6] = 0x40 | (id[6] & 0x0f);
  refuse("ENV-012.uuid4", "field", "malformed", good.with("id", id));
  for (const int k : {0, 5, 255})
    refuse("ENV-013.kind-" + std::to_string(k), "field", "unsupported", good.with("kind", k));
  refuse("ENV-014.conversation", "field", "malformed", good.with("conversation", Bytes(16)));
  refuse("ENV-014.incarnation", "field", "malformed", good.with("incarnation", 0));
  refuse("ENV-014.letter", "field", "malformed", letter.with("conversation", Bytes(16, 7)));
  refuse("ENV-015.epoch", "field", "malformed", letter.with("epoch", 1));
  refuse("ENV-015.sender-seq", "field", "malformed", letter.with("sender_seq", 1));
  refuse("ENV-015.previous", "field", "malformed", letter.with("previous", Bytes(32, 1)));
  refuse("ENV-016.application", "field", "malformed", good.with("names", Bytes(32, 1)));
  refuse("ENV-016.welcome", "field", "malformed",
         good.with("kind", kind::welcome).with("recipients", recipients({b.key})));
  refuse("ENV-017.application", "field", "malformed", good.with("recipients", recipients({b.key})));
  refuse("ENV-017.commit-none", "field", "malformed", good.with("kind", kind::commit));
  refuse("ENV-017.commit-twice", "field", "malformed",
         commit.with("recipients", recipients({a.key, b.key, b.key})));
  refuse("ENV-017.commit-33", "field", "malformed", [&] {
    std::vector<Bytes> keys{a.key};
    while (keys.size() < 33)
      keys.push_back(hash(big_endian(keys.size(), 4)));
    return commit.with("recipients", recipients(keys));
  }());
  refuse("ENV-017.letter-two", "field", "malformed",
         letter.with("recipients", recipients({b.key, Bytes(32, 1)})));
  refuse("ENV-017.letter-self", "field", "malformed",
         letter.with("recipients", recipients({a.key})));
  refuse("ENV-018.commit", "field", "malformed", commit.with("durability", 1));
  refuse("ENV-019.equal", "field", "malformed", good.with("expires_ms", kVectorTime));
  refuse("ENV-019.too-long", "field", "malformed",
         good.with("expires_ms", kVectorTime + 30 * kDay + 1));
  refuse("ENV-019.letter", "field", "malformed",
         letter.with("expires_ms", kVectorTime + 7 * kDay + 1));
  for (const char* text : {"native", "bridged:", "bridged:A", "bridged:a/b"})
    refuse("ENV-020." + std::to_string(hash(bytes_of(text))[0]), "field", "malformed",
           good.with("provenance", text));
  refuse("ENV-021.future", "time", "malformed", good.with("created_ms", kVectorTime + 6 * kMinute));
  refuse("ENV-021.expired", "time", "expired",
         good.with("created_ms", kVectorTime - kHour).with("expires_ms", kVectorTime - 1));
  for (const auto& [field, size] :
       {std::pair{"sender", 31}, {"conversation", 15}, {"previous", 33}})
    refuse("FRM-006.header-" + std::string(field), "field", "malformed",
           good.with(field, Bytes(static_cast<std::size_t>(size), 1)));
  const Envelope right = seal(a, finish("SWHD", good), bytes_of("body"));
  m.refuse("ENV-004.flipped", "envelope", "signature", "unauthenticated",
           with_signature(right, flipped(right.signature, 9)).bytes);
  m.refuse("ENV-004.body", "envelope", "signature", "unauthenticated",
           envelope_bytes(right.header, bytes_of("evil"), right.signature));
  m.refuse("ENV-004.other-key", "envelope", "signature", "unauthenticated",
           seal(b, right.header, right.body).bytes);
  m.refuse("KEY-002.label", "envelope", "signature", "unauthenticated",
           seal(a, right.header, right.body, "sealwire/0 proof").bytes);
  m.refuse("FRM-006.signature", "envelope", "field", "malformed",
           with_signature(right, Bytes(63)).bytes);
  m.refuse("ENV-002.no-header", "envelope", "structure", "malformed",
           seal(a, bytes_of("no header at all"), {}).bytes);
  m.refuse("ENV-002.frame", "envelope", "structure", "malformed", frame({"Ping", {}}));
  m.refuse("ENV-001.body", "envelope", "size", "too_large",
           seal(a, right.header, Bytes(1'048'577)).bytes);
}

void statements(Maker& m) {
  const Agent a = agent_of("alice");
  const auto add = [&m](std::string name, std::string kind, const Signed& s, std::string stage = "",
                        std::string code = "") {
    if (stage.empty())
      m.accept(std::move(name), std::move(kind), s.statement, s.signature);
    else
      m.refuse(std::move(name), std::move(kind), std::move(stage), std::move(code), s.statement,
               s.signature);
  };
  const auto inception = [&a](Bytes bytes, const char* label = "inception") {
    return sign_statement(a.seed, label, std::move(bytes));
  };
  add("KEY-003.good", "inception", a.inception);
  add("KEY-003.suite", "inception", inception(finish("SWIN", inception_table(a.key, 2))), "field",
      "unauthenticated");
  add("KEY-003.short-key", "inception",
      inception(finish("SWIN", inception_table(View(a.key).first(31)))), "field",
      "unauthenticated");
  add("KEY-003.identifier", "inception", inception(finish("SWPK", inception_table(a.key))),
      "structure", "unauthenticated");
  add("KEY-003.signature", "inception", {a.inception.statement, flipped(a.inception.signature, 1)},
      "signature", "unauthenticated");
  add("KEY-002.inception", "inception", inception(a.inception.statement, "prekey"), "signature",
      "unauthenticated");
  add("KEY-003.too-long", "inception", inception(a.inception.statement + Bytes(8192)), "size",
      "unauthenticated");
  const auto prekey = [&a](std::uint64_t created, std::uint64_t lifetime, std::uint64_t suite = 1) {
    return sign_statement(a.seed, "prekey",
                          finish("SWPK", {"Prekey",
                                          {{"suite", suite},
                                           {"instance", a.key},
                                           {"key", hash(bytes_of("prekey"))},
                                           {"created_ms", created},
                                           {"expires_ms", created + lifetime}}}));
  };
  add("KEY-005.good", "prekey", prekey(kVectorTime, 7 * kDay));
  add("KEY-005.ahead", "prekey", prekey(kVectorTime + 5 * kMinute, kDay));
  add("KEY-005.future", "prekey", prekey(kVectorTime + 5 * kMinute + 1, kDay), "time", "malformed");
  add("KEY-005.expired", "prekey", prekey(kVectorTime - kDay, kHour), "time", "malformed");
  add("KEY-005.too-long", "prekey", prekey(kVectorTime, 7 * kDay + 1), "time", "malformed");
  add("KEY-005.suite", "prekey", prekey(kVectorTime, kDay, 2), "field", "malformed");
  add("KEY-005.signature", "prekey",
      {prekey(kVectorTime, kDay).statement, flipped(prekey(kVectorTime, kDay).signature, 1)},
      "signature", "malformed");
  const Bytes seed = hash(bytes_of("seed"));
  const Signed redemption = a.redemption(seed, hash(bytes_of("transcript")));
  add("KEY-021.good", "redemption", redemption);
  add("KEY-021.signature", "redemption", {redemption.statement, flipped(redemption.signature, 1)},
      "signature", "denied");
  add("KEY-021.label", "redemption", sign_statement(seed, "inception", redemption.statement),
      "signature", "denied");
}

void texts(Maker& m) {
  const Agent a = agent_of("alice");
  const std::string instance = did_key(a.key), agent = a.text();
  m.text("KEY-004.instance", "instance", instance, true);
  m.text("KEY-004.agent", "agent", agent, true);
  m.text("KEY-004.instance-of-zeros", "instance", did_key(Bytes(32)), true);
  for (const auto& [name, text] :
       {std::pair{"empty", std::string()},
        {"prefix", std::string("did:key:z")},
        {"upper", "DID:key:" + instance.substr(8)},
        {"other-base", "did:key:u" + instance.substr(9)},
        {"space", instance + " "},
        {"leading-one", "did:key:z1" + instance.substr(9)},
        {"zero-digit", "did:key:z0" + instance.substr(10)},
        {"short", "did:key:z" + base58(Bytes{0xed, 0x01} + Bytes(31, 1))},
        {"long", "did:key:z" + base58(Bytes{0xed, 0x01} + Bytes(33, 1))},
        {"other-key", "did:key:z" + base58(Bytes{0xec, 0x01} + a.key)},
        {"agent", agent},
        {"fragment", instance + "#" + instance.substr(8)}})
    m.text(std::string("KEY-004.instance-") + name, "instance", text, false);
  for (const auto& [name, text] : {std::pair{"short", "agent:z" + base58(Bytes(31, 1))},
                                   {"long", "agent:z" + base58(Bytes(33, 1))},
                                   {"upper", "Agent:z" + agent.substr(7)},
                                   {"line", agent + "\n"},
                                   {"leading-one", "agent:z1" + agent.substr(7)},
                                   {"instance", instance}})
    m.text(std::string("KEY-004.agent-") + name, "agent", text, false);
}

}  // namespace

std::vector<Vector> make_vectors() {
  Maker maker;
  frames(maker);
  envelopes(maker);
  statements(maker);
  texts(maker);
  return std::move(maker.made);
}

}  // namespace conformance

// Agents, chapters E2E, ENV and DLV as far as letters show them: the suite is broker and peer, and
// seals letters to the agent's prekey. What an agent shows is a line of its output.
#include "conformance/runner/case.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/host.h"

namespace conformance {
namespace {

using Script = std::function<void(Host&)>;
const std::string kText = "must not be shown";

Case letter_case(std::string id, std::string steps, std::string expects, Script script,
                 std::vector<std::string> also = {}) {
  return {.id = std::move(id),
          .steps = std::move(steps),
          .expects = std::move(expects),
          .also = std::move(also),
          .ways = kBound,
          .host = [script = std::move(script)](Host& t) {
            t.session();
            script(t);
          }};
}

// Delivers what the agent has to answer by Nack.
Case refused(std::string id, std::string steps, std::function<Envelope(Host&)> make,
             std::vector<std::string> also = {}) {
  also.push_back("DLV-028");
  return letter_case(
      std::move(id), "Delivers " + steps,
      "a Nack with a Refusal of the agent's; not shown; the next letter is",
      [make = std::move(make)](Host& t) { t.refuses(t.store.put(make(t)), kText); },
      std::move(also));
}

// Delivers an envelope that no broker should have let pass.
Case dropped(std::string id, std::string steps, std::function<Envelope(Host&)> make) {
  return letter_case(std::move(id), "Delivers a letter " + steps, "not shown; the next letter is",
                     [make = std::move(make)](Host& t) {
                       t.store.put(make(t));
                       t.never_shows(kText);
                     });
}

Bytes batch(const Table& item) {
  return content_batch({item});
}
Bytes good_batch() {
  return batch(content(kText));
}

void good(Cases& cases) {
  for (const std::size_t size : {0, 1, 100, 1000, 60'000})
    cases.push_back(letter_case("E2E-040.agent-" + std::to_string(size),
                                "Delivers a letter of " + std::to_string(size) + " bytes of text",
                                "the message, once; an Ack", [size](Host& t) {
                                  const std::string text(size, 'x');
                                  const auto sequence = t.store.put(t.letter(text));
                                  t.until("the message", [&t] { return t.told("message"); });
                                  t.shows(text);
                                  t.until("an Ack", [&] { return t.store.acked >= sequence; });
                                }));
  cases.push_back(letter_case("DLV-030.letter", "Delivers one letter as two entries",
                              "one message, both entries acknowledged", [](Host& t) {
                                const Envelope letter = t.letter("once");
                                t.store.put(letter);
                                const auto second = t.store.put(letter);
                                t.shows("once");
                                t.until("an Ack", [&] { return t.store.acked >= second; });
                                t.never_shows("never sent");
                                if (t.times("message", "once") != 1)
                                  throw Failure("the agent shows one letter twice");
                              }));
  cases.push_back(letter_case("DLV-023.agent", "Delivers 300 letters one after the other",
                              "all of them in order; credit that only rises", [](Host& t) {
                                for (int i = 0; i < 300; ++i)
                                  t.store.put(t.letter("letter " + std::to_string(i)));
                                for (int i = 0; i < 300; ++i)
                                  t.shows("letter " + std::to_string(i));
                              }));
}

void padding(Cases& cases) {
  cases.push_back(refused("E2E-041.unpadded", "a letter without padding", [](Host& t) {
    // A batch whose bare size is a Padmé size would need none.
    std::string words = kText;
    while (padme(4 + batch(content(words)).size()) == 4 + batch(content(words)).size())
      words += ' ';
    const Bytes body = batch(content(words));
    const Bytes text = big_endian(body.size(), 4) + body;
    return t.letter(text);
  }));
  cases.push_back(refused("E2E-041.more", "a letter padded to the next Padmé size", [](Host& t) {
    Bytes text = letter_plaintext(good_batch());
    text.resize(padme(text.size() + 1));
    return t.letter(text);
  }));
  cases.push_back(refused("E2E-041.not-zero", "a letter whose last padding byte is 1", [](Host& t) {
    std::string words = kText;
    Bytes text = letter_plaintext(batch(content(words)));
    while (4 + batch(content(words)).size() == text.size())
      text = letter_plaintext(batch(content(words += ' ')));
    text.back() = 1;
    return t.letter(text);
  }));
  cases.push_back(refused("E2E-041.length-beyond", "a letter whose length exceeds it", [](Host& t) {
    Bytes text = letter_plaintext(good_batch());
    text[1] = 1;
    return t.letter(text);
  }));
  cases.push_back(refused("E2E-041.no-length", "a letter of three bytes",
                          [](Host& t) { return t.letter(Bytes(3)); }));
}

void seals(Cases& cases) {
  const auto with_body = [](Host& t, const std::function<Bytes(View, View)>& make) {
    const Bytes header = finish("SWHD", t.letter_header());
    return seal(t.store.peer, header, make(header, letter_plaintext(good_batch())));
  };
  cases.push_back(refused("E2E-040.other-key", "a letter to another prekey", [=](Host& t) {
    return with_body(t, [](View header, View text) {
      return letter_body(make_agreement_key().key, header, text);
    });
  }));
  cases.push_back(refused("E2E-040.named-and-not-used",
                          "a letter that names the prekey and is sealed to another", [=](Host& t) {
                            return with_body(t, [&t](View header, View text) {
                              Bytes body = letter_body(make_agreement_key().key, header, text);
                              std::copy(t.store.prekey.begin(), t.store.prekey.end(), body.begin());
                              return body;
                            });
                          }));
  cases.push_back(refused("E2E-040.other-header",
                          "a letter sealed with another header as associated data", [=](Host& t) {
                            return with_body(t, [&t](View, View text) {
                              return letter_body(t.store.prekey, finish("SWHD", t.letter_header()),
                                                 text);
                            });
                          }));
  cases.push_back(refused("E2E-040.other-info", "a letter sealed with another info", [=](Host& t) {
    return with_body(t, [&t](View header, View text) {
      return t.store.prekey + hpke_seal(t.store.prekey, bytes_of("sealwire/0"), header, text);
    });
  }));
  for (const int at : {32, 70, -1})
    cases.push_back(refused("E2E-040.flipped-" + std::to_string(at < 0 ? 0 : at),
                            "a letter with one bit of its body flipped", [=](Host& t) {
                              return with_body(t, [&t, at](View header, View text) {
                                return flipped(letter_body(t.store.prekey, header, text), at);
                              });
                            }));
  for (const std::size_t size : {0, 31, 64, 79})
    cases.push_back(
        refused("E2E-040.short-" + std::to_string(size),
                "a letter whose body has " + std::to_string(size) + " bytes",
                [=](Host& t) { return with_body(t, [size](View, View) { return Bytes(size); }); }));
  cases.push_back(
      refused("E2E-043.flipped", "a letter whose signature has one bit flipped", [](Host& t) {
        Envelope letter = t.letter(kText);
        return with_signature(letter, flipped(letter.signature, 0));
      }));
  cases.push_back(
      refused("E2E-043.other-signer", "a letter that somebody else signed", [](Host& t) {
        const Envelope letter = t.letter(kText);
        return with_signature(
            letter, sign(random_bytes(32),
                         labelled("sealwire/0 envelope", {letter.header, hash(letter.body)})));
      }));
  cases.push_back(refused(
      "KEY-002.letter-under-refusal", "a letter signed under the label of a refusal", [](Host& t) {
        const Envelope letter = t.letter(kText);
        return seal(t.store.peer, letter.header, letter.body, "sealwire/0 refusal");
      }));
}

void contents(Cases& cases) {
  const auto wrong = [&](std::string id, const std::string& what, std::function<Bytes()> make) {
    cases.push_back(
        refused("E2E-030." + std::move(id), "a letter with " + what,
                [make = std::move(make)](Host& t) { return t.letter(letter_plaintext(make())); }));
  };
  wrong("noise", "100 random bytes for a content", [] { return random_bytes(100); });
  wrong("identifier", "a batch under the file identifier SWEN", [] {
    return finish("SWEN", {"ContentBatch", {{"items", std::vector<Table>{content(kText)}}}});
  });
  wrong("empty", "no content", [] { return content_batch({}); });
  wrong("257", "257 contents",
        [] { return content_batch(std::vector<Table>(257, content(kText))); });
  for (const int kind : {4, 99, 255})
    wrong("kind-" + std::to_string(kind), "the content kind " + std::to_string(kind),
          [kind] { return batch(content(kText).with("kind", kind)); });
  for (const auto& [id, type] : {std::pair{"empty-type", std::string()},
                                 {"no-slash", "text"},
                                 {"first-slash", "/plain"},
                                 {"last-slash", "text/"},
                                 {"newline", "text/plain\n"},
                                 {"umlaut", "text/pl\xc3\xa4in"},
                                 {"128", "text/" + std::string(123, 'x')}})
    wrong(std::string("media-type-") + id, std::string("the media type ") + id,
          [type = type] { return batch(content(kText).with("media_type", type)); });
  for (const std::size_t size : {1, 16, 17, 19})
    wrong("reply-to-" + std::to_string(size), "a reply_to of " + std::to_string(size) + " bytes",
          [size] { return batch(content(kText).with("reply_to", Bytes(size))); });
  cases.push_back(letter_case("E2E-030.longest-type", "Delivers a media type of 127 characters",
                              "an Ack and no Nack", [](Host& t) {
                                const auto sequence =
                                    t.store.put(t.letter(letter_plaintext(batch(content("127").with(
                                        "media_type", "text/" + std::string(122, 'x'))))));
                                t.until("an Ack", [&] { return t.store.acked >= sequence; });
                                if (t.store.nacked.contains(sequence))
                                  throw Failure("the agent refuses it");
                              }));
}

void headers(Cases& cases) {
  const auto wrong = [&](std::string id, std::string what, std::function<Table(Table)> change) {
    cases.push_back(dropped(std::move(id), std::move(what), [change = std::move(change)](Host& t) {
      return t.letter(change(t.letter_header()), letter_plaintext(good_batch()));
    }));
  };
  const auto with = [](const char* field, auto value) {
    return [field, value](const Table& header) { return header.with(field, value); };
  };
  wrong("ENV-010.agent-suite-2", "of suite 2", with("suite", 2));
  wrong("ENV-011.agent-critical", "with a critical feature",
        with("critical", std::vector<std::uint64_t>{1}));
  wrong("ENV-012.agent-version-4", "whose id is a UUIDv4", [](const Table& header) {
    Bytes id = uuid7(now_ms());
    id[6] = static_cast<std::uint8_t>(0x40 | (id[6] & 0x0f));
    return header.with("id", id);
  });
  wrong("ENV-013.agent-kind-9", "of kind 9", with("kind", 9));
  wrong("ENV-014.agent-conversation", "with a conversation", with("conversation", Bytes(16, 1)));
  wrong("ENV-015.agent-epoch", "with an epoch", with("epoch", 1));
  wrong("ENV-016.agent-names", "with names", with("names", Bytes(32, 1)));
  wrong("ENV-017.agent-none", "to nobody",
        [](const Table& header) { return header.without("recipients"); });
  wrong("ENV-018.agent-transient", "that is transient", with("durability", 1));
  wrong("ENV-019.agent-8-days", "that lives for 8 days",
        [](const Table& header) { return header.with("expires_ms", now_ms() + 8 * kDay); });
  wrong("ENV-020.agent-upper", "of the provenance bridged:X", with("provenance", "bridged:X"));
  wrong("ENV-021.agent-future", "of in 10 minutes",
        [](const Table& header) { return header.with("created_ms", now_ms() + 10 * kMinute); });
  cases.push_back(dropped("ENV-017.agent-other", "to another agent", [](Host& t) {
    return t.letter(letter_header(t.store.peer, Agent().key), letter_plaintext(good_batch()));
  }));
  cases.push_back(dropped("ENV-021.agent-expired", "that has expired", [](Host& t) {
    return t.letter(t.letter_header()
                        .with("created_ms", now_ms() - kHour)
                        .with("expires_ms", now_ms() - 10 * kMinute),
                    letter_plaintext(good_batch()));
  }));
  cases.push_back(dropped("DLV-028.stranger", "of an agent that is no peer", [](Host& t) {
    const Agent stranger;
    const Bytes header = finish("SWHD", letter_header(stranger, t.store.agent_key));
    return seal(stranger, header,
                letter_body(t.store.prekey, header, letter_plaintext(good_batch())));
  }));
}

}  // namespace

Cases agent_letter_cases() {
  Cases cases;
  good(cases);
  padding(cases);
  seals(cases);
  contents(cases);
  headers(cases);
  return cases;
}

}  // namespace conformance

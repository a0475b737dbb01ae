// SPEC chapter ENV up to the chain: what a broker must refuse in one envelope alone.
#include "conformance/runner/run.h"

namespace conformance {
namespace {

using Change = std::function<Table(Table, const Person&)>;

Bytes header_of(const Table& table) {
  return finish("SWHD", table);
}

// An application envelope in an open conversation with one header field wrong.
Case application_case(std::string id, std::string steps, Code code, Change change,
                      unsigned ways = kBound) {
  return {.id = std::move(id),
          .steps = "Sends an application envelope " + steps,
          .expects = "Rejected(" + code_name(code) + "), and the chain goes on",
          .run =
              [change = std::move(change), code](Run& t) {
                auto [a, b] = t.conversation();
                const Table header = change(a.chain.header(a.agent, kind::application), b);
                refuses(a, {seal(a.agent, header_of(header), bytes_of("x"))}, code);
                goes_on(a, b);
              },
          .also = {"ERR-004"},
          .ways = ways};
}

Case letter_case(std::string id, std::string steps, Code code, Change change) {
  return {.id = std::move(id),
          .steps = "Sends a letter " + steps,
          .expects = "Rejected(" + code_name(code) + ")",
          .run =
              [change = std::move(change), code](Run& t) {
                auto [a, b] = t.pair();
                refuses(a,
                        {seal(a.agent, header_of(change(letter_header(a.agent, b.key()), b)),
                              bytes_of("x"))},
                        code);
                expect(b->nothing_comes(), "nothing is delivered");
              },
          .ways = kBound};
}

Case commit_case(std::string id, std::string steps, Code code, Change change) {
  return {.id = std::move(id),
          .steps = "Sends a commit " + steps,
          .expects = "Rejected(" + code_name(code) + "), and the epoch stays",
          .run =
              [change = std::move(change), code](Run& t) {
                auto [a, b] = t.conversation();
                const Table good = a.chain.header(a.agent, kind::commit)
                                       .with("recipients", recipients({a.key(), b.key()}));
                refuses(a, {seal(a.agent, header_of(change(good, b)), bytes_of("x"))}, code);
                goes_on(a, b);
              },
          .ways = kBound};
}

Change set(std::string field, Value value) {
  return [field = std::move(field), value = std::move(value)](Table header, const Person&) {
    return header.with(field, value);
  };
}
Change unset(std::string field) {
  return [field = std::move(field)](Table header, const Person&) { return header.without(field); };
}

void form(Cases& cases) {
  cases.push_back({.id = "ENV-001.body",
                   .steps = "Sends a body of 1048577 bytes, then one of 1048576",
                   .expects = "Rejected(too_large); then accepted and delivered to the byte",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         refuses(a, {a.chain.application(a.agent, Bytes(1'048'577))},
                                 Code::too_large);
                         const Envelope largest = say(a, random_bytes(1'048'576));
                         receives(b, largest);
                       },
                   .also = {"ENV-003"}});
  cases.push_back(
      {.id = "ENV-001.header",
       .steps = "Sends a header of more than 4096 bytes, of which the excess says nothing",
       .expects = "Rejected(too_large) or Rejected(malformed); the chain goes on",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             Bytes header = header_of(a.chain.header(a.agent, kind::application));
             header.resize(4097);
             Envelope e = seal(a.agent, header, bytes_of("x"));
             const Answer answer = a->send_raw(e.bytes, e.id);
             if (!answer.rejection) throw Failure("accepted");
             if (answer.rejection->code != Code::too_large) {
               rejected(answer, Code::malformed);
               throw NonStrict("malformed where the table says too_large (ENV-001)");
             }
             goes_on(a, b);
           },
       .ways = kBound});
  const auto no_envelope = [&](const char* name, const char* steps,
                               std::function<Bytes(Person&)> make) {
    cases.push_back({.id = std::string("ENV-002.") + name,
                     .steps = std::string("Sends as an envelope ") + steps,
                     .expects = "Rejected(malformed) with a zero id, and the session lives",
                     .run =
                         [make](Run& t) {
                           auto [a, b] = t.conversation();
                           rejected(a->send_raw(make(a), Bytes(16)), Code::malformed);
                           goes_on(a, b);
                         },
                     .also = {"ERR-004"},
                     .ways = kBound | kCurve});
  };
  no_envelope("empty", "no byte", [](Person&) { return Bytes(); });
  no_envelope("noise", "100 random bytes", [](Person&) { return random_bytes(100); });
  no_envelope("truncated", "a good one without its last 9 bytes", [](Person& a) {
    Bytes bytes = a.chain.application(a.agent).bytes;
    bytes.resize(bytes.size() - 9);
    return bytes;
  });
  no_envelope("identifier", "a good one under the identifier of a frame", [](Person& a) {
    Bytes bytes = a.chain.application(a.agent).bytes;
    bytes[6] = 'F';
    bytes[7] = 'R';
    return bytes;
  });
  no_envelope("no-header", "one whose header is none", [](Person& a) {
    return seal(a.agent, bytes_of("no header at all"), bytes_of("x")).bytes;
  });
  no_envelope("header-identifier", "one whose header has another identifier", [](Person& a) {
    Bytes header = header_of(a.chain.header(a.agent, kind::application));
    header[6] = 'E';
    header[7] = 'N';
    return seal(a.agent, header, bytes_of("x")).bytes;
  });
  no_envelope("header-truncated", "one whose header lacks its last bytes", [](Person& a) {
    Bytes header = header_of(a.chain.header(a.agent, kind::application));
    header.resize(header.size() - 5);
    return seal(a.agent, header, bytes_of("x")).bytes;
  });
  no_envelope("no-body", "one without the required body", [](Person& a) {
    const Envelope e = a.chain.application(a.agent);
    return finish("SWEN", {"Envelope", {{"header", e.header}, {"signature", e.signature}}});
  });
  cases.push_back({.id = "ENV-002.misaligned-header",
                   .steps = "Sends envelopes whose header starts at each of 8 alignments",
                   .expects = "accepted: the header is read from an aligned copy",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         for (std::size_t pad = 0; pad < 8; ++pad) {
                           // What is written before the header moves it by a byte each time.
                           Envelope e = a.chain.application(a.agent, Bytes(pad, 1));
                           accepted(a->send({e}));
                           a.chain.take(e);
                           receives(b, e);
                         }
                       },
                   .also = {"ENV-003"}});
  cases.push_back(
      {.id = "ENV-003.unusual-encoding",
       .steps = "Sends an envelope whose header and wrapper a builder would have written "
                "otherwise: bytes after the end, a default written out",
       .expects = "accepted, with the digest of the bytes as they are, and delivered to the byte",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             Bytes header =
                 header_of(a.chain.header(a.agent, kind::application).with("durability", 0));
             header.resize(header.size() + 3, 0xaa);
             Envelope e = seal(a.agent, header, bytes_of("x"));
             e.bytes.resize(e.bytes.size() + 5, 0xbb);
             const auto receipts = accepted(a->send({e}));
             same(receipts.at(0).digest, e.digest(), "digest");
             a.chain.take(e);
             receives(b, e);
             goes_on(a, b);
           },
       .also = {"ENV-005", "ENV-006"}});
}

void signatures(Cases& cases) {
  const auto forged = [&](std::string id, std::string steps,
                          std::function<Envelope(Person&, Person&)> make) {
    cases.push_back({.id = std::move(id),
                     .steps = "Sends an application envelope " + steps,
                     .expects = "Rejected(unauthenticated), and the chain goes on",
                     .run =
                         [make](Run& t) {
                           auto [a, b] = t.conversation();
                           refuses(a, {make(a, b)}, Code::unauthenticated);
                           goes_on(a, b);
                         },
                     .also = {"DLV-004", "ERR-004"},
                     .ways = kBound | kCurve});
  };
  forged("ENV-004.noise", "with a random signature", [](Person& a, Person&) {
    return with_signature(a.chain.application(a.agent), random_bytes(64));
  });
  forged("ENV-004.zeros", "with a signature of zeros", [](Person& a, Person&) {
    return with_signature(a.chain.application(a.agent), Bytes(64));
  });
  forged("ENV-004.first-bit", "with the first bit of its signature turned", [](Person& a, Person&) {
    const Envelope e = a.chain.application(a.agent);
    return with_signature(e, flipped(e.signature, 0));
  });
  forged("ENV-004.last-bit", "with a bit of its signature's last byte turned",
         [](Person& a, Person&) {
           const Envelope e = a.chain.application(a.agent);
           return with_signature(e, flipped(e.signature, -1));
         });
  forged("ENV-004.other-body", "whose body was changed", [](Person& a, Person&) {
    Envelope e = a.chain.application(a.agent);
    e.body = bytes_of("evil!!");
    return with_signature(e, e.signature);
  });
  forged("ENV-004.other-header", "whose header was changed", [](Person& a, Person&) {
    Envelope e = a.chain.application(a.agent);
    const Table header = a.chain.header(a.agent, kind::application);
    Envelope other = seal(a.agent, header_of(header), e.body);
    return with_signature(other, e.signature);
  });
  forged("ENV-004.other-key", "that another key signed", [](Person& a, Person& b) {
    const Envelope e = a.chain.application(a.agent);
    return with_signature(
        e, sign(b.agent.seed, labelled("sealwire/0 envelope", {e.header, hash(e.body)})));
  });
  forged("ENV-004.body-not-hashed", "signed over the body instead of its hash",
         [](Person& a, Person&) {
           const Envelope e = a.chain.application(a.agent);
           return with_signature(
               e, sign(a.agent.seed, labelled("sealwire/0 envelope", {e.header, e.body})));
         });
  for (const char* label : {"sealwire/0 header", "sealwire/0 proof", "sealwire/0 refusal",
                            "sealwire/0 envelope digest", "sealwire/1 envelope"})
    forged(std::string("KEY-002.envelope-under-") + std::string(label).substr(9),
           std::string("signed under the label ") + label, [label](Person& a, Person&) {
             return seal(a.agent, header_of(a.chain.header(a.agent, kind::application)),
                         bytes_of("x"), label);
           });
  forged("DLV-004.sender", "whose header names the receiver as sender, signed by its own key",
         [](Person& a, Person& b) {
           return seal(
               a.agent,
               header_of(a.chain.header(a.agent, kind::application).with("sender", b.key())),
               bytes_of("x"));
         });
  cases.push_back({.id = "DLV-004.anothers-envelope",
                   .steps = "Sends a good envelope of another agent in its own session",
                   .expects = "Rejected(unauthenticated)",
                   .run = [](Run& t) {
                     auto [a, b] = t.conversation();
                     const Envelope e = a.chain.application(a.agent);
                     refuses(b, {e}, Code::unauthenticated);
                     accepted(a->send({e}));
                   }});
  for (const std::size_t size : {0, 63, 65, 128})
    cases.push_back(
        {.id = "FRM-006.envelope-signature-" + std::to_string(size),
         .steps = "Sends an envelope whose signature has " + std::to_string(size) + " bytes",
         .expects = "Rejected(malformed)",
         .run =
             [size](Run& t) {
               auto [a, b] = t.conversation();
               const Envelope e = with_signature(a.chain.application(a.agent), Bytes(size, 1));
               const Answer answer = a->send_raw(e.bytes, e.id);
               rejected(answer, Code::malformed);
               goes_on(a, b);
             },
         .ways = kBound});
  // The same for kinds that are always verified (DLV-016).
  cases.push_back({.id = "DLV-016.letter",
                   .steps = "Sends a letter with a bit of its signature turned",
                   .expects = "Rejected(unauthenticated)",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.pair();
                         const Envelope e = letter(a.agent, b.key());
                         refuses(a, {with_signature(e, flipped(e.signature, 9))},
                                 Code::unauthenticated);
                         expect(b->nothing_comes(), "nothing is delivered");
                       },
                   .ways = kBound});
  cases.push_back({.id = "DLV-016.commit",
                   .steps = "Sends a commit with a bit of its signature turned",
                   .expects = "Rejected(unauthenticated), and the epoch stays",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         const Envelope e = a.chain.commit(a.agent, {a.key(), b.key()});
                         refuses(a, {with_signature(e, flipped(e.signature, 9))},
                                 Code::unauthenticated);
                         goes_on(a, b);
                       },
                   .ways = kBound});
}

void header_rules(Cases& cases) {
  for (const int suite : {0, 2, 257})
    cases.push_back(application_case("ENV-010.suite-" + std::to_string(suite),
                                     "of suite " + std::to_string(suite), Code::unsupported,
                                     set("suite", suite)));
  for (const auto& [name, features] :
       {std::pair{"one", std::vector<std::uint64_t>{1}}, {"zero", {0}}, {"several", {7, 8, 9}}})
    cases.push_back(application_case(std::string("ENV-011.") + name, "with a critical feature",
                                     Code::unsupported, set("critical", features)));
  cases.push_back({.id = "ENV-011.empty",
                   .steps = "Sends an envelope with an empty list of critical features",
                   .expects = "accepted",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         receives(b, say_with(a, {{"critical", std::vector<std::uint64_t>{}}}));
                       },
                   .also = {"EVO-003"},
                   .ways = kBound});
  for (const int version : {0, 1, 4, 6, 8})
    cases.push_back(application_case("ENV-012.version-" + std::to_string(version),
                                     "whose id is a UUID of version " + std::to_string(version),
                                     Code::malformed, [version](Table h, const Person&) {
                                       Bytes id = uuid7(now_ms());
                                       id[6] =
                                           static_cast<std::uint8_t>(version << 4 | (id[6] & 15));
                                       return h.with("id", id);
                                     }));
  cases.push_back(application_case("ENV-012.variant", "whose id has another variant",
                                   Code::malformed, [](Table h, const Person&) {
                                     Bytes id = uuid7(now_ms());
                                     id[8] = 0xc0 | (id[8] & 0x3f);
                                     return h.with("id", id);
                                   }));
  for (const int k : {0, 5, 9, 255})
    cases.push_back(application_case("ENV-013.kind-" + std::to_string(k),
                                     "of the kind " + std::to_string(k), Code::unsupported,
                                     set("kind", k)));
  cases.push_back(application_case("ENV-014.no-conversation", "without a conversation",
                                   Code::malformed, unset("conversation")));
  cases.push_back(application_case("ENV-014.zero-conversation", "whose conversation is zero",
                                   Code::malformed, set("conversation", Bytes(16))));
  cases.push_back(application_case("ENV-014.no-incarnation", "of the incarnation 0",
                                   Code::malformed, set("incarnation", 0)));
  cases.push_back(letter_case("ENV-014.letter-conversation", "with a conversation", Code::malformed,
                              set("conversation", random_bytes(16))));
  cases.push_back(letter_case("ENV-014.letter-incarnation", "with an incarnation", Code::malformed,
                              set("incarnation", 1)));
  cases.push_back(letter_case("ENV-015.epoch", "with an epoch", Code::malformed, set("epoch", 1)));
  cases.push_back(letter_case("ENV-015.sender-seq", "with a sender_seq", Code::malformed,
                              set("sender_seq", 1)));
  cases.push_back(letter_case("ENV-015.previous", "with a previous", Code::malformed,
                              set("previous", random_bytes(32))));
  cases.push_back(application_case("ENV-016.application", "that names something", Code::malformed,
                                   set("names", random_bytes(32))));
  cases.push_back(letter_case("ENV-016.letter", "that names something", Code::malformed,
                              set("names", random_bytes(32))));
  cases.push_back(commit_case("ENV-016.commit", "that names something", Code::malformed,
                              set("names", random_bytes(32))));
  cases.push_back(application_case(
      "ENV-017.application", "with a recipient", Code::malformed,
      [](Table h, const Person& b) { return h.with("recipients", recipients({b.agent.key})); }));
  cases.push_back(commit_case("ENV-017.commit-none", "without recipients", Code::malformed,
                              unset("recipients")));
  cases.push_back(commit_case(
      "ENV-017.commit-no-sender", "whose members lack the sender", Code::malformed,
      [](Table h, const Person& b) { return h.with("recipients", recipients({b.agent.key})); }));
  cases.push_back(
      commit_case("ENV-017.commit-twice", "that lists a member twice", Code::malformed,
                  [](Table h, const Person& b) {
                    const Bytes own = std::get<Bytes>(h.fields[2].second.held());
                    return h.with("recipients", recipients({own, b.agent.key, b.agent.key}));
                  }));
  cases.push_back(commit_case(
      "ENV-017.commit-33", "of 33 members", Code::malformed, [](Table h, const Person& b) {
        std::vector<Bytes> keys{std::get<Bytes>(h.fields[2].second.held()), b.agent.key};
        while (keys.size() < 33)
          keys.push_back(random_bytes(32));
        return h.with("recipients", recipients(keys));
      }));
  cases.push_back(letter_case("ENV-017.letter-none", "without a recipient", Code::malformed,
                              unset("recipients")));
  cases.push_back(letter_case(
      "ENV-017.letter-two", "with two recipients", Code::malformed, [](Table h, const Person& b) {
        return h.with("recipients", recipients({b.agent.key, random_bytes(32)}));
      }));
  cases.push_back(letter_case(
      "ENV-017.letter-to-itself", "to its own sender", Code::malformed, [](Table h, const Person&) {
        return h.with("recipients", recipients({std::get<Bytes>(h.fields[2].second.held())}));
      }));
  cases.push_back(letter_case("FRM-006.recipient", "to a recipient of 31 bytes", Code::malformed,
                              set("recipients", recipients({Bytes(31, 1)}))));
  cases.push_back(letter_case("ENV-018.letter", "that says it is transient", Code::malformed,
                              set("durability", 1)));
  cases.push_back(commit_case("ENV-018.commit", "that says it is transient", Code::malformed,
                              set("durability", 1)));
  cases.push_back(application_case("ENV-018.unknown", "of the durability 2", Code::malformed,
                                   set("durability", 2)));
  cases.push_back(application_case("ENV-019.equal", "that expires as it is made", Code::malformed,
                                   [](Table h, const Person&) {
                                     const std::uint64_t now = now_ms();
                                     return h.with("created_ms", now).with("expires_ms", now);
                                   }));
  cases.push_back(application_case("ENV-019.before", "that expires before it is made",
                                   Code::malformed, [](Table h, const Person&) {
                                     const std::uint64_t now = now_ms();
                                     return h.with("created_ms", now).with("expires_ms", now - 1);
                                   }));
  cases.push_back(
      application_case("ENV-019.30-days", "that lives 30 days and a millisecond", Code::malformed,
                       [](Table h, const Person&) {
                         const std::uint64_t now = now_ms();
                         return h.with("created_ms", now).with("expires_ms", now + 30 * kDay + 1);
                       }));
  cases.push_back(
      letter_case("ENV-019.letter", "that lives 7 days and a millisecond", Code::malformed,
                  [](Table h, const Person&) {
                    const std::uint64_t now = now_ms();
                    return h.with("created_ms", now).with("expires_ms", now + 7 * kDay + 1);
                  }));
  cases.push_back(
      {.id = "ENV-019.longest",
       .steps = "Sends an envelope that lives exactly 30 days, and a letter that lives exactly 7",
       .expects = "accepted",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const std::uint64_t now = now_ms();
             receives(b, say_with(a, {{"created_ms", now}, {"expires_ms", now + 30 * kDay}}));
             const Envelope e = seal(a.agent,
                                     header_of(letter_header(a.agent, b.key())
                                                   .with("created_ms", now)
                                                   .with("expires_ms", now + 7 * kDay)),
                                     Bytes(96));
             accepted(a->send({e}));
             receives(b, e);
           },
       .ways = kBound});
  for (const auto& [name, text] : {std::pair{"native", "native"},
                                   {"empty", "bridged:"},
                                   {"upper", "bridged:Telegram"},
                                   {"space", "bridged:a b"},
                                   {"other", "Bridged:telegram"},
                                   {"slash", "bridged:a/b"},
                                   {"utf8", "bridged:t\xc3\xa9l\xc3\xa9"},
                                   {"underscore", "bridged:a_b"}})
    cases.push_back(application_case(std::string("ENV-020.") + name,
                                     "of the provenance \"" + std::string(text) + "\"",
                                     Code::malformed, set("provenance", text)));
  cases.push_back(application_case("ENV-020.57", "of a provenance with 57 characters of channel",
                                   Code::malformed,
                                   set("provenance", "bridged:" + std::string(57, 'x'))));
  cases.push_back({.id = "ENV-020.good",
                   .steps = "Sends envelopes of the provenances bridged:telegram, bridged:a.b-9 "
                            "and one of 56 characters",
                   .expects = "accepted",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.conversation();
                         for (const std::string& text :
                              {std::string("bridged:telegram"), std::string("bridged:a.b-9"),
                               "bridged:" + std::string(56, 'x')})
                           receives(b, say_with(a, {{"provenance", text}}));
                       },
                   .ways = kBound});
  for (const auto& [field, size] : {std::pair{"id", 15},
                                    {"id", 17},
                                    {"sender", 31},
                                    {"sender", 33},
                                    {"conversation", 15},
                                    {"conversation", 17},
                                    {"previous", 31},
                                    {"previous", 33}})
    cases.push_back(
        {.id = "FRM-006.header-" + std::string(field) + "-" + std::to_string(size),
         .steps = "Sends an envelope whose " + std::string(field) + " has " + std::to_string(size) +
                  " bytes",
         .expects = "Rejected(malformed)",
         .run =
             [f = std::string(field), n = static_cast<std::size_t>(size)](Run& t) {
               auto [a, b] = t.conversation();
               const Envelope e =
                   seal(a.agent,
                        header_of(a.chain.header(a.agent, kind::application).with(f, Bytes(n, 1))),
                        bytes_of("x"));
               const Bytes key = f == "id" ? Bytes(16) : e.id;
               rejected(a->send_raw(e.bytes, key), Code::malformed);
             },
         .ways = kBound});
  // Times (ENV-021).
  cases.push_back(application_case(
      "ENV-021.expired", "that has expired", Code::expired,
      [](Table h, const Person&) {
        return h.with("created_ms", now_ms() - 60'000).with("expires_ms", now_ms() - 1'000);
      },
      kAllWays));
  cases.push_back(application_case(
      "ENV-021.future", "made 6 minutes in the future", Code::malformed,
      [](Table h, const Person&) {
        return h.with("created_ms", now_ms() + 6 * kMinute).with("expires_ms", now_ms() + kHour);
      },
      kAllWays));
  cases.push_back(
      letter_case("ENV-021.letter", "that has expired", Code::expired, [](Table h, const Person&) {
        return h.with("created_ms", now_ms() - kDay).with("expires_ms", now_ms() - 1'000);
      }));
  cases.push_back(commit_case(
      "ENV-021.commit", "that has expired before it was sent", Code::expired,
      [](Table h, const Person&) {
        return h.with("created_ms", now_ms() - kDay).with("expires_ms", now_ms() - 1'000);
      }));
  cases.push_back(
      {.id = "ENV-021.near-future",
       .steps = "Sends an envelope made 4 minutes in the future, and one made a day ago",
       .expects = "accepted",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             receives(b, say_with(a, {{"created_ms", now_ms() + 4 * kMinute},
                                      {"expires_ms", now_ms() + kHour}}));
             receives(b, say_with(a, {{"created_ms", now_ms() - kDay},
                                      {"expires_ms", now_ms() + kHour}}));
           },
       .ways = kBound});
}

}  // namespace

Cases envelope_cases() {
  Cases cases;
  form(cases);
  signatures(cases);
  header_rules(cases);
  return cases;
}

}  // namespace conformance

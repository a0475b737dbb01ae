// Agents, chapters E2E and ENV: what an agent sends, as far as it is readable from outside its
// group. The peer's key package is the suite's own; what is sealed to it, nobody opens.
#include "conformance/runner/case.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/host.h"

namespace conformance {
namespace {

// An envelope of the agent, taken apart.
struct Seen {
  Envelope envelope;
  Bytes held;
  const wire::Header* header;
  MlsMessage mls;
  explicit Seen(const Bytes& bytes) {
    Bytes outer = bytes;
    const auto* root = flatbuffers::GetRoot<wire::Envelope>(outer.data());
    envelope.header = copy(root->header());
    envelope.body = copy(root->body());
    envelope.signature = copy(root->signature());
    header = statement<wire::Header>(held, envelope.header, "SWHD");
    mls = MlsMessage::read(envelope.body);
  }
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;
};
using AllSeen = std::deque<Seen>;

void expect(bool condition, const std::string& what) {
  if (!condition) throw Failure(what);
}

// The opening, and one application envelope for each text.
const AllSeen& converse(Host& t, AllSeen& seen, const std::vector<std::string>& texts) {
  t.publishes();
  t.store.claimed = t.claimed(t.peer_package().write(t.store.peer.seed));
  std::size_t wanted = 2;
  for (const std::string& text : texts) {
    t.send_text(text);
    ++wanted;
    t.until("an envelope with what was sent", [&] { return t.store.sent.size() >= wanted; });
  }
  for (const Bytes& bytes : t.store.sent)
    seen.emplace_back(bytes);
  return seen;
}

Case opening_case(std::string id, std::string expects, std::vector<std::string> texts,
                  std::function<void(Host&, const AllSeen&)> look,
                  std::vector<std::string> also = {}) {
  return {.id = std::move(id),
          .steps = "Has the agent send " + std::to_string(texts.size()) +
                   (texts.size() == 1 ? " message" : " messages") +
                   " to a peer with whom it has no conversation",
          .expects = std::move(expects),
          .also = std::move(also),
          .ways = kBound,
          .host = [texts = std::move(texts), look = std::move(look)](Host& t) {
            AllSeen seen;
            look(t, converse(t, seen, texts));
          }};
}

void check_headers(Host& t, const AllSeen& seen) {
  const auto& store = t.store;
  for (const Seen& each : seen) {
    const wire::Header& h = *each.header;
    expect(h.suite() == 1, "suite (ENV-010)");
    expect(h.critical() == nullptr || h.critical()->size() == 0, "critical (ENV-011)");
    const Bytes id = copy(h.id());
    expect(id.size() == 16 && id[6] >> 4 == 7 && id[8] >> 6 == 2, "id is no UUIDv7 (ENV-012)");
    expect(copy(h.sender()) == store.agent_key, "sender is not the agent");
    expect(copy(h.conversation()) == copy(seen[0].header->conversation()) &&
               copy(h.conversation()).size() == 16 && copy(h.conversation()) != Bytes(16),
           "conversation (ENV-014)");
    expect(h.incarnation() == 1, "incarnation (ENV-014)");
    expect(h.expires_ms() > h.created_ms() && h.expires_ms() - h.created_ms() <= 30 * kDay,
           "expires_ms (ENV-019)");
    expect(h.created_ms() <= now_ms() + 5 * kMinute && h.created_ms() + kMinute >= now_ms(),
           "created_ms (ENV-021)");
    expect(h.provenance() == nullptr, "provenance (ENV-020)");
  }
}

void check_opening(Host& t, const AllSeen& seen) {
  const Seen &commit = seen[0], &welcome = seen[1];
  expect(commit.header->kind() == wire::Kind::commit, "the first envelope is no commit");
  expect(welcome.header->kind() == wire::Kind::welcome, "the second envelope is no welcome");
  expect(t.store.bundles.at(0) == 2, "commit and welcome are not one bundle");
  const auto names = [](const wire::Header& h) {
    std::set<Bytes> keys;
    if (h.recipients() != nullptr)
      for (const auto* each : *h.recipients())
        keys.insert(copy(each->instance()));
    return keys;
  };
  expect(names(*commit.header) == std::set{t.store.agent_key, t.store.peer.key},
         "the commit's recipients are not the two members (ENV-017)");
  expect(names(*welcome.header) == std::set{t.store.peer.key},
         "the welcome's recipient is not the joiner (ENV-017)");
  for (const Seen* each : {&commit, &welcome}) {
    const Bytes previous = copy(each->header->previous());
    expect(each->header->epoch() == 0 && each->header->sender_seq() == 0 &&
               (previous.empty() || previous == Bytes(32)),
           "the opening's position is not the first (ENV-032)");
  }
  expect(copy(welcome.header->names()) == commit.envelope.link(),
         "the welcome does not name the commit's link (ENV-032)");
}

void check_chain(Host&, const AllSeen& seen) {
  Bytes link = seen[0].envelope.link();
  for (std::size_t i = 2; i < seen.size(); ++i) {
    const wire::Header& h = *seen[i].header;
    expect(h.kind() == wire::Kind::application, "a message is no application envelope");
    expect(h.epoch() == 1 && h.sender_seq() == i - 2, "a position is not the next (ENV-030)");
    expect(copy(h.previous()) == link, "previous is not the link of the one before (ENV-031)");
    link = seen[i].envelope.link();
  }
}

void check_mls(Host&, const AllSeen& seen) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const Seen& each = seen[i];
    const std::uint64_t wanted = i == 0   ? MlsMessage::public_message
                                 : i == 1 ? MlsMessage::welcome
                                          : MlsMessage::private_message;
    expect(each.mls.wire_format == wanted,
           "the wire format of envelope " + std::to_string(i) + " (E2E-003)");
    if (i == 1) {
      expect(each.mls.cipher_suite == 3, "the welcome's cipher suite");
      continue;
    }
    expect(each.mls.group_id ==
               copy(each.header->conversation()) + big_endian(each.header->incarnation(), 4),
           "the group id (E2E-001)");
    expect(each.mls.epoch == each.header->epoch(), "the epoch (E2E-005)");
    expect(
        each.mls.authenticated_data == hash(labelled("sealwire/0 header", {each.envelope.header})),
        "authenticated_data (E2E-004)");
    expect(each.mls.content_type == (i == 0 ? 3U : 1U), "the content type");
  }
}

void check_padding(Host&, const AllSeen& seen) {
  for (std::size_t i = 2; i < seen.size(); ++i) {
    const std::size_t size = seen[i].mls.ciphertext_bytes - 16;
    expect(padme(size) == size, std::to_string(size) + " is no Padmé size (E2E-006)");
  }
}

}  // namespace

Cases agent_opening_cases() {
  const std::vector<std::string> three{"one", "two", "three"};
  std::vector<std::string> sizes;
  for (const std::size_t size : {0, 1, 30, 31, 32, 33, 100, 700, 5000, 40'000})
    sizes.emplace_back(size, 'x');
  return {opening_case("E2E-020.agent", "one bundle of the commit of epoch 0 and its welcome",
                       {"one"}, check_opening, {"ENV-032", "ENV-017", "ENV-016"}),
          opening_case("ENV-014.agent", "headers that keep ENV-010 to ENV-021", three,
                       check_headers, {"ENV-010", "ENV-012", "ENV-019"}),
          opening_case("ENV-031.agent", "a chain: positions from 0, each with the link before",
                       three, check_chain, {"ENV-030", "ENV-005"}),
          opening_case("E2E-003.agent",
                       "PublicMessage, Welcome, PrivateMessage, with the group id, epoch and "
                       "authenticated data of their headers",
                       three, check_mls, {"E2E-001", "E2E-004", "E2E-005"}),
          opening_case("E2E-006.agent", "ciphertexts of Padmé sizes", sizes, check_padding)};
}

}  // namespace conformance

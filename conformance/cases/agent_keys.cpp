// Agents, chapter KEY: what they publish, and what they take from a directory.
#include "conformance/runner/case.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/host.h"

namespace conformance {
namespace {

constexpr std::uint64_t kDaySeconds = 24 * 3600, kSlackSeconds = 300;

Case key_case(std::string id, std::string steps, std::string expects,
              std::function<void(Host&)> script, std::vector<std::string> also = {}) {
  return {.id = std::move(id),
          .steps = std::move(steps),
          .expects = std::move(expects),
          .also = std::move(also),
          .ways = kBound,
          .host = [script = std::move(script)](Host& t) {
            t.publishes();
            script(t);
          }};
}

void expect(bool condition, const std::string& what) {
  if (!condition) throw Failure("a key package " + what);
}

void check(const Bytes& bytes, const Bytes& agent_key) {
  const KeyPackage read = KeyPackage::read(bytes);
  expect(bytes.size() <= 4096, "has more than 4096 bytes (KEY-014)");
  expect(read.version == 1 && read.wire_format == 5, "is no MLSMessage of wire format 5");
  expect(read.cipher_suite == 3, "is of another suite than 0x0003");
  expect(read.credential_type == 1, "has no basic credential");
  expect(read.leaf_key == agent_key, "has another leaf key than the agent's");
  expect(read.identity == bytes_of(did_key(read.leaf_key)),
         "has another identity than its leaf key's did:key");
  expect(read.not_after > now_ms() / 1000, "has expired");
  expect(read.not_after - read.not_before <= 30 * kDaySeconds + kSlackSeconds,
         "is valid for more than 30 days and 5 minutes");
  expect(read.leaf_signature_holds && read.signature_holds, "is not signed by its leaf's key");
}

// The agent is to send, and the directory answers its Claim wrongly.
Case wrong_directory(std::string id, std::string steps, std::function<Table(Host&)> claimed) {
  return key_case(std::move(id),
                  "Has the agent send to its peer, and answers its Claim with " + steps,
                  "no envelope of the agent comes", [claimed = std::move(claimed)](Host& t) {
                    t.store.claimed = claimed(t);
                    t.send_text("secret");
                    t.until("a Claim", [&t] { return t.store.claims != 0; });
                    t.never_shows("nothing");
                    if (!t.store.sent.empty())
                      throw Failure("the agent opens a conversation all the same");
                  });
}

void directories(Cases& cases) {
  const auto wrong_package = [&](std::string id, std::string steps,
                                 std::function<void(KeyPackage&)> change) {
    cases.push_back(wrong_directory(std::move(id), "a key package " + steps,
                                    [change = std::move(change)](Host& t) {
                                      KeyPackage package = t.peer_package();
                                      change(package);
                                      return t.claimed(package.write(t.store.peer.seed));
                                    }));
  };
  wrong_package("KEY-011.31-days", "that is valid for 31 days", [](KeyPackage& package) {
    package.not_after = package.not_before + 31 * kDaySeconds;
  });
  wrong_package("KEY-011.for-ever", "that never expires",
                [](KeyPackage& package) { package.not_after = UINT64_MAX; });
  wrong_package("KEY-010.agent-identity", "whose identity is another did:key",
                [](KeyPackage& package) { package.identity = bytes_of(did_key(Agent().key)); });
  wrong_package("KEY-010.agent-identity-bytes", "whose identity is the bare key",
                [](KeyPackage& package) { package.identity = package.leaf_key; });
  wrong_package("KEY-010.agent-credential", "with a credential of type 2",
                [](KeyPackage& package) { package.credential_type = 2; });
  wrong_package("KEY-010.agent-suite", "of the suite 0x0001",
                [](KeyPackage& package) { package.cipher_suite = 1; });
  wrong_package("KEY-010.agent-wire-format", "under another wire format",
                [](KeyPackage& package) { package.wire_format = 4; });
  cases.push_back(wrong_directory("KEY-010.agent-noise", "random bytes",
                                  [](Host& t) { return t.claimed(random_bytes(300)); }));
  cases.push_back(wrong_directory(
      "KEY-010.agent-unsigned", "a key package whose signature has one bit flipped",
      [](Host& t) { return t.claimed(flipped(t.peer_package().write(t.store.peer.seed), -1)); }));
  cases.push_back(
      wrong_directory("KEY-013.other-leaf", "a good key package of another key", [](Host& t) {
        const Agent other;
        KeyPackage package = t.peer_package();
        package.leaf_key = other.key;
        package.identity = bytes_of(did_key(other.key));
        return t.claimed(package.write(other.seed));
      }));
  cases.push_back(wrong_directory(
      "KEY-006.claimed", "another agent's inception and a good key package of that agent's",
      [](Host& t) {
        const Agent other;
        KeyPackage package = t.peer_package();
        package.leaf_key = other.key;
        package.identity = bytes_of(did_key(other.key));
        return t.claimed(package.write(other.seed)).with("inception", other.inception);
      }));
}

}  // namespace

Cases agent_key_cases() {
  Cases cases;
  cases.push_back(key_case(
      "KEY-010.agent", "Reads every key package that the agent publishes",
      "an MLSMessage of a key package of suite 0x0003, with a basic credential of its own leaf's "
      "key in did:key form, signed; at most 30 days and 5 minutes long",
      [](Host& t) {
        for (const Bytes& each : t.store.key_packages)
          check(each, t.store.agent_key);
        check(t.store.last_resort, t.store.agent_key);
      },
      {"E2E-002"}));
  cases.push_back(key_case("KEY-014.agent", "Counts what the agent publishes",
                           "at most 50 key packages, each of at most 4096 bytes", [](Host& t) {
                             if (t.store.key_packages.size() > 50)
                               throw Failure("more than 50 key packages");
                           }));
  directories(cases);
  cases.push_back(key_case(
      "KEY-024.unknown-invite",
      "Delivers a Redeemed item for an invite that the agent never made, then a letter of who "
      "redeemed it",
      "the letter is not shown", [](Host& t) {
        const Agent stranger;
        t.store.put(Table{"Redeemed",
                          {{"redemption", stranger.redemption(random_bytes(32), random_bytes(32))},
                           {"inception", stranger.inception}}});
        const Bytes header = finish("SWHD", letter_header(stranger, t.store.agent_key));
        t.store.put(seal(stranger, header,
                         letter_body(t.store.prekey, header,
                                     letter_plaintext(content_batch({content("let me in")})))));
        t.never_shows("let me in");
      }));
  return cases;
}

}  // namespace conformance

// Agents for the tests of groups: a key, an identity that names it, and short ways to act.
#pragma once

#include <gtest/gtest.h>

#include "protocol/mls/group.h"
#include "tests/support/seeded_random.h"

namespace sealwire::mls::test {

inline constexpr UnixMillis kNow{1'750'000'000'000};

inline Bytes identity_of(ByteSpan key) {
  std::string text = "agent:";
  for (const std::uint8_t byte : key) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return to_bytes(as_bytes(text));
}

inline Bytes text(std::string_view words) {
  return to_bytes(as_bytes(words));
}

/// Accepts whoever names its own key, and never another in somebody's place.
inline Policy strict_policy() {
  Policy policy;
  policy.validator = [](const LeafIdentity& claimed, const LeafIdentity* predecessor) {
    return claimed.identity == identity_of(claimed.signature_key) &&
           (!predecessor || *predecessor == claimed);
  };
  return policy;
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << name(result.error().code) << ": " << result.error().detail;
    throw std::runtime_error("a step of the scenario failed");
  }
  return std::move(*result);
}
inline void must(Result<> result) {
  if (!result) ADD_FAILURE() << name(result.error().code) << ": " << result.error().detail;
}

template <class T>
::testing::AssertionResult refused(const Result<T>& result, Errc code) {
  if (result) return ::testing::AssertionFailure() << "was accepted";
  if (result.error().code == code) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "refused as " << name(result.error().code) << ": " << result.error().detail;
}

struct Agent {
  explicit Agent(std::uint64_t seed)
      : random(seed),
        key(crypto::SigningKey::generate(random)),
        identity(identity_of(key.public_bytes())) {}

  KeyPackageBundle publish(bool last_resort = false, UnixMillis now = kNow) {
    return must(make_key_package(key, identity, kHourMs, last_resort, random, now));
  }
  Group found(std::string_view group_id = "conversation", Policy policy = strict_policy()) {
    return must(Group::create(as_bytes(group_id), key, identity, std::move(policy), random, kNow));
  }
  Group join(ByteSpan welcome, const KeyPackageBundle& bundle, Policy policy = strict_policy()) {
    return must(Group::join(welcome, bundle, key, std::move(policy)));
  }

  sealwire::test::SeededRandom random;
  crypto::SigningKey key;
  Bytes identity;
};

inline Bytes authenticator(const Group& group) {
  return to_bytes(group.epoch_authenticator().span());
}

/// Alice's group with Bob in it, in epoch 1.
struct Pair {
  Agent alice{1};
  Agent bob{2};
  Group a = alice.found();
  Group b = welcome_bob();

 private:
  Group welcome_bob() {
    const auto bundle = bob.publish();
    const auto commit = must(a.commit({.adds = {bundle.key_package}}, {}, alice.random, kNow));
    must(a.apply_pending());
    return bob.join(*commit.welcome, bundle);
  }
};

}  // namespace sealwire::mls::test

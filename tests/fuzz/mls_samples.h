// A group whose every choice is fixed: Alice, Bob who listens, and Mallory, a member who signs
// whatever the fuzzer makes, so that what lies behind signatures and tags is reached too.
#pragma once

#include "protocol/mls/group_state.h"

namespace sealwire::fuzz {

/// ChaCha20 under a fixed seed: the same bytes in every run.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint8_t stream) { seed_[0] = stream; }
  void fill(std::span<std::uint8_t> out) override {
    for (std::size_t i = 0; i < 4; ++i)
      seed_[4 + i] = static_cast<std::uint8_t>(calls_ >> (8 * i));
    ++calls_;
    randombytes_buf_deterministic(out.data(), out.size(), seed_.data());
  }

 private:
  std::array<unsigned char, randombytes_SEEDBYTES> seed_{};
  std::uint32_t calls_ = 0;
};

struct MlsAgent {
  explicit MlsAgent(std::uint8_t stream)
      : random(stream), key(crypto::SigningKey::generate(random)) {}

  static mls::Policy policy() {
    mls::Policy policy;
    policy.validator = [](const mls::LeafIdentity& claimed, const mls::LeafIdentity*) {
      return claimed.identity.size() < 64;
    };
    policy.psk_lookup = [](const mls::PskName&) { return SecretBytes(as_bytes("known to all")); };
    policy.external_commits = mls::ExternalCommits::allow;
    return policy;
  }
  mls::KeyPackageBundle publish() {
    return mls::make_key_package(key, as_bytes("agent"), kDayMs, true, random, kNow).value();
  }

  static constexpr UnixMillis kNow{1'700'000'000'000};
  FixedRandom random;
  crypto::SigningKey key;
};

struct MlsTrio {
  MlsAgent alice{1};
  MlsAgent bob{2};
  MlsAgent mallory{3};
  MlsAgent newcomer{4};
  mls::KeyPackageBundle newcomer_package = newcomer.publish();
  mls::KeyPackageBundle bob_package = bob.publish();
  mls::KeyPackageBundle mallory_package = mallory.publish();
  mls::Group a = mls::Group::create(as_bytes("group"), alice.key, as_bytes("agent"),
                                    MlsAgent::policy(), alice.random, MlsAgent::kNow)
                     .value();
  Bytes welcome = add_both();
  mls::Group b = mls::Group::join(welcome, bob_package, bob.key, MlsAgent::policy()).value();
  mls::Group m =
      mls::Group::join(welcome, mallory_package, mallory.key, MlsAgent::policy()).value();

 private:
  Bytes add_both() {
    mls::CommitSpec spec;
    spec.adds = {bob_package.key_package, mallory_package.key_package};
    const auto commit = a.commit(spec, {}, alice.random, MlsAgent::kNow).value();
    if (!a.apply_pending()) std::abort();
    return *commit.welcome;
  }
};

/// What the first byte of an input says the rest is.
enum class MlsInput : std::uint8_t { message, commit, proposal, group_info };

inline Bytes mls_input(MlsInput kind, ByteSpan content) {
  Bytes input{static_cast<std::uint8_t>(kind)};
  input.insert(input.end(), content.begin(), content.end());
  return input;
}

}  // namespace sealwire::fuzz

// What a member who does not keep the rules can do: it knows the epoch's secrets.
#pragma once

#include "protocol/mls/group_state.h"
#include "tests/protocol/mls/agent.h"

namespace sealwire::mls::test {

/// The current epoch out of a member's own stored state.
inline Epoch secrets_of(const Group& group) {
  const auto state = group.serialize();
  Reader reader(state.span(), std::size_t{1} << 29);
  std::uint16_t version = 0;
  bool active = false;
  Epoch epoch;
  if (!reader.get(version, active, epoch)) throw std::runtime_error("state");
  return epoch;
}

inline Bytes wire(MlsMessage message) {
  return encode(message);
}

/// A commit or proposal, taken apart so that it can be changed and put together again.
inline PublicMessage public_message(ByteSpan bytes) {
  return std::get<PublicMessage>(must(decode<MlsMessage>(bytes, "message")).body);
}
/// With the right membership tag, which any member can make.
inline Bytes retagged(PublicMessage message, const Epoch& epoch) {
  AuthenticatedContent content{WireFormat::public_message, message.content, message.auth};
  return wire(
      {protect_public(std::move(content), epoch.secrets.membership_key, epoch.encoded_context())});
}
/// With `key`'s signature and the right membership tag.
inline Bytes resigned(PublicMessage message, const Epoch& epoch, const crypto::SigningKey& key) {
  const Bytes tag = message.auth.confirmation_tag;
  auto content = sign_content(WireFormat::public_message, std::move(message.content),
                              epoch.encoded_context(), key);
  content.auth.confirmation_tag = tag;
  return wire(
      {protect_public(std::move(content), epoch.secrets.membership_key, epoch.encoded_context())});
}

/// An application message in the name of `leaf`, at any generation, signed by `key`.
inline Bytes application(Epoch& epoch, LeafIndex leaf, std::uint32_t generation,
                         const crypto::SigningKey& key, Random& random, std::string_view words) {
  FramedContent content{epoch.context.group_id,
                        epoch.context.epoch,
                        Sender::member(leaf),
                        {},
                        to_bytes(as_bytes(words))};
  const auto authenticated =
      sign_content(WireFormat::private_message, std::move(content), epoch.encoded_context(), key);
  MessageKey message_key;
  message_key.generation = generation;
  auto found = epoch.messages.secret_tree.ratchet(leaf, RatchetType::application).find(generation);
  if (found) message_key = std::move(found->key);
  return wire(
      {protect_private(authenticated, message_key, epoch.messages.sender_data, &padme, random)});
}

/// Alice (leaf 0), Bob (1) and Mallory (2), who is a member too.
struct Trio {
  Agent alice{1};
  Agent bob{2};
  Agent mallory{3};
  KeyPackageBundle bob_package = bob.publish();
  KeyPackageBundle mallory_package = mallory.publish();
  Group a = alice.found();
  Bytes welcome = add_both();
  Group b = bob.join(welcome, bob_package);
  Group m = mallory.join(welcome, mallory_package);

 private:
  Bytes add_both() {
    const auto commit = must(a.commit(
        {.adds = {bob_package.key_package, mallory_package.key_package}}, {}, alice.random, kNow));
    must(a.apply_pending());
    return *commit.welcome;
  }
};

}  // namespace sealwire::mls::test

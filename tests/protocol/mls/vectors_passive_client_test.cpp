// RFC 9420's vectors of a member that only listens: joins by Welcome, follows proposals and
// commits.
#include "protocol/mls/group.h"
#include "protocol/mls/message.h"
#include "tests/protocol/mls/vectors.h"

namespace sealwire::mls::test {
namespace {

void follow(const json& vector) {
  KeyPackageBundle bundle;
  bundle.key_package = hex(vector.at("key_package"));
  bundle.private_part = SecretBytes(encode(
      KeyPackageSecrets{secret(vector.at("init_priv")), secret(vector.at("encryption_priv"))}));
  Policy policy;
  policy.validator = [](const LeafIdentity&, const LeafIdentity*) { return true; };
  policy.external_commits = ExternalCommits::allow;
  std::map<Bytes, Bytes> psks;
  for (const json& psk : vector.at("external_psks"))
    psks[hex(psk.at("psk_id"))] = hex(psk.at("psk"));
  policy.psk_lookup = [psks](const PskName& name) -> std::optional<SecretBytes> {
    const auto found = psks.find(name.id);
    if (name.kind != PskName::Kind::external || found == psks.end()) return std::nullopt;
    return SecretBytes(ByteSpan(found->second));
  };
  std::optional<Bytes> tree;
  if (!vector.at("ratchet_tree").is_null()) tree = hex(vector.at("ratchet_tree"));

  auto group = Group::join(hex(vector.at("welcome")), bundle,
                           crypto::SigningKey::from_seed(secret(vector.at("signature_priv"))),
                           policy, tree ? std::optional<ByteSpan>(*tree) : std::nullopt);
  ASSERT_TRUE(group) << name(group.error().code) << ": " << group.error().detail;
  EXPECT_EQ(bytes(group->epoch_authenticator()), hex(vector.at("initial_epoch_authenticator")));
  std::size_t number = 0;
  for (const json& epoch : vector.at("epochs")) {
    SCOPED_TRACE("epoch " + std::to_string(number++));
    for (const json& proposal : epoch.at("proposals")) {
      const auto processed = group->process(hex(proposal));
      ASSERT_TRUE(processed) << name(processed.error().code) << ": " << processed.error().detail;
    }
    const auto processed = group->process(hex(epoch.at("commit")));
    ASSERT_TRUE(processed) << name(processed.error().code) << ": " << processed.error().detail;
    EXPECT_EQ(bytes(group->epoch_authenticator()), hex(epoch.at("epoch_authenticator")));
  }
}

TEST(MlsVectors, passive_client_joins_by_welcome) {
  for_each_case("passive-client-welcome.json", follow);
}

TEST(MlsVectors, passive_client_follows_commits) {
  for_each_case("passive-client-handling-commit.json", follow);
}

}  // namespace
}  // namespace sealwire::mls::test

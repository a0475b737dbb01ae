// RFC 9420's vectors for labelled cryptography, key schedule, secret tree, transcript, PSKs,
// framing and Welcome.
#include "protocol/mls/message.h"
#include "tests/protocol/mls/vectors.h"
#include "tests/support/seeded_random.h"

namespace sealwire::mls::test {
namespace {

TEST(MlsVectors, labelled_operations) {
  for_each_case("crypto-basics.json", [](const json& vector) {
    const json& ref = vector.at("ref_hash");
    EXPECT_EQ(bytes(ref_hash(ref.at("label").get<std::string>(), hex(ref.at("value")))),
              hex(ref.at("out")));

    const json& expand = vector.at("expand_with_label");
    Bytes out(expand.at("length").get<std::size_t>());
    expand_with_label(hex(expand.at("secret")), expand.at("label").get<std::string>(),
                      hex(expand.at("context")), out);
    EXPECT_EQ(out, hex(expand.at("out")));

    const json& derive = vector.at("derive_secret");
    EXPECT_EQ(bytes(derive_secret(hex(derive.at("secret")), derive.at("label").get<std::string>())),
              hex(derive.at("out")));

    const json& tree = vector.at("derive_tree_secret");
    Bytes tree_out(tree.at("length").get<std::size_t>());
    expand_with_label(hex(tree.at("secret")), tree.at("label").get<std::string>(),
                      encode(tree.at("generation").get<std::uint32_t>()), tree_out);
    EXPECT_EQ(tree_out, hex(tree.at("out")));

    const json& sign = vector.at("sign_with_label");
    const auto label = sign.at("label").get<std::string>();
    const Bytes content = hex(sign.at("content"));
    const Bytes pub = hex(sign.at("pub"));
    EXPECT_TRUE(verify_with_label(pub, label, content, hex(sign.at("signature"))));
    const auto key = crypto::SigningKey::from_seed(secret(sign.at("priv")));
    EXPECT_TRUE(verify_with_label(pub, label, content, sign_with_label(key, label, content)));
    EXPECT_FALSE(verify_with_label(pub, "another label", content, hex(sign.at("signature"))));

    const json& hpke = vector.at("encrypt_with_label");
    const auto pair = crypto::AgreementKey::from_secret(secret(hpke.at("priv")));
    EXPECT_EQ(bytes(pair.public_key), hex(hpke.at("pub")));
    const auto hpke_label = hpke.at("label").get<std::string>();
    const Bytes context = hex(hpke.at("context"));
    const auto opened = decrypt_with_label(
        pair, hpke_label, context, {hex(hpke.at("kem_output")), hex(hpke.at("ciphertext"))});
    ASSERT_TRUE(opened);
    EXPECT_EQ(bytes(opened->span()), hex(hpke.at("plaintext")));
    sealwire::test::SeededRandom random(1);
    const auto sealed =
        encrypt_with_label(pair.public_key, hpke_label, context, opened->span(), random);
    ASSERT_TRUE(sealed);
    const auto again = decrypt_with_label(pair, hpke_label, context, *sealed);
    ASSERT_TRUE(again);
    EXPECT_EQ(bytes(again->span()), hex(hpke.at("plaintext")));
  });
}

TEST(MlsVectors, key_schedule_epoch_by_epoch) {
  for_each_case("key-schedule.json", [](const json& vector) {
    KdfSecret init = secret(vector.at("initial_init_secret"));
    std::uint64_t epoch = 0;
    for (const json& expected : vector.at("epochs")) {
      SCOPED_TRACE("epoch " + std::to_string(epoch));
      GroupContext context;
      context.group_id = hex(vector.at("group_id"));
      context.epoch = epoch++;
      context.tree_hash = hex(expected.at("tree_hash"));
      context.confirmed_transcript_hash = hex(expected.at("confirmed_transcript_hash"));
      const Bytes encoded = encode(context);
      EXPECT_EQ(encoded, hex(expected.at("group_context")));
      const auto joiner = joiner_secret(init, secret(expected.at("commit_secret")), encoded);
      EXPECT_EQ(bytes(joiner), hex(expected.at("joiner_secret")));
      const KdfSecret psk = secret(expected.at("psk_secret"));
      EXPECT_EQ(bytes(welcome_secret(joiner, psk)), hex(expected.at("welcome_secret")));
      auto secrets = epoch_secrets(joiner, psk, encoded);
      EXPECT_EQ(bytes(secrets.init), hex(expected.at("init_secret")));
      EXPECT_EQ(bytes(secrets.sender_data), hex(expected.at("sender_data_secret")));
      EXPECT_EQ(bytes(secrets.encryption), hex(expected.at("encryption_secret")));
      EXPECT_EQ(bytes(secrets.exporter), hex(expected.at("exporter_secret")));
      EXPECT_EQ(bytes(secrets.external), hex(expected.at("external_secret")));
      EXPECT_EQ(bytes(secrets.confirmation_key), hex(expected.at("confirmation_key")));
      EXPECT_EQ(bytes(secrets.membership_key), hex(expected.at("membership_key")));
      EXPECT_EQ(bytes(secrets.resumption_psk), hex(expected.at("resumption_psk")));
      EXPECT_EQ(bytes(secrets.epoch_authenticator), hex(expected.at("epoch_authenticator")));
      EXPECT_EQ(bytes(external_key_pair(secrets.external).public_key),
                hex(expected.at("external_pub")));
      const json& exporter = expected.at("exporter");
      Bytes exported(exporter.at("length").get<std::size_t>());
      export_secret(secrets.exporter, exporter.at("label").get<std::string>(),
                    hex(exporter.at("context")), exported);
      EXPECT_EQ(exported, hex(exporter.at("secret")));
      init = std::move(secrets.init);
    }
  });
}

TEST(MlsVectors, secret_tree_keys_of_every_leaf_and_generation) {
  for_each_case("secret-tree.json", [](const json& vector) {
    const json& data = vector.at("sender_data");
    const auto key =
        sender_data_key(secret(data.at("sender_data_secret")), hex(data.at("ciphertext")));
    EXPECT_EQ(bytes(key.key), hex(data.at("key")));
    EXPECT_EQ(bytes(key.nonce), hex(data.at("nonce")));

    const auto leaves = static_cast<std::uint32_t>(vector.at("leaves").size());
    SecretTree tree(leaves, secret(vector.at("encryption_secret")));
    for (std::uint32_t leaf = 0; leaf < leaves; ++leaf) {
      for (const json& expected : vector.at("leaves").at(leaf)) {
        const auto generation = expected.at("generation").get<std::uint32_t>();
        for (const auto& [type, name] : {std::pair{RatchetType::application, "application"},
                                         std::pair{RatchetType::handshake, "handshake"}}) {
          Ratchet& ratchet = tree.ratchet(LeafIndex{leaf}, type);
          auto found = ratchet.find(generation);
          ASSERT_TRUE(found);
          EXPECT_EQ(bytes(found->key.key), hex(expected.at(std::string(name) + "_key")));
          EXPECT_EQ(bytes(found->key.nonce), hex(expected.at(std::string(name) + "_nonce")));
          ratchet.use(std::move(*found));
        }
      }
    }
  });
}

TEST(MlsVectors, transcript_hashes_and_confirmation_tag) {
  for_each_case("transcript-hashes.json", [](const json& vector) {
    const auto content =
        decode<AuthenticatedContent>(hex(vector.at("authenticated_content")), "content");
    ASSERT_TRUE(content);
    const Bytes confirmed = confirmed_transcript_hash(
        hex(vector.at("interim_transcript_hash_before")), content->confirmed_transcript_input());
    EXPECT_EQ(confirmed, hex(vector.at("confirmed_transcript_hash_after")));
    EXPECT_EQ(interim_transcript_hash(confirmed, content->auth.confirmation_tag),
              hex(vector.at("interim_transcript_hash_after")));
    EpochSecrets secrets;
    secrets.confirmation_key = secret(vector.at("confirmation_key"));
    EXPECT_EQ(confirmation_tag(secrets, confirmed), content->auth.confirmation_tag);
  });
}

TEST(MlsVectors, psk_secret_of_any_number_of_keys) {
  for_each_case("psk_secret.json", [](const json& vector) {
    std::vector<PskWithId> psks;
    for (const json& entry : vector.at("psks"))
      psks.push_back(
          {{PskType::external, hex(entry.at("psk_id")), {}, 0, hex(entry.at("psk_nonce"))},
           SecretBytes(hex(entry.at("psk")))});
    EXPECT_EQ(bytes(psk_secret(psks)), hex(vector.at("psk_secret")));
  });
}

class MessageProtection {
 public:
  explicit MessageProtection(const json& vector)
      : signing_key_(crypto::SigningKey::from_seed(secret(vector.at("signature_priv")))),
        signature_pub_(hex(vector.at("signature_pub"))),
        membership_key_(secret(vector.at("membership_key"))),
        sender_data_(secret(vector.at("sender_data_secret"))),
        tree_(2, secret(vector.at("encryption_secret"))),
        own_tree_(2, secret(vector.at("encryption_secret"))) {
    GroupContext context;
    context.group_id = hex(vector.at("group_id"));
    context.epoch = vector.at("epoch").get<std::uint64_t>();
    context.tree_hash = hex(vector.at("tree_hash"));
    context.confirmed_transcript_hash = hex(vector.at("confirmed_transcript_hash"));
    context_ = encode(context);
    group_id_ = context.group_id;
    epoch_ = context.epoch;
  }

  Bytes open_public(const Bytes& bytes) {
    auto message = decode<MlsMessage>(bytes, "public").value();
    auto content = unprotect_public(std::get<PublicMessage>(std::move(message.body)),
                                    membership_key_, context_);
    if (!content) return {};
    return body(verify_content(std::move(*content), signature_pub_, context_));
  }
  // Our own messages of the same content, which must open to it again.
  Bytes public_round(const Bytes& content, ContentType type) {
    return open_public(encode(MlsMessage{protect_public(
        sign(WireFormat::public_message, content, type), membership_key_, context_)}));
  }
  Bytes private_round(const Bytes& content, ContentType type) {
    sealwire::test::SeededRandom random(2);
    auto key = own_tree_.ratchet(LeafIndex{1}, ratchet_type(type)).next().value();
    const auto message = protect_private(sign(WireFormat::private_message, content, type), key,
                                         sender_data_, &padme, random);
    return open_private(encode(MlsMessage{message}));
  }

  Bytes open_private(const Bytes& bytes) {
    const auto decoded = decode<MlsMessage>(bytes, "private").value();
    const auto& message = std::get<PrivateMessage>(decoded.body);
    const auto sender = open_sender_data(message, sender_data_);
    if (!sender) return {};
    auto found =
        tree_.ratchet(sender->leaf, ratchet_type(message.content_type)).find(sender->generation);
    if (!found) return {};
    auto content = mls::open_private(message, *sender, found->key);
    if (!content) return {};
    return body(verify_content(std::move(*content), signature_pub_, context_));
  }

 private:
  AuthenticatedContent sign(WireFormat format, const Bytes& content, ContentType type) {
    FramedContent framed{group_id_, epoch_, Sender::member(LeafIndex{1}), {}, content};
    if (type == ContentType::proposal) framed.body = decode<Proposal>(content, "proposal").value();
    if (type == ContentType::commit) framed.body = decode<Commit>(content, "commit").value();
    auto result = sign_content(format, std::move(framed), context_, signing_key_);
    if (type == ContentType::commit) result.auth.confirmation_tag = Bytes(32, 7);
    return result;
  }
  static Bytes body(const Result<VerifiedContent>& content) {
    if (!content) return {};
    const auto& framed = (**content).content;
    if (const auto* data = std::get_if<Bytes>(&framed.body)) return *data;
    if (const auto* proposal = std::get_if<Proposal>(&framed.body)) return encode(*proposal);
    return encode(std::get<Commit>(framed.body));
  }

  crypto::SigningKey signing_key_;
  Bytes signature_pub_;
  KdfSecret membership_key_;
  KdfSecret sender_data_;
  SecretTree tree_;
  SecretTree own_tree_;
  Bytes context_;
  Bytes group_id_;
  std::uint64_t epoch_ = 0;
};

TEST(MlsVectors, message_protection_both_ways) {
  for_each_case("message-protection.json", [](const json& vector) {
    MessageProtection group(vector);
    EXPECT_EQ(group.open_public(hex(vector.at("proposal_pub"))), hex(vector.at("proposal")));
    EXPECT_EQ(group.open_private(hex(vector.at("proposal_priv"))), hex(vector.at("proposal")));
    EXPECT_EQ(group.open_public(hex(vector.at("commit_pub"))), hex(vector.at("commit")));
    EXPECT_EQ(group.open_private(hex(vector.at("commit_priv"))), hex(vector.at("commit")));
    EXPECT_EQ(group.open_private(hex(vector.at("application_priv"))),
              hex(vector.at("application")));

    for (const auto& [name, type] :
         {std::pair{"proposal", ContentType::proposal}, std::pair{"commit", ContentType::commit},
          std::pair{"application", ContentType::application}}) {
      SCOPED_TRACE(name);
      const Bytes content = hex(vector.at(name));
      EXPECT_EQ(group.private_round(content, type), content);
      if (type == ContentType::application) continue;
      EXPECT_EQ(group.public_round(content, type), content);
    }
  });
}

TEST(MlsVectors, welcome_opens_and_its_group_info_is_confirmed) {
  for_each_case("welcome.json", [](const json& vector) {
    const auto key_package =
        decode<MlsMessage>(hex(vector.at("key_package")), "key package").value();
    const auto message = decode<MlsMessage>(hex(vector.at("welcome")), "welcome").value();
    const auto& welcome = std::get<Welcome>(message.body);
    const auto init = crypto::AgreementKey::from_secret(secret(vector.at("init_priv")));
    const auto secrets =
        decrypt_group_secrets(welcome, std::get<KeyPackage>(key_package.body).ref(), init);
    ASSERT_TRUE(secrets) << secrets.error().detail;
    const KdfSecret psk;
    const auto info = decrypt_group_info(welcome_secret(secrets->joiner_secret, psk),
                                         welcome.encrypted_group_info);
    ASSERT_TRUE(info) << info.error().detail;
    EXPECT_TRUE(verify_group_info(*info, hex(vector.at("signer_pub"))));
    const auto epoch = epoch_secrets(secrets->joiner_secret, psk, encode(info->group_context));
    EXPECT_EQ(confirmation_tag(epoch, info->group_context.confirmed_transcript_hash),
              info->confirmation_tag);
  });
}

}  // namespace
}  // namespace sealwire::mls::test

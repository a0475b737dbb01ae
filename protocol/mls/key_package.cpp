#include "protocol/mls/key_package.h"

#include "protocol/mls/message.h"

namespace sealwire::mls {
namespace {

Bytes to_be_signed(const KeyPackage& package) {
  Writer writer;
  writer.put(package.version, package.cipher_suite, package.init_key, package.leaf_node,
             package.extensions);
  return writer.take();
}

}  // namespace

Hash KeyPackage::ref() const {
  return ref_hash("MLS 1.0 KeyPackage Reference", encode(*this));
}

Result<KeyPackageBundle> make_key_package(const crypto::SigningKey& signing_key, ByteSpan identity,
                                          std::uint64_t lifetime_ms, bool last_resort,
                                          Random& random, UnixMillis now) {
  if (lifetime_ms > limits::kKeyPackageLifetimeMs)
    return fail(Errc::mls_limit, "key package lifetime");
  auto init = crypto::AgreementKey::generate(random);
  auto encryption = crypto::AgreementKey::generate(random);
  KeyPackage package;
  package.init_key = to_bytes(init.public_key);
  LeafNode& leaf = package.leaf_node;
  leaf.encryption_key = to_bytes(encryption.public_key);
  leaf.signature_key = to_bytes(signing_key.public_bytes());
  leaf.credential.identity = to_bytes(identity);
  leaf.capabilities = Capabilities::ours();
  leaf.lifetime = {now.value / kSecondMs, (now.value + lifetime_ms) / kSecondMs};
  sign_leaf(leaf, signing_key, {});
  if (last_resort) package.extensions.push_back({ExtensionType::last_resort_key_package, {}});
  package.signature = sign_with_label(signing_key, "KeyPackageTBS", to_be_signed(package));

  const Hash ref = package.ref();
  Writer secrets;
  secrets.put(KeyPackageSecrets{std::move(init.secret), std::move(encryption.secret)});
  return KeyPackageBundle{encode(MlsMessage{std::move(package)}), secrets.take_secret(),
                          to_bytes(ref), last_resort};
}

Result<> validate_key_package(const KeyPackage& package, const CredentialValidator& validator) {
  const auto invalid = [](const char* why) { return fail(Errc::mls_key_package_invalid, why); };
  if (package.version != ProtocolVersion::mls10 || package.cipher_suite != kSuite)
    return invalid("version or cipher suite");
  if (package.init_key.size() != 32) return invalid("init_key is not 32 bytes");
  if (package.init_key == package.leaf_node.encryption_key)
    return invalid("init_key equals encryption_key");
  if (!extensions_unique(package.extensions)) return invalid("an extension is repeated");
  if (auto leaf =
          validate_leaf(package.leaf_node, LeafNodeSource::key_package, {}, validator, nullptr);
      !leaf)
    return fail(Errc::mls_key_package_invalid, "leaf node: " + leaf.error().detail);
  if (!verify_with_label(package.leaf_node.signature_key, "KeyPackageTBS", to_be_signed(package),
                         package.signature))
    return invalid("signature");
  return {};
}

Result<VerifiedKeyPackage> verify_key_package(ByteSpan message,
                                              const CredentialValidator& validator,
                                              UnixMillis now) {
  if (message.size() > limits::kKeyPackageBytes)
    return fail(Errc::mls_key_package_invalid, "larger than kKeyPackageBytes");
  if (!validator) return fail(Errc::mls_state, "no credential validator");
  SW_TRY(auto decoded, decode<MlsMessage>(message, "MLSMessage"));
  auto* package = std::get_if<KeyPackage>(&decoded.body);
  if (!package) return fail(Errc::mls_malformed, "not a key package");
  SW_CHECK(validate_key_package(*package, validator));
  const Lifetime& lifetime = package->leaf_node.lifetime;
  if (!lifetime.contains(now))
    return fail(Errc::mls_key_package_invalid, "expired or not yet valid");
  const std::uint64_t seconds_max =
      (limits::kKeyPackageLifetimeMs + limits::kClockSkewMs) / kSecondMs;
  if (lifetime.not_after - lifetime.not_before > seconds_max)
    return fail(Errc::mls_key_package_invalid, "lifetime longer than allowed");

  VerifiedKeyPackage verified;
  verified.identity = package->leaf_node.identity();
  verified.not_before = {lifetime.not_before * kSecondMs};
  verified.not_after = {lifetime.not_after * kSecondMs};
  verified.last_resort =
      find_extension(package->extensions, ExtensionType::last_resort_key_package) != nullptr;
  verified.ref = package->ref();
  verified.key_package = std::move(*package);
  return verified;
}

}  // namespace sealwire::mls

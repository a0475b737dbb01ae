#include "protocol/mls/leaf_node.h"

namespace sealwire::mls {
namespace {

template <class T>
bool contains(const std::vector<T>& list, T value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

void write_content(const LeafNode& leaf, Writer& writer) {
  writer.put(leaf.encryption_key, leaf.signature_key, leaf.credential, leaf.capabilities,
             leaf.source);
  if (leaf.source == LeafNodeSource::key_package) writer.put(leaf.lifetime);
  if (leaf.source == LeafNodeSource::commit) writer.put(leaf.parent_hash);
  writer.put(leaf.extensions);
}

// LeafNodeTBS: the leaf without its signature, then group_id and leaf_index unless it comes from a
// key package.
Bytes to_be_signed(const LeafNode& leaf, const LeafPosition& position) {
  Writer writer;
  write_content(leaf, writer);
  if (leaf.source != LeafNodeSource::key_package) {
    writer.opaque(position.group_id);
    writer.put(position.index);
  }
  return writer.take();
}

}  // namespace

Capabilities Capabilities::ours() {
  return {{ProtocolVersion::mls10},
          {kSuite},
          {ExtensionType::last_resort_key_package},
          {},
          {CredentialType::basic}};
}

bool Capabilities::supports(ExtensionType extension) const {
  const auto id = static_cast<std::uint16_t>(extension);
  return (id >= 1 && id <= 5) || contains(extensions, extension);
}

bool Capabilities::supports(CredentialType credential) const {
  return contains(credentials, credential);
}

bool Capabilities::supports(const RequiredCapabilities& required) const {
  const auto proposal = [this](std::uint16_t id) {
    return (id >= 1 && id <= 7) || contains(proposals, id);
  };
  return std::all_of(required.extensions.begin(), required.extensions.end(),
                     [this](ExtensionType id) { return supports(id); }) &&
         std::all_of(required.proposals.begin(), required.proposals.end(), proposal) &&
         std::all_of(required.credentials.begin(), required.credentials.end(),
                     [this](std::uint16_t id) { return supports(CredentialType{id}); });
}

bool Lifetime::contains(UnixMillis now) const {
  const std::uint64_t seconds = now.value / kSecondMs;
  const std::uint64_t skew = limits::kClockSkewMs / kSecondMs;
  return not_before <= seconds + skew && seconds <= not_after;
}

void LeafNode::write(Writer& writer) const {
  write_content(*this, writer);
  writer.put(signature);
}

bool LeafNode::read(Reader& reader) {
  if (!reader.get(encryption_key, signature_key, credential, capabilities, source)) return false;
  switch (source) {
    case LeafNodeSource::key_package:
      if (!reader.get(lifetime)) return false;
      break;
    case LeafNodeSource::update:
      break;
    case LeafNodeSource::commit:
      if (!reader.get(parent_hash)) return false;
      break;
    default:
      return false;
  }
  return reader.get(extensions, signature);
}

LeafIdentity LeafNode::identity() const {
  return {InstanceKey::from(signature_key).value_or(InstanceKey{}), credential.identity};
}

void sign_leaf(LeafNode& leaf, const crypto::SigningKey& key, const LeafPosition& position) {
  leaf.signature = sign_with_label(key, "LeafNodeTBS", to_be_signed(leaf, position));
}

Result<> validate_leaf(const LeafNode& leaf, LeafNodeSource source, const LeafPosition& position,
                       const CredentialValidator& validator, const LeafNode* predecessor) {
  const auto invalid = [](const char* why) { return fail(Errc::mls_tree_invalid, why); };
  if (leaf.source != source) return invalid("leaf_node_source");
  if (leaf.encryption_key.size() != 32 || leaf.signature_key.size() != InstanceKey::kSize)
    return invalid("a leaf's key is not 32 bytes");
  if (leaf.credential.type != CredentialType::basic)
    return fail(Errc::mls_unsupported, "credential is not basic");
  if (!contains(leaf.capabilities.versions, ProtocolVersion::mls10) ||
      !contains(leaf.capabilities.cipher_suites, kSuite) ||
      !leaf.capabilities.supports(leaf.credential.type))
    return invalid("a leaf does not support what it uses");
  if (!extensions_unique(leaf.extensions)) return invalid("a leaf repeats an extension");
  for (const Extension& extension : leaf.extensions) {
    if (!leaf.capabilities.supports(extension.type))
      return invalid("leaf extension not in capabilities");
  }
  if (!verify_with_label(leaf.signature_key, "LeafNodeTBS", to_be_signed(leaf, position),
                         leaf.signature))
    return fail(Errc::mls_signature, "leaf node");
  const LeafIdentity claimed = leaf.identity();
  std::optional<LeafIdentity> before;
  if (predecessor) before = predecessor->identity();
  if (!validator(claimed, before ? &*before : nullptr))
    return fail(Errc::mls_tree_invalid, "the credential was not accepted");
  return {};
}

}  // namespace sealwire::mls

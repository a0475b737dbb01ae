#include "conformance/wire/mls.h"

#include "conformance/runner/failure.h"
#include "conformance/wire/crypto.h"

namespace conformance {
namespace {

// RFC 9420 section 2.1: numbers in network order, vectors behind a length of variable size.
class Reader {
 public:
  explicit Reader(View bytes) : rest_(bytes) {}
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(bytes))
      value = value << 8 | byte;
    return value;
  }
  View vector() {
    const std::uint64_t first = number(1);
    const std::size_t bytes = std::size_t{1} << (first >> 6);
    if (bytes > 4) throw Failure("a vector's length in an MLS message is none (RFC 9420, 2.1.2)");
    return take((first & 0x3f) << (8 * (bytes - 1)) | number(bytes - 1));
  }
  View rest() const { return rest_; }
  /// The bytes from `before` to here.
  Bytes since(View before) const { return copy(before.first(before.size() - rest_.size())); }

 private:
  View take(std::size_t bytes) {
    if (bytes > rest_.size()) throw Failure("an MLS message is cut off");
    const View taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }
  View rest_;
};

Bytes vector_of(View content) {  // shorter than 2^30
  Bytes length = content.size() < 64      ? big_endian(content.size(), 1)
                 : content.size() < 16384 ? big_endian(content.size() | 0x4000, 2)
                                          : big_endian(content.size() | 0x80000000, 4);
  return std::move(length) + content;
}

// SignContent of section 5.1.2.
Bytes sign_content(std::string_view label, View content) {
  return vector_of(bytes_of("MLS 1.0 " + std::string(label))) + vector_of(content);
}

}  // namespace

KeyPackage KeyPackage::read(View message) {
  KeyPackage read;
  Reader in(message);
  read.version = in.number(2);
  read.wire_format = in.number(2);
  const View package = in.rest();
  if (in.number(2) != read.version) throw Failure("a key package of another version");
  read.cipher_suite = in.number(2);
  read.init_key = copy(in.vector());
  const View leaf = in.rest();
  read.encryption_key = copy(in.vector());
  read.leaf_key = copy(in.vector());
  read.credential_type = in.number(2);
  read.identity = copy(in.vector());
  View mark = in.rest();
  for (int i = 0; i < 5; ++i)
    in.vector();  // versions, cipher suites, extensions, proposals, credentials
  read.capabilities = in.since(mark);
  read.leaf_node_source = in.number(1);
  if (read.leaf_node_source != 1)
    throw Failure("a key package whose leaf is none of a key package");
  read.not_before = in.number(8);
  read.not_after = in.number(8);
  mark = in.rest();
  in.vector();
  read.leaf_extensions = in.since(mark);
  const Bytes signed_leaf = in.since(leaf), leaf_signature = copy(in.vector());
  mark = in.rest();
  in.vector();
  read.extensions = in.since(mark);
  const Bytes signed_package = in.since(package), signature = copy(in.vector());
  if (!in.rest().empty()) throw Failure("bytes after a key package");
  read.leaf_signature_holds =
      verify(read.leaf_key, sign_content("LeafNodeTBS", signed_leaf), leaf_signature);
  read.signature_holds =
      verify(read.leaf_key, sign_content("KeyPackageTBS", signed_package), signature);
  return read;
}

Bytes KeyPackage::leaf() const {
  return vector_of(encryption_key) + vector_of(leaf_key) + big_endian(credential_type, 2) +
         vector_of(identity) + capabilities + big_endian(leaf_node_source, 1) +
         big_endian(not_before, 8) + big_endian(not_after, 8) + leaf_extensions;
}

Bytes KeyPackage::write(View seed) const {
  const Bytes signed_leaf = leaf();
  const Bytes package =
      big_endian(version, 2) + big_endian(cipher_suite, 2) + vector_of(init_key) + signed_leaf +
      vector_of(sign(seed, sign_content("LeafNodeTBS", signed_leaf))) + extensions;
  return big_endian(version, 2) + big_endian(wire_format, 2) + package +
         vector_of(sign(seed, sign_content("KeyPackageTBS", package)));
}

MlsMessage MlsMessage::read(View message) {
  MlsMessage read;
  Reader in(message);
  if (in.number(2) != 1) throw Failure("an MLSMessage of another version than mls10");
  read.wire_format = in.number(2);
  switch (read.wire_format) {
    case public_message:
      read.group_id = copy(in.vector());
      read.epoch = in.number(8);
      if (in.number(1) == 1) in.number(4);  // a member: its leaf
      read.authenticated_data = copy(in.vector());
      read.content_type = in.number(1);
      break;
    case private_message:
      read.group_id = copy(in.vector());
      read.epoch = in.number(8);
      read.content_type = in.number(1);
      read.authenticated_data = copy(in.vector());
      in.vector();  // encrypted_sender_data
      read.ciphertext_bytes = in.vector().size();
      if (!in.rest().empty()) throw Failure("bytes after a PrivateMessage");
      break;
    case welcome:
      read.cipher_suite = in.number(2);
      break;
    default:
      throw Failure("an MLSMessage of wire format " + std::to_string(read.wire_format));
  }
  return read;
}

}  // namespace conformance

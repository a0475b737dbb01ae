// RFC 9420's vectors for the encoding: lengths, and every struct there and back.
#include "protocol/mls/message.h"
#include "tests/protocol/mls/vectors.h"

namespace sealwire::mls::test {
namespace {

template <class T>
void there_and_back(const json& vector, const char* name) {
  SCOPED_TRACE(name);
  const Bytes encoded = hex(vector.at(name));
  const auto decoded = decode<T>(encoded, name);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(encode(*decoded), encoded);

  Bytes longer = encoded;
  longer.push_back(0);
  EXPECT_FALSE(decode<T>(longer, name)) << "a byte after the end was taken";
  if (!encoded.empty()) {
    EXPECT_FALSE(decode<T>(ByteSpan(encoded).first(encoded.size() - 1), name))
        << "a missing last byte was not noticed";
  }
}

TEST(MlsVectors, every_length_header_is_read_as_its_length) {
  for_each_case("deserialization.json", [](const json& vector) {
    const Bytes header = hex(vector.at("vlbytes_header"));
    Reader reader(header, std::size_t{1} << 30);
    std::size_t length = 0;
    ASSERT_TRUE(reader.length(length));
    EXPECT_EQ(length, vector.at("length").get<std::size_t>());
    EXPECT_TRUE(reader.empty());
  });
}

TEST(MlsVectors, every_message_and_struct_decodes_and_encodes_to_the_same_bytes) {
  for_each_case("messages.json", [](const json& vector) {
    there_and_back<MlsMessage>(vector, "mls_welcome");
    there_and_back<MlsMessage>(vector, "mls_group_info");
    there_and_back<MlsMessage>(vector, "mls_key_package");
    there_and_back<RatchetTree>(vector, "ratchet_tree");
    there_and_back<GroupSecrets>(vector, "group_secrets");
    there_and_back<Add>(vector, "add_proposal");
    there_and_back<Update>(vector, "update_proposal");
    there_and_back<Remove>(vector, "remove_proposal");
    there_and_back<PreSharedKey>(vector, "pre_shared_key_proposal");
    there_and_back<ReInit>(vector, "re_init_proposal");
    there_and_back<ExternalInit>(vector, "external_init_proposal");
    there_and_back<GroupContextExtensions>(vector, "group_context_extensions_proposal");
    there_and_back<Commit>(vector, "commit");
    there_and_back<MlsMessage>(vector, "public_message_application");
    there_and_back<MlsMessage>(vector, "public_message_proposal");
    there_and_back<MlsMessage>(vector, "public_message_commit");
    there_and_back<MlsMessage>(vector, "private_message");
  });
}

}  // namespace
}  // namespace sealwire::mls::test

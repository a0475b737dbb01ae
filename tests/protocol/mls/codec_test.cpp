// The decoder takes exactly one encoding of a value, and never more memory than its bounds.
#include "protocol/mls/message.h"
#include "tests/protocol/mls/agent.h"

namespace sealwire::mls::test {
namespace {

Result<Bytes> opaque(const Bytes& encoded) {
  return decode<Bytes>(encoded, "opaque");
}

TEST(Codec, lengths_at_the_borders_of_their_forms_go_there_and_back) {
  for (const std::size_t size : {0, 1, 63, 64, 65, 0x3ffe, 0x3fff, 0x4000, 0x4001, 1024 * 1024}) {
    const Bytes value(size, 7);
    const Bytes encoded = encode(value);
    EXPECT_EQ(encoded.size() - size, size < 64 ? 1u : size < 0x4000 ? 2u : 4u) << size;
    EXPECT_EQ(must(opaque(encoded)), value);
  }
}

TEST(Codec, a_length_that_is_not_minimal_is_refused) {
  EXPECT_FALSE(opaque({0x40, 0x01, 7}));
  Bytes two_bytes{0x40, 0x3f};
  two_bytes.resize(2 + 63);
  EXPECT_FALSE(opaque(two_bytes));
  Bytes four_bytes{0x80, 0x00, 0x3f, 0xff};
  four_bytes.resize(4 + 0x3fff);
  EXPECT_FALSE(opaque(four_bytes));
  EXPECT_FALSE(opaque({0xc0, 0, 0, 0, 0, 0, 0, 1, 7})) << "the eight-byte form of QUIC";
}

TEST(Codec, a_length_beyond_its_bytes_or_the_bound_is_refused) {
  EXPECT_FALSE(opaque({0x02, 7}));
  EXPECT_FALSE(opaque({0x40}));
  EXPECT_FALSE(opaque({0xbf, 0xff, 0xff, 0xff}));
  Bytes over = encode(Bytes(limits::kMlsVectorBytes + 1));
  EXPECT_FALSE(opaque(over));
}

TEST(Codec, an_optional_or_bool_is_zero_or_one) {
  EXPECT_FALSE(decode<std::optional<std::uint8_t>>(Bytes{2, 1}, "optional"));
  EXPECT_TRUE(decode<std::optional<std::uint8_t>>(Bytes{1, 1}, "optional"));
  EXPECT_FALSE(decode<bool>(Bytes{2}, "bool"));
}

TEST(Codec, a_vector_of_many_tiny_elements_is_refused_before_it_fills_memory) {
  Bytes elements(kVectorElements + 1);
  Writer writer;
  writer.opaque(elements);
  EXPECT_FALSE(decode<std::vector<std::optional<LeafNode>>>(writer.span(), "vector"));
}

TEST(Codec, a_ratchet_tree_ends_with_a_member_and_keeps_kinds_and_indices_in_place) {
  const LeafNode leaf;
  const ParentNode parent;
  const auto tree = [](std::vector<std::optional<Node>> nodes) {
    return decode<RatchetTree>(encode(nodes), "tree").has_value();
  };
  EXPECT_TRUE(tree({Node{leaf}}));
  EXPECT_TRUE(tree({Node{leaf}, std::nullopt, Node{leaf}}));
  EXPECT_FALSE(tree({})) << "no member";
  EXPECT_FALSE(tree({Node{leaf}, std::nullopt, std::nullopt})) << "blank at the end";
  EXPECT_FALSE(tree({Node{parent}})) << "a parent where a leaf belongs";
  EXPECT_FALSE(tree({Node{leaf}, Node{leaf}, Node{leaf}})) << "a leaf where a parent belongs";
  ParentNode outside;
  outside.unmerged_leaves = {LeafIndex{2}};
  EXPECT_FALSE(tree({Node{leaf}, Node{outside}, Node{leaf}}))
      << "an unmerged leaf outside the tree";
}

TEST(Codec, whatever_decodes_after_random_changes_encodes_to_the_same_bytes) {
  constexpr std::uint64_t kSeed = 20251;
  std::cout << "seed " << kSeed << "\n";
  sealwire::test::SeededRandom random(kSeed);
  Pair pair;
  Agent carol(3);
  const auto bundle = carol.publish();
  const auto commit =
      must(pair.a.commit({.adds = {bundle.key_package}}, {}, pair.alice.random, kNow));
  const Bytes samples[] = {bundle.key_package, commit.commit, *commit.welcome, commit.group_info,
                           must(pair.b.seal(as_bytes("x"), {}, pair.bob.random)).message};
  std::size_t decoded = 0;
  for (int round = 0; round < 4000; ++round) {
    Bytes changed = samples[static_cast<std::size_t>(round) % std::size(samples)];
    std::array<std::uint8_t, 8> dice{};
    random.fill(dice);
    const std::size_t at = (dice[0] | (dice[1] << 8)) % changed.size();
    if (dice[2] % 4 == 0) {
      changed.resize(at);
    } else if (dice[2] % 4 == 1) {
      changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), dice[3]);
    } else {
      changed[at] = dice[3];
    }
    const auto message = decode<MlsMessage>(changed, "message");
    if (!message) continue;
    ++decoded;
    ASSERT_EQ(encode(*message), changed);
  }
  EXPECT_GT(decoded, 100u) << "the changes hit nothing but structure";
}

}  // namespace
}  // namespace sealwire::mls::test

// Frames: whatever is not exactly one well-formed frame is refused by name (SPEC FRM).
#include "protocol/frame/frame.h"

#include <gtest/gtest.h>

#include "protocol/limits.h"
#include "tests/support/envelopes.h"

namespace sealwire {
namespace {

Bytes hello(std::size_t key_size = 32, std::size_t nonce_size = 32, std::uint8_t binding = 0) {
  flatbuffers::FlatBufferBuilder b;
  const auto versions = b.CreateVector(std::vector<std::uint16_t>{0});
  const auto key = put(b, Bytes(key_size, 1));
  const auto nonce = put(b, Bytes(nonce_size, 2));
  const auto ephemeral = put(b, Bytes(32, 3));
  return finish_frame(b, wire::CreateHello(b, versions, 1, key, nonce, ephemeral,
                                           static_cast<wire::Binding>(binding)));
}

Errc error_of(const Bytes& bytes, std::size_t max = limits::kFrameBytes) {
  const auto frame = Frame::parse(bytes, max);
  EXPECT_FALSE(frame.has_value());
  return frame ? Errc::closed : frame.error().code;
}

TEST(Frame, FRM_001_IsRefusedOverItsLimitAndTakenAtIt) {
  const Bytes bytes = hello();
  EXPECT_EQ(error_of(bytes, bytes.size() - 1), Errc::frame_too_large);
  EXPECT_TRUE(Frame::parse(bytes, bytes.size()));
}

TEST(Frame, FRM_002_TruncatedAnywhereIsMalformed) {
  const Bytes bytes = hello();
  for (std::size_t size = 0; size + 3 < bytes.size(); ++size)  // up to 3 bytes are padding
    EXPECT_EQ(error_of(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))),
              Errc::frame_malformed);
}

TEST(Frame, FRM_002_TooManyTablesAreRefused) {
  flatbuffers::FlatBufferBuilder b;
  const auto one = wire::CreateEnvelopeBytes(b, put(b, Bytes{1}));
  // A thousand references to one table cost a few bytes each and would be walked again each time.
  const auto envelopes = b.CreateVector(std::vector(16, one));
  const auto bundle = wire::CreateBundle(b, envelopes);
  const Bytes dag = finish_frame(b, wire::CreateSend(b, b.CreateVector(std::vector(5000, bundle))));
  EXPECT_EQ(error_of(dag), Errc::frame_malformed);
}

TEST(Frame, FRM_003_AnotherIdentifierIsRefused) {
  Bytes bytes = hello();
  bytes[4] = 'X';
  EXPECT_EQ(error_of(bytes), Errc::frame_malformed);
}

TEST(Frame, FRM_004_UnknownUnionTagsAreRefused) {
  for (std::uint8_t tag : {static_cast<std::uint8_t>(wire::Body::MAX) + 1, 200, 255}) {
    flatbuffers::FlatBufferBuilder other;
    const auto body = wire::CreatePing(other, 1);
    other.Finish(wire::CreateFrame(other, static_cast<wire::Body>(tag), body.Union()),
                 wire::FrameIdentifier());
    EXPECT_EQ(error_of({other.GetBufferPointer(), other.GetBufferPointer() + other.GetSize()}),
              Errc::frame_unknown);
  }
}

TEST(Frame, FRM_004_UnknownCallIsRefused) {
  flatbuffers::FlatBufferBuilder b;
  const auto request = wire::CreateListContacts(b);
  EXPECT_EQ(error_of(finish_frame(
                b, wire::CreateCall(b, 1, static_cast<wire::Request>(99), request.Union()))),
            Errc::frame_unknown);
}

TEST(Frame, FRM_005_UnknownEnumValuesAreRefused) {
  EXPECT_EQ(error_of(hello(32, 32, 9)), Errc::frame_field);
}

TEST(Frame, FRM_006_WrongSizesAreRefused) {
  for (std::size_t size : {0u, 1u, 31u, 33u, 64u}) {
    EXPECT_EQ(error_of(hello(size)), Errc::frame_field) << "key " << size;
    EXPECT_EQ(error_of(hello(32, size)), Errc::frame_field) << "nonce " << size;
  }
}

TEST(Frame, FRM_008_CountsAreBounded) {
  EXPECT_EQ(error_of(test::send_frame({})), Errc::frame_field);
  EXPECT_EQ(error_of(test::send_frame({{}})), Errc::frame_field);
  EXPECT_EQ(error_of(test::send_frame({std::vector<Bytes>(17, Bytes{1})})), Errc::frame_field);
  EXPECT_EQ(error_of(test::send_frame(std::vector<std::vector<Bytes>>(257, {Bytes{1}}))),
            Errc::frame_field);
  EXPECT_TRUE(Frame::parse(test::send_frame(std::vector<std::vector<Bytes>>(256, {Bytes{1}})),
                           limits::kFrameBytes));
}

TEST(Frame, MisalignedBytesAreReadAllTheSame) {
  const Bytes bytes = hello();
  Bytes shifted(1, 0);
  shifted.insert(shifted.end(), bytes.begin(), bytes.end());
  const auto frame = Frame::parse(ByteSpan(shifted).subspan(1), limits::kFrameBytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->as<wire::Hello>()->key()->size(), 32u);
}

TEST(Frame, RandomChangesNeverGiveAFrameWithWrongSizes) {
  const std::uint64_t seed = 20261122;
  RecordProperty("seed", std::to_string(seed));
  test::SeededRandom random(seed);
  const Bytes good = hello();
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = good;
    std::array<std::uint8_t, 4> dice{};
    random.fill(dice);
    bytes[(dice[0] << 8 | dice[1]) % bytes.size()] = dice[2];
    const auto frame = Frame::parse(bytes, limits::kFrameBytes);
    if (!frame) continue;
    if (const auto* h = frame->as<wire::Hello>()) {
      ASSERT_EQ(h->key()->size(), 32u);
      ASSERT_EQ(h->nonce()->size(), 32u);
    }
  }
}

TEST(WireCode, ERR_003_DoesNotTellWhoExists) {
  for (Errc code : {Errc::denied, Errc::recipient_unknown, Errc::unknown_agent,
                    Errc::conversation_unknown, Errc::not_a_member, Errc::not_admitted})
    EXPECT_EQ(wire_code(code), wire::Code::denied) << name(code);
}

TEST(WireCode, EveryErrorHasANameAndACode) {
  for (Errc code : all_errors()) {
    EXPECT_NE(name(code), "unknown");
    EXPECT_NE(wire_code(code), wire::Code::ok) << name(code);
  }
}

}  // namespace
}  // namespace sealwire

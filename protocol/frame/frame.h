// A frame: one transport message, verified before anything in it is read (SPEC FRM).
#pragma once

#include <flatbuffers/flatbuffers.h>

#include "protocol/bytes.h"
#include "protocol/error.h"
#include "protocol/schema/frame_generated.h"

namespace sealwire {

/// A verified FlatBuffer frame. It exists only if the buffer passed the Verifier under the limits
/// of limits.h, every union tag and enum value is known, and every fixed-size field has its size:
/// after `parse`, the accessors of the generated code are safe and `value<Opaque>()` cannot fail.
class Frame {
 public:
  /// `bytes` outlives the frame. A misaligned buffer is copied once.
  /// Fails with frame_too_large, frame_malformed, frame_unknown or frame_field.
  static Result<Frame> parse(ByteSpan bytes, std::size_t max_bytes);

  wire::Body type() const { return root_->body_type(); }
  template <class Table>
  const Table* as() const {
    return root_->body_as<Table>();
  }

 private:
  Frame() = default;
  const wire::Frame* root_ = nullptr;
  Bytes aligned_;  // empty unless a copy was needed
};

/// Makes the bytes of a frame whose body `offset` was built in `builder`.
template <class Table>
Bytes finish_frame(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> offset) {
  builder.Finish(wire::CreateFrame(builder, wire::BodyTraits<Table>::enum_value, offset.Union()),
                 wire::FrameIdentifier());
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

/// The bytes of a FlatBuffers vector; empty for an absent one.
inline ByteSpan span_of(const flatbuffers::Vector<std::uint8_t>* vector) {
  return vector == nullptr ? ByteSpan{} : ByteSpan{vector->data(), vector->size()};
}
/// A fixed-size value of a verified frame. Absent or of another size gives zeros: `Frame::parse`
/// has refused both where the field is required.
template <class OpaqueType>
OpaqueType value(const flatbuffers::Vector<std::uint8_t>* vector) {
  return OpaqueType::from(span_of(vector)).value_or(OpaqueType{});
}
template <class Container>
flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> put(flatbuffers::FlatBufferBuilder& builder,
                                                           const Container& bytes) {
  const ByteSpan span = bytes;
  return builder.CreateVector(span.data(), span.size());
}

/// What a peer is told of `code` (ERR-001): coarse, and the same for every cause an outsider must
/// not tell apart.
wire::Code wire_code(Errc code);

}  // namespace sealwire

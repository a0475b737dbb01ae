// Reading what the target sends, with FlatBuffers' verifier first and the sizes of FRM-006 after
// it.
#pragma once

#include <envelope_generated.h>
#include <frame_generated.h>

#include <memory>
#include <optional>

#include "conformance/wire/bytes.h"

namespace conformance {

namespace wire = sealwire::wire;
using Code = wire::Code;

std::string code_name(Code code);

inline View view(const flatbuffers::Vector<std::uint8_t>* bytes) {
  return bytes == nullptr ? View() : View(bytes->data(), bytes->size());
}
inline Bytes copy(const flatbuffers::Vector<std::uint8_t>* bytes) {
  return copy(view(bytes));
}

/// A verified frame from the target; throws Failure where it is none (FRM-002 to FRM-006).
class Frame {
 public:
  explicit Frame(Bytes bytes);
  const Bytes& bytes() const { return *bytes_; }
  wire::Body type() const { return root_->body_type(); }
  std::string name() const { return wire::EnumNameBody(type()); }
  template <class Body>
  const Body* as() const {
    return root_->body_as<Body>();
  }

  /// The bytes as a frame with a Close in clear, if they are one.
  static std::optional<Code> close_code(View bytes);

 private:
  std::shared_ptr<const Bytes> bytes_;
  const wire::Frame* root_;
};

/// A statement of the target as its table; throws Failure where it does not verify. `held` keeps an
/// aligned copy.
template <class Root>
const Root* statement(Bytes& held, View bytes, const char* identifier);

void expect_size(View field, std::size_t size, const char* what);

bool identified(View bytes, const char* identifier);
[[noreturn]] void fail_statement(const char* identifier);

template <class Root>
const Root* statement(Bytes& held, View bytes, const char* identifier) {
  held = copy(bytes);
  flatbuffers::Verifier verifier(held.data(), held.size(), 4, 64);
  if (held.size() > 8192 || !identified(held, identifier) ||
      !verifier.VerifyBuffer<Root>(identifier))
    fail_statement(identifier);
  return flatbuffers::GetRoot<Root>(held.data());
}

}  // namespace conformance

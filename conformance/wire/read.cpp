#include "conformance/wire/read.h"

#include "conformance/runner/failure.h"

namespace conformance {

std::string code_name(Code code) {
  const char* name = wire::EnumNameCode(code);
  return *name != '\0' ? name : "code " + std::to_string(static_cast<unsigned>(code));
}

bool identified(View bytes, const char* identifier) {
  return bytes.size() >= 12 && std::equal(identifier, identifier + 4, bytes.begin() + 4);
}

void fail_statement(const char* identifier) {
  throw Failure("the target's statement is no verified " + std::string(identifier));
}

void expect_size(View field, std::size_t size, const char* what) {
  if (field.size() != size)
    throw Failure(std::string(what) + " has " + std::to_string(field.size()) +
                  " bytes instead of " + std::to_string(size));
}

Frame::Frame(Bytes bytes) : bytes_(std::make_shared<const Bytes>(std::move(bytes))) {
  flatbuffers::Verifier verifier(bytes_->data(), bytes_->size(), 12, 4096);
  if (!identified(*bytes_, "SWFR") || !wire::VerifyFrameBuffer(verifier))
    throw Failure("the target sent " + std::to_string(bytes_->size()) +
                  " bytes that are no verified frame");
  root_ = wire::GetFrame(bytes_->data());
  if (root_->body_type() == wire::Body::NONE || root_->body_type() > wire::Body::MAX)
    throw Failure("the target sent a frame with an unknown union tag");
  switch (type()) {
    case wire::Body::Challenge:
      expect_size(view(as<wire::Challenge>()->signature()), 64, "Challenge.signature");
      break;
    case wire::Body::Ready:
      expect_size(view(as<wire::Ready>()->session()), 16, "Ready.session");
      expect_size(view(as<wire::Ready>()->incarnation()), 16, "Ready.incarnation");
      break;
    case wire::Body::Accepted:
      expect_size(view(as<wire::Accepted>()->signature()), 64, "Accepted.signature");
      break;
    case wire::Body::Rejected:
      for (const auto* each : *as<wire::Rejected>()->rejections())
        expect_size(view(each->id()), 16, "Rejection.id");
      break;
    default:
      break;
  }
}

std::optional<Code> Frame::close_code(View bytes) {
  if (!identified(bytes, "SWFR")) return std::nullopt;
  const Bytes aligned = copy(bytes);
  flatbuffers::Verifier verifier(aligned.data(), aligned.size(), 12, 4096);
  if (!wire::VerifyFrameBuffer(verifier)) return std::nullopt;
  const auto* close = wire::GetFrame(aligned.data())->body_as_Close();
  return close == nullptr ? std::nullopt : std::optional(close->code());
}

}  // namespace conformance

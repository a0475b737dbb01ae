#include "conformance/runner/trace.h"

#include "conformance/wire/crypto.h"
#include "conformance/wire/read.h"

namespace conformance {
namespace {

constexpr std::size_t kLines = 400;
constexpr std::size_t kShownBytes = 160;
thread_local std::uint64_t began = 0;
thread_local std::vector<TraceLine> lines;

std::string describe(View frame) {
  std::string name = "no frame";
  const Bytes aligned = copy(frame);
  flatbuffers::Verifier verifier(aligned.data(), aligned.size(), 12, 4096);
  if (identified(aligned, "SWFR") && wire::VerifyFrameBuffer(verifier)) {
    const auto* root = wire::GetFrame(aligned.data());
    const char* known = wire::EnumNameBody(root->body_type());
    name = *known != '\0' ? known : "unknown union tag";
    if (const auto* close = root->body_as_Close()) name += "(" + code_name(close->code()) + ")";
  }
  return name + ", " + std::to_string(frame.size()) +
         " bytes: " + hex(frame.first(std::min(frame.size(), kShownBytes))) +
         (frame.size() > kShownBytes ? "…" : "");
}

}  // namespace

void Trace::begin() {
  began = now_ms();
  lines.clear();
}
void Trace::note(std::string text) {
  if (lines.size() < kLines) lines.push_back({now_ms() - began, std::move(text)});
}
void Trace::sent(View frame) {
  if (lines.size() < kLines) note("> " + describe(frame));
}
void Trace::received(View frame) {
  if (lines.size() < kLines) note("< " + describe(frame));
}
std::vector<TraceLine> Trace::take() {
  return std::exchange(lines, {});
}

}  // namespace conformance

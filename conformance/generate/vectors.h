// Vectors: bytes that a decoder must take or refuse, each for one reason.
#pragma once

#include <string>
#include <vector>

#include "conformance/wire/bytes.h"

namespace conformance {

struct Vector {
  std::string name;        // the requirement's id, a dot, what is varied
  std::string kind;        // frame, envelope, inception, prekey, redemption, instance, agent
  Bytes bytes, signature;  // a statement's two parts; `bytes` alone for frame and envelope
  std::string text;        // of the text forms
  bool accept = false;
  std::string stage;  // size, structure, union, field, time or signature; empty when accepted
  std::string code;   // what a peer is told (ERR)
};

inline constexpr std::uint64_t kVectorTime = 1'780'000'000'000;  // what "now" is for all of them

/// The same at every call.
std::vector<Vector> make_vectors();
std::string to_json(const Vector& vector);

/// Writes each as a file of its own.
void write_vectors(const std::string& folder);
/// Asks the codec about each, over JSON lines; prints verdicts. True when it agrees on all.
bool run_codec(const std::string& command);

}  // namespace conformance

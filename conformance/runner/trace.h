// What went over the wire in the case that this thread runs: shown where the case fails.
#pragma once

#include <string>
#include <vector>

#include "conformance/wire/bytes.h"

namespace conformance {

struct TraceLine {
  std::uint64_t at_ms;  // since the case began
  std::string text;
};

/// The trace of this thread's case; empty lines when none runs.
class Trace {
 public:
  static void begin();
  static void sent(View frame);
  static void received(View frame);
  static void note(std::string text);
  static std::vector<TraceLine> take();
};

}  // namespace conformance

// Where the broker's core says what happened; the shell decides what becomes of it.
#pragma once

#include <string_view>

#include "protocol/error.h"

namespace sealwire::broker {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Called from any thread of the broker's. `message` can quote what a peer sent: a sink escapes it.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view message) = 0;
  /// False spares the caller the making of messages that nobody would see.
  virtual bool wants(LogLevel level) const { return level != LogLevel::debug; }
};

class NullLog final : public LogSink {
 public:
  void write(LogLevel, std::string_view) override {}
};

}  // namespace sealwire::broker

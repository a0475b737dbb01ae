// The broker's log: lines of text or JSON on stderr. No secret is ever given to it; what a peer
// sent is escaped, so that it cannot forge a line.
#pragma once

#include <memory>
#include <string>

#include "broker/config.h"

namespace sealwire::broker {

/// A bound on what others can make the broker write: so many lines a second, the rest only counted.
class LineLimit {
 public:
  static constexpr unsigned kLinesPerSecond = 200;
  /// Whether a line may be written at `now`. `left_out` becomes the number of lines that were not
  /// since the last one that was.
  bool allow(UnixMillis now, std::uint64_t& left_out);

 private:
  std::uint64_t second_ = 0;
  unsigned lines_ = 0;
  std::uint64_t left_out_ = 0;
};

/// Warnings and errors are always written; what peers can cause at will is `info` and `debug`, and
/// under a LineLimit.
class Log final : public LogSink {
 public:
  explicit Log(LogConfig config);
  ~Log() override;
  /// Any thread.
  void write(LogLevel level, std::string_view message) override;
  bool wants(LogLevel level) const override;
  void set_level(LogLevel level);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One line of the log, without its end: RFC 3339 time in UTC, level, message.
std::string log_line(LogFormat format, LogLevel level, std::string_view message, UnixMillis now);

}  // namespace sealwire::broker

// The broker's log: lines of text or JSON on stderr. No secret is ever given to it; what a peer
// sent is escaped, so that it cannot forge a line.
#pragma once

#include <memory>
#include <string>

#include "broker/config.h"

namespace sealwire::broker {

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
